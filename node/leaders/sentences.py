"""A hospital's own figure beside its peers in plain words: what is known, what is not, and never good or bad."""

from __future__ import annotations

from node.leaders.comparison import Comparison, Place, Standing
from node.leaders.coverage import Coverage
from node.leaders.figures import Own
from protocols.catalogue.model import (
    Catalogue,
    DurationCells,
    Measure,
    Proportion,
    Quantile,
    Rate,
    ReachedBy,
    ShareOfNeed,
    WeightedRate,
)
from protocols.look.drawings import figure_of
from protocols.look.numbers import figure
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Status
from protocols.publication.words import peer_group_words, status_words

_PLACES = {
    Place.BELOW: "Your figure lies below the middle half of the sites",
    Place.INSIDE: "Your figure lies inside the middle half of the sites",
    Place.ABOVE: "Your figure lies above the middle half of the sites",
}
_DIRECTIONS = {
    "higher_better": "For this measure higher is better.",
    "lower_better": "For this measure lower is better.",
    "neutral": "Neither direction is better by itself.",
}
_GAPS = {
    Coverage.WHOLE: "In {when} your exports hold nothing to divide by, so there is no figure of your own.",
    Coverage.PART: "Your exports do not cover all of {when}; a figure of a part would mislead, so there is none yet.",
    Coverage.NOTHING: "Your exports hold no rows for {when} in a table that this measure needs, so there is no figure.",
}


def when_words(measure: Measure, year: int) -> str:
    """`2025`, or `2023 to 2025` for a measure that pools years."""
    first = year - measure.publish.years + 1
    return f"{year}" if first == year else f"{first} to {year}"


def own_sentence(catalogue: Catalogue, measure: Measure, own: Own | None, when: str) -> str:
    """`In 2025 your figure was 24.1 per 1,000 staff-years; it rests on 31 clinicians.`"""
    if own is None:
        return f"Your exports do not hold what this measure needs, so there is no figure of your own for {when}."
    if own.value is None:
        return _GAPS[own.covered].format(when=when)
    rests = f"; it rests on {own.cases:,} {_cases(catalogue, measure, own.cases)}" if _rests_on_cases(measure) else ""
    if isinstance(measure.formula, Quantile):
        told = f"In {when} {measure.formula.probability * 100:.0f} % of your cases were over within"
    else:
        told = f"In {when} your figure was"
    part = "" if own.covered is Coverage.WHOLE else " Your exports do not cover all of it, so nothing is compared."
    return f"{told} {own_words(own, measure.unit)}{rests}.{part}"


def _rests_on_cases(measure: Measure) -> bool:
    return isinstance(measure.formula, Rate | Proportion | Quantile | ReachedBy | ShareOfNeed)


def _cases(catalogue: Catalogue, measure: Measure, count: int) -> str:
    tally = catalogue.tally(measure.tallies[0])
    kinds = {"person_key": "clinician", "event_key": "event", "activation_key": "activation"}
    kind = kinds.get(tally.key, "case") if tally.cap == 1 else "case"
    return kind + ("" if count == 1 else "s")


def chance_sentence(measure: Measure, own: Own | None) -> str:
    """How far chance alone moves the own figure."""
    if own is None or own.value is None or own.lower is None or own.upper is None or own.lower == own.upper:
        return ""
    limits = figure(own.value, own.lower, own.upper, measure.unit)
    return f"Chance alone would move it between {limits.interval.replace(' to ', ' and ')} (95 %)."


def rules_sentence(catalogue: Catalogue, measure: Measure) -> str:
    """By which rules of the published figures the own one is counted, where a plain recount would differ."""
    told = []
    for tally in (catalogue.tally(tally_id) for tally_id in measure.tallies):
        if tally.cap > 1:
            told.append(f"at most {tally.cap} for one {'clinician' if tally.unit == 'clinician' else 'event'} and year")
        if isinstance(tally.cells, DurationCells) or isinstance(measure.formula, WeightedRate):
            told.append("times by the classes of the published figures")
    if isinstance(measure.formula, ShareOfNeed):
        need = [f"{share * 100:.0f}" for share in (measure.formula.need_central, measure.formula.need_low)]
        told.append(f"need taken as {need[0]} % of staff ({need[1]} to {measure.formula.need_high * 100:.0f} %)")
    return f"Counted by the rules of the published figures: {'; '.join(dict.fromkeys(told))}." if told else ""


def own_words(own: Own, unit: str) -> str:
    """The value with its unit: one decimal, none from 100 on; a percent sign stays on the line of its number."""
    if own.value is None:
        return "none"
    space = "\N{NO-BREAK SPACE}" if unit == "%" else " "
    return f"{figure(own.value, None, None, unit).value}{space}{unit}"


def peers_sentence(row: BenchmarkRow | None, gate: GateRules | None) -> str:
    """The published figure with its interval, or the rule that held it back."""
    if row is None or gate is None:
        return "Nothing is published for this measure in this period."
    if row.status is not Status.OK or row.value is None:
        return f"The peers' figure is not published. {status_words(row.status, gate).reason}"
    return f"{peer_group_words(row.peer_group)} pooled: {figure_of(row).sentence}."


def held_back_label(row: BenchmarkRow | None, gate: GateRules | None) -> str:
    """Why there is no published figure, in two or three words."""
    return "Not published" if row is None or gate is None else status_words(row.status, gate).label


def standing_sentence(comparison: Comparison, row: BenchmarkRow | None) -> str:
    """Whether the two differ, by more than chance and privacy noise explain."""
    match comparison.standing:
        case Standing.HIGHER | Standing.LOWER:
            words = f"Yours is {comparison.standing.value}, by more than chance and privacy noise explain."
        case Standing.NOT_TESTED:
            words = "Whether the two differ by more than chance is not tested for this measure."
        case Standing.CANNOT_TELL:
            words = "The difference may be chance or privacy noise: it cannot be told from none."
        case _:
            return ""
    return f"{words} {_place_sentence(comparison, row)}".strip()


def _place_sentence(comparison: Comparison, row: BenchmarkRow | None) -> str:
    if row is None or comparison.place is Place.UNKNOWN:
        return ""
    levels = {percentile.level: percentile.value for percentile in row.percentiles}
    middle = figure(levels[50], levels[25], levels[75], row.unit)
    return f"{_PLACES[comparison.place]} ({middle.interval})."


def direction_sentence(measure: Measure) -> str:
    """Which way is better, if any."""
    return _DIRECTIONS[measure.direction]
