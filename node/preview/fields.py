"""An answer's bytes, field by field, each with its meaning for somebody who has never seen one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from protocols.catalogue.model import Catalogue
from protocols.catalogue.words import cell_words, unit_words
from protocols.plan import EXPOSURE_STEP, TOTAL, Label, labels
from protocols.refusals import EXPLANATIONS, Code
from protocols.statement import parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

_SIGMA_UNIT = 1024


@dataclass(frozen=True)
class PreviewField:
    """One field of the answer: where it stands, what it holds, and what that means."""

    path: str
    value: str
    meaning: str


def explain_answer(raw: bytes, plan: pb.Plan, catalogue: Catalogue) -> tuple[PreviewField, ...]:
    """Every field of an answer to `plan`, in the order of the bytes."""
    envelope = parse_envelope(raw)
    body = _release_fields if envelope.kind == "release" else _refusal_fields
    return (
        PreviewField("kind", envelope.kind, "what kind of statement this is; it is part of what is signed"),
        *body(envelope.body, plan, catalogue),
        PreviewField("key_id", envelope.key_id, "which key signed it: here one that was made for this preview"),
        PreviewField("signature", _short(envelope.signature), "64 bytes: nobody can change a bit of it on the way"),
    )


def _release_fields(body: bytes, plan: pb.Plan, catalogue: Catalogue) -> Iterator[PreviewField]:
    release = parse_canonical(body, pb.Release)
    yield PreviewField("body.release_id", release.release_id, "a name: digest of the plan, quarter, attempt")
    yield PreviewField("body.site_id", release.site_id, "the name under which the PSO knows you")
    yield PreviewField("body.plan_digest", _short(release.plan_digest), f"SHA-256 of the plan {plan.plan_id}")
    yield PreviewField("body.quarter", str(release.quarter), f"the quarter of {plan.year} that is asked for")
    for position, table in enumerate(release.tables):
        yield from _table_fields(f"body.tables[{position}]", table, plan, catalogue, release.quarter)
    for position, exposure in enumerate(release.exposures):
        yield _exposure_field(f"body.exposures[{position}]", exposure)
    for position, unit in enumerate(release.units):
        tally = catalogue.tally(unit.tally)
        meaning = f"the noise of “{tally.title}” protects {_unit_meaning(unit.unit, unit_words(tally))}"
        yield PreviewField(f"body.units[{position}]", f"{unit.tally}: {unit.unit}", meaning)
    head = "hash of the ledger's newest entry: it shows whether an old backup was restored, and nothing else"
    yield PreviewField("body.ledger_head", _short(release.ledger_head), head)
    yield PreviewField("body.ledger_length", str(release.ledger_length), "the number of that entry")
    yield PreviewField("body.sealed_at_s", str(release.sealed_at_s), "when it was sealed, in seconds since 1970, UTC")


def _refusal_fields(body: bytes, plan: pb.Plan, _catalogue: Catalogue) -> Iterator[PreviewField]:
    refusal = parse_canonical(body, pb.Refusal)
    yield PreviewField("body.request_id", refusal.request_id, "the request that is refused")
    yield PreviewField("body.site_id", refusal.site_id, "the name under which the PSO knows you")
    yield PreviewField("body.plan_digest", _short(refusal.plan_digest), f"SHA-256 of the plan {plan.plan_id}")
    yield PreviewField("body.quarter", str(refusal.quarter), f"the quarter of {plan.year} that is asked for")
    yield PreviewField("body.code", refusal.code, EXPLANATIONS[Code(refusal.code)].why)
    yield PreviewField("body.detail", refusal.detail, "public facts about this case")


def _table_fields(
    path: str, table: pb.NoisyTable, plan: pb.Plan, catalogue: Catalogue, quarter: int
) -> Iterator[PreviewField]:
    tally = catalogue.tally(table.tally)
    request = next(request for request in plan.tallies if request.tally == table.tally)
    asked, noise = request.tables[table.table], f"{table.sigma_1024 / _SIGMA_UNIT:.1f}"
    yield PreviewField(f"{path}.tally", table.tally, f"“{tally.title}”; {_counts(len(table.values))}")
    yield PreviewField(f"{path}.table", str(table.table), "which of the tables that the plan asks for of this tally")
    for number, (value, label) in enumerate(zip(table.values, labels(tally, asked, plan.year, quarter), strict=True)):
        meaning = f"{_label_words(label, cell_words(tally, label.cell))}: a count plus noise of SD {noise}"
        yield PreviewField(f"{path}.values[{number}]", str(value), meaning)
    sigma = f"the noise's standard deviation in 1/{_SIGMA_UNIT}: {noise}"
    yield PreviewField(f"{path}.sigma_1024", str(table.sigma_1024), sigma)


def _label_words(label: Label, cell: str) -> str:
    split = [] if label.stratum_code == TOTAL else [label.stratum_code.replace("_", " ")]
    return ", ".join([label.period.name, *split, "all" if label.cell == TOTAL else cell])


def _exposure_field(path: str, exposure: pb.Exposure) -> PreviewField:
    meaning = (
        f"{exposure.name.replace('_', ' ')} in each month of the quarter: a public fact, rounded to {EXPOSURE_STEP}"
    )
    return PreviewField(path, f"{exposure.name}: {', '.join(map(str, exposure.months))}", meaning)


def _unit_meaning(unit: str, words: str) -> str:
    return "one encounter, because the exports hold no key per person" if unit == "encounter" else words


def _counts(number: int) -> str:
    return "one count follows" if number == 1 else f"{number} counts follow"


def _short(raw: bytes) -> str:
    return f"{raw.hex()[:16]}… ({len(raw)} bytes)"
