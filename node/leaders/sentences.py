"""A hospital's own figure beside its peers in plain words: what is known, what is not, and never good or bad."""

from __future__ import annotations

from node.leaders.comparison import Comparison, Place, Standing
from node.leaders.figures import Own
from protocols.catalogue.model import Measure, Proportion, Quantile, Rate, ReachedBy
from protocols.look.drawings import figure_of
from protocols.look.numbers import figure
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Status
from protocols.publication.words import status_words

_PLACES = {
    Place.BELOW: "It lies below the middle half of the sites",
    Place.INSIDE: "It lies inside the middle half of the sites",
    Place.ABOVE: "It lies above the middle half of the sites",
}
_DIRECTIONS = {
    "higher_better": "For this measure higher is better.",
    "lower_better": "For this measure lower is better.",
    "neutral": "Neither direction is better by itself.",
}


def own_sentence(measure: Measure, own: Own | None, when: str) -> str:
    """`In 2025 your figure was 24.1 per 1,000 staff-years; it rests on 31 cases.`"""
    if own is None:
        return f"Your exports do not hold what this measure needs, so there is no figure of your own for {when}."
    if own.value is None:
        return f"In {when} your exports hold nothing to divide by, so there is no figure of your own."
    rests = f"; it rests on {own.cases:,} {'case' if own.cases == 1 else 'cases'}" if _rests_on_cases(measure) else ""
    return f"In {when} your figure was {own_words(own, measure.unit)}{rests}."


def _rests_on_cases(measure: Measure) -> bool:
    return isinstance(measure.formula, Rate | Proportion | Quantile | ReachedBy)


def own_words(own: Own, unit: str) -> str:
    """The value with its unit: one decimal, none from 100 on."""
    return "none" if own.value is None else f"{figure(own.value, None, None, unit).value} {unit}"


def peers_sentence(row: BenchmarkRow | None, gate: GateRules | None) -> str:
    """The published figure with its interval, or the rule that held it back."""
    if row is None or gate is None:
        return "Nothing is published for this measure in this period."
    if row.status is not Status.OK or row.value is None:
        return f"The peers' figure is not published. {status_words(row.status, gate).reason}"
    return f"All sites pooled: {figure_of(row).sentence}."


def held_back_label(row: BenchmarkRow | None, gate: GateRules | None) -> str:
    """Why there is no published figure, in two or three words."""
    return "Not published" if row is None or gate is None else status_words(row.status, gate).label


def standing_sentence(comparison: Comparison, row: BenchmarkRow | None) -> str:
    """Whether the two differ, by more than chance and privacy noise explain."""
    match comparison.standing:
        case Standing.HIGHER | Standing.LOWER:
            words = f"Yours is {comparison.standing.value}, by more than chance and privacy noise explain."
        case Standing.CANNOT_TELL if comparison.difference is None:
            words = "Whether the two differ by more than chance cannot be told for this measure."
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
