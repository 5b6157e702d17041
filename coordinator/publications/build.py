"""Making a publication from what the finished rounds brought, and keeping it under the next number."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.benchmarks.assemble import benchmark_rows, trend_rows
from coordinator.benchmarks.model import BenchmarkRow, SiteFigures, Status
from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.errors import RuleError
from coordinator.figures import SiteYear, complete_years, site_figures, trend_points
from coordinator.plans import charged, read_plan
from coordinator.publications.files import rows_as_csv, rows_as_parquet
from coordinator.publications.members import admitted
from coordinator.publications.model import Publication, sign_document
from coordinator.rounds.states import RoundState
from coordinator.store.audit import Actor, Detail, Event
from coordinator.store.database import Store
from coordinator.store.reader import Reader
from coordinator.store.schema import Plan, Purpose
from coordinator.store.schema import Publication as Stored
from privacy.guarantee import sentences
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Catalogue
from protocols.periods import Grain, periods_of
from protocols.statement import key_id

FINISHED = {RoundState.COMPLETE, RoundState.CLOSED_SHORT}


@dataclass(frozen=True)
class PlanRows:
    """What one plan contributes: its rows, the sites they used, and the sites that wait for others to join with."""

    plan: Plan
    rows: tuple[BenchmarkRow, ...]
    years: tuple[SiteYear, ...]
    waiting: tuple[str, ...]

    @property
    def members(self) -> list[str]:
        """Ids of the sites in the rows."""
        return [year.site.site_id for year in self.years]

    @property
    def shows_something(self) -> bool:
        """Whether any figure is published."""
        return any(row.status is Status.OK for row in self.rows)


@dataclass(frozen=True)
class Draft:
    """A publication as it would be under the next number, and what it rests on."""

    publication: Publication
    parts: tuple[PlanRows, ...]


@dataclass(frozen=True)
class Published:
    """A stored publication. `is_new` is false if the same content was published before under this number."""

    stored: Stored
    publication: Publication
    is_new: bool


def draft(reader: Reader, config: Config, clock: Clock) -> Draft:
    """What would be published now. RuleError if no round has finished."""
    before = reader.last_publication()
    members = before.members if before else {}
    parts = tuple(
        _plan_rows(reader, plan, members.get(plan.plan_id, []), config, clock.now().date())
        for plan in reader.plans()
        if any(round_.state in FINISHED for round_ in reader.rounds_of_plan(plan.plan_id))
    )
    if not parts:
        raise RuleError("nothing_finished", "no round has finished yet", "see: rounds status")
    catalogue, digest = current_catalogue()
    publication = Publication(
        number=before.number + 1 if before else 1,
        title=config.title,
        created_at=clock.now(),
        catalogue_version=catalogue.version,
        catalogue_digest=digest.hex(),
        replaces=before.number if before else None,
        sites=len({site_id for part in parts for site_id in part.members}),
        guarantee=_guarantee(parts, catalogue),
        gate=config.gate,
        rows=tuple(row for part in parts for row in part.rows),
    )
    return Draft(publication, parts)


def publish(store: Store, config: Config, clock: Clock, key: Ed25519PrivateKey) -> Published:
    """Store the draft, signed; or return the publication that says the same already.

    RuleError if no round has finished, or if another process published while this one computed.
    """
    with store.reading() as reader:
        made = draft(reader, config, clock)
    digest = hashlib.sha256(made.publication.content()).digest()
    with store.writing() as writer:
        same = writer.publication_with_content(digest)
        if same is not None:
            return Published(same, Publication.model_validate_json(same.document), is_new=False)
        newest = writer.last_publication()
        if (newest.number if newest else None) != made.publication.replaces:
            raise RuleError("published_meanwhile", "another publication was made meanwhile", "publish again")
        stored = _stored(made, digest, key)
        details: dict[str, Detail] = {"content": digest.hex(), "rows": len(made.publication.rows)}
        writer.add_publication(stored, Event(Actor.OPERATOR, "publication.add", str(stored.number), details))
    return Published(stored, made.publication, is_new=True)


def _stored(made: Draft, content_digest: bytes, key: Ed25519PrivateKey) -> Stored:
    publication, document = made.publication, made.publication.document()
    return Stored(
        number=publication.number,
        document=document,
        csv=rows_as_csv(publication.rows),
        parquet=rows_as_parquet(publication.rows),
        signature=sign_document(document, key),
        key_id=key_id(key.public_key()),
        content_digest=content_digest,
        members={part.plan.plan_id: part.members for part in made.parts if part.shows_something},
        created_at=publication.created_at,
    )


def _plan_rows(reader: Reader, plan: Plan, before: Sequence[str], config: Config, today: date) -> PlanRows:
    message = read_plan(plan)
    years = complete_years(reader, plan)
    figures = [site_figures(year, message) for year in years]
    chosen = admitted(figures, before, config.gate.min_difference)
    used = PlanRows(
        plan,
        rows=(),
        years=tuple(year for year in years if year.site.site_id in chosen),
        waiting=tuple(year.site.site_id for year in years if year.site.site_id not in chosen),
    )
    figures = [site for site in figures if site.site_id in chosen]
    return replace(used, rows=tuple(_rows(used, figures, config, today)))


def _rows(part: PlanRows, figures: Sequence[SiteFigures], config: Config, today: date) -> list[BenchmarkRow]:
    catalogue, _ = current_catalogue()
    message = read_plan(part.plan)
    if part.plan.purpose is Purpose.BENCHMARK:
        whole_year = periods_of(message.year, Grain.YEAR)[0]
        return benchmark_rows(catalogue, whole_year, figures, today, config.gate)
    return [
        row
        for request in message.tallies
        for row in trend_rows(
            catalogue,
            request.tally,
            trend_points(part.years, part.plan, request.tally),
            figures,
            today,
            config.gate,
        )
    ]


def _guarantee(parts: Sequence[PlanRows], catalogue: Catalogue) -> tuple[str, ...]:
    """The sentences for the ledger year that cost the most: the plans of one year add up."""
    by_year: dict[int, dict[str, int]] = {}
    for part in parts:
        spent = by_year.setdefault(part.plan.year, {"clinician": 0, "record": 0})
        for unit, rho_nano in charged(read_plan(part.plan), catalogue).items():
            spent[unit] += rho_nano
    clinician, record = (max(spent[unit] for spent in by_year.values()) for unit in ("clinician", "record"))
    said = sentences(clinician, record)
    without_keys = {year.site.site_id for part in parts for year in part.years if year.protects_encounters()}
    if without_keys:
        said.append(
            f"At {len(without_keys)} of the sites the records name no person, so there the noise protects each "
            "support encounter or case, and not all that belongs to one clinician."
        )
    return tuple(said)
