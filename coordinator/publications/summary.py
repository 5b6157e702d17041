"""What a publication shows and what it holds back, and why: the text of `publish` and `publish --dry-run`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from coordinator.publications.build import Draft, YearPart
from protocols.operator.console import table
from protocols.publication.document import Publication
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Status


def reasons(rules: GateRules) -> dict[Status, str]:
    """Why a row is held back, with the thresholds in force."""
    return {
        Status.TOO_FEW_SITES: f"fewer than {rules.min_sites} sites contribute",
        Status.DOMINATED: f"one site has more than {rules.max_share:.0%} of the exposure",
        Status.TOO_RECENT: f"the period ended less than {rules.embargo_days} days ago",
        Status.TOO_FEW_EXPECTED: "the counts are too small against the noise",
        Status.DIFFERENCING: f"the group differs from another by fewer than {rules.min_difference} sites",
        Status.NOT_RUN: "no site answered for it",
    }


def status_counts(rows: Sequence[BenchmarkRow]) -> dict[str, int]:
    """Number of rows by status."""
    return {status.value: count for status, count in Counter(row.status for row in rows).items()}


def summary_text(publication: Publication) -> str:
    """Counts by status with reasons."""
    why = reasons(publication.gate)
    counts = Counter(row.status for row in publication.rows)
    held = [f"  held back: {counts[status]} because {why[status]}" for status in why if counts[status]]
    return "\n".join([f"{counts[Status.OK]} figures from {publication.sites} sites are shown", *held])


def dry_run_text(made: Draft) -> str:
    """Every figure that would appear, every one held back with its reason, and the sites that wait."""
    why = reasons(made.publication.gate)
    heads = ("measure", "period", "group", "stratum", "sites", "value", "95 % interval", "status")
    rows = [_line(row, why) for row in made.publication.rows]
    lines = [summary_text(made.publication), *filter(None, map(_waiting, made.parts)), "", table(heads, rows)]
    return "\n".join([*lines, "", *made.publication.guarantee])


def _waiting(part: YearPart) -> str:
    notes = []
    if part.waiting:
        notes.append(
            f"  waiting: {', '.join(part.waiting)} answered {part.year} after it was published; late sites of one "
            "size group join together, so that no difference shows one of them"
        )
    if part.left_out:
        notes.append(f"  left out: {', '.join(part.left_out)} lacks a site that the year's other figures hold")
    return "\n".join(notes)


def _line(row: BenchmarkRow, why: dict[Status, str]) -> tuple[str, ...]:
    place = (row.measure, _period(row), row.peer_group, row.stratum, str(row.n_sites))
    if row.status is not Status.OK:
        return (*place, "-", "-", f"{row.status.value}: {why[row.status]}")
    return (*place, f"{row.value:g} {row.unit}", f"{row.lower:g} to {row.upper:g}", row.status.value)


def _period(row: BenchmarkRow) -> str:
    start = row.period_start
    if row.grain == "year":
        return f"{start.year}"
    return f"{start.year}-Q{(start.month + 2) // 3}" if row.grain == "quarter" else f"{start:%Y-%m}"
