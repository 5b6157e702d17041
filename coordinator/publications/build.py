"""Making a publication from what the finished rounds brought, and keeping it under the next number."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.benchmarks import selection
from coordinator.benchmarks.assemble import benchmark_rows, declares_exposures, trend_rows
from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.figures import SiteYear, complete_years, site_figures, trend_points
from coordinator.plans import charged, current_plan
from coordinator.publications.files import rows_as_csv, rows_as_parquet
from coordinator.publications.members import admitted
from coordinator.rounds.states import RoundState
from coordinator.store.audit import Actor, Detail, Event
from coordinator.store.database import Store
from coordinator.store.reader import Reader
from coordinator.store.schema import Plan, Purpose
from coordinator.store.schema import Publication as Stored
from privacy.guarantee import sentences
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Catalogue
from protocols.operator.errors import RuleError
from protocols.periods import Grain, periods_of
from protocols.publication.document import Publication, sign_document
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Status
from protocols.statement import key_id
from protocols.v1 import leadline_pb2 as pb

FINISHED = {RoundState.COMPLETE, RoundState.CLOSED_SHORT}


@dataclass(frozen=True)
class YearPart:
    """What one ledger year contributes: its rows, and the sites that they used.

    `waiting` are sites that wait for others to join with; `left_out` are finished plans that lack one of the sites.
    """

    year: int
    plans: tuple[pb.Plan, ...]
    members: tuple[SiteYear, ...]
    rows: tuple[BenchmarkRow, ...]
    waiting: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def member_ids(self) -> list[str]:
        """Ids of the sites in the rows."""
        return [member.site.site_id for member in self.members]

    @property
    def shows_something(self) -> bool:
        """Whether any figure is published."""
        return any(row.status is Status.OK for row in self.rows)


@dataclass(frozen=True)
class Draft:
    """A publication as it would be under the next number, and what it rests on."""

    publication: Publication
    parts: tuple[YearPart, ...]


@dataclass(frozen=True)
class Published:
    """A stored publication. `is_new` is false if the same content was published before under this number."""

    stored: Stored
    publication: Publication
    is_new: bool


def draft(reader: Reader, config: Config, clock: Clock) -> Draft:
    """What would be published now. RuleError if no round has finished well."""
    before = reader.last_publication()
    members = _members_by_year(reader)
    today = clock.now().date()
    parts = tuple(
        _year_part(reader, plans, members.get(str(year), []), config.gate, today)
        for year, plans in _finished_plans(reader).items()
    )
    if not parts:
        raise _nothing_to_publish(reader)
    catalogue, digest = current_catalogue()
    publication = Publication(
        number=before.number + 1 if before else 1,
        title=config.title,
        created_at=clock.now(),
        catalogue_version=catalogue.version,
        catalogue_digest=digest.hex(),
        replaces=before.number if before else None,
        sites=len({site_id for part in parts for site_id in part.member_ids}),
        guarantee=_guarantee(parts, catalogue),
        gate=config.gate,
        rows=tuple(row for part in parts for row in part.rows),
    )
    return Draft(publication, parts)


def _nothing_to_publish(reader: Reader) -> RuleError:
    failed = [found.round_id for found in reader.rounds(RoundState.FAILED)]
    if not failed or reader.rounds(RoundState.OPEN):
        return RuleError("nothing_finished", "no round has finished yet", "see: rounds status")
    hint = "see why in: rounds status; then ask again with: rounds open --year YEAR"
    return RuleError("rounds_failed", f"every round so far has failed: {', '.join(failed)}", hint)


def _finished_plans(reader: Reader) -> dict[int, list[Plan]]:
    """By year, the plans with a round that ended well."""
    found: dict[int, list[Plan]] = {}
    for plan in reader.plans():
        if any(round_.state in FINISHED for round_ in reader.rounds_of_plan(plan.plan_id)):
            found.setdefault(plan.year, []).append(plan)
    return found


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


def _members_by_year(reader: Reader) -> dict[str, list[str]]:
    """The sites of each year in the newest publication that showed it; all of them can still be downloaded."""
    members: dict[str, list[str]] = {}
    for number in sorted(reader.publication_numbers()):
        published = reader.publication(number)
        members |= published.members if published else {}
    return members


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
        members={str(part.year): part.member_ids for part in made.parts if part.shows_something},
        created_at=publication.created_at,
    )


def _year_part(
    reader: Reader, plans: Sequence[Plan], before: Collection[str], rules: GateRules, today: date
) -> YearPart:
    """All plans of a year use the same sites, so that no two of its figures differ by a site.

    These are the sites that completed every plan, as far as they may join those of the publication before. A plan
    that finished later and lacks one of those is left out.
    """
    complete = {plan: complete_years(reader, plan) for plan in plans}
    everywhere = set.intersection(*({year.site.site_id for year in years} for years in complete.values()))
    candidates = [y for y in complete[plans[0]] if y.site.site_id in everywhere or y.site.site_id in before]
    chosen = admitted([y.site for y in candidates], before, rules.min_difference)
    used = {plan: [y for y in years if y.site.site_id in chosen] for plan, years in complete.items()}
    whole = [plan for plan in plans if len(used[plan]) == len(chosen)]
    return YearPart(
        year=plans[0].year,
        plans=tuple(current_plan(plan) for plan in whole),
        members=tuple(used[plans[0]]),
        rows=tuple(row for plan in whole for row in _rows(plan, used[plan], rules, today)),
        waiting=tuple(sorted({y.site.site_id for y in candidates} - chosen)),
        left_out=tuple(plan.plan_id for plan in plans if plan not in whole),
    )


def _rows(plan: Plan, years: Sequence[SiteYear], rules: GateRules, today: date) -> list[BenchmarkRow]:
    catalogue, _ = current_catalogue()
    message = current_plan(plan)
    figures = [site_figures(year, message) for year in years]
    if plan.purpose is Purpose.BENCHMARK:
        whole_year = periods_of(plan.year, Grain.YEAR)[0]
        measures = selection.answered(catalogue, {request.tally for request in message.tallies})
        return benchmark_rows(catalogue, measures, whole_year, figures, today, rules)
    rows: list[BenchmarkRow] = []
    for request in message.tallies:
        able = {site.site_id for site in figures if declares_exposures(catalogue, request.tally, site)}
        answered = [year for year in years if request.tally in year.tallies and year.site.site_id in able]
        members = {year.site.site_id for year in answered}
        contributors = [site for site in figures if site.site_id in members]
        points = trend_points(answered, message, request.tally)
        rows += trend_rows(catalogue, request.tally, points, contributors, today, rules)
    return rows


def _guarantee(parts: Sequence[YearPart], catalogue: Catalogue) -> tuple[str, ...]:
    """The sentences for the ledger year that cost the most: the plans of one year add up."""
    by_year = [[charged(plan, catalogue) for plan in part.plans] for part in parts]
    clinician, record = (max(sum(c[unit] for c in costs) for costs in by_year) for unit in ("clinician", "record"))
    said = sentences(clinician, record)
    without_keys = {m.site.site_id for part in parts for m in part.members if m.protects_encounters()}
    if without_keys:
        said.append(
            f"At {len(without_keys)} of the sites the records name no person, so there the noise protects each "
            "support encounter or case, and not all that belongs to one clinician."
        )
    return tuple(said)
