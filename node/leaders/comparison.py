"""Where the hospital's own exact figure stands beside what was published: what can be said, and what cannot."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from node.leaders.coverage import Coverage
from node.leaders.figures import Own
from protocols.publication.rows import BenchmarkRow


class Standing(StrEnum):
    """The own figure beside the pooled one."""

    HIGHER = "higher"
    LOWER = "lower"
    CANNOT_TELL = "cannot tell"
    NOT_TESTED = "not tested"
    NO_OWN = "no own figure"
    NO_BENCHMARK = "no benchmark"


class Place(StrEnum):
    """The own figure beside the middle half of the sites."""

    BELOW = "below"
    INSIDE = "inside"
    ABOVE = "above"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Comparison:
    """`difference` is own minus pooled with its 95 % limits, in the measure's unit; None where it cannot be given."""

    standing: Standing
    place: Place
    difference: tuple[float, float, float] | None


def compare(own: Own | None, row: BenchmarkRow | None) -> Comparison:
    """Higher or lower only if the 95 % interval of the difference leaves out zero.

    The interval joins what chance does to the own figure with the published interval, which holds chance and privacy
    noise (MOVER; Zou and Donner 2008, Statistics in Medicine 27:1693). The pooled figure holds this hospital too, which
    pulls the two together, so the interval is somewhat too wide: it errs towards "cannot tell".
    """
    if own is None or own.value is None or own.covered is not Coverage.WHOLE:
        return Comparison(Standing.NO_OWN, Place.UNKNOWN, None)
    if row is None or row.value is None:
        return Comparison(Standing.NO_BENCHMARK, Place.UNKNOWN, None)
    place = _place(own.value, row)
    if own.lower is None or own.upper is None or row.lower is None or row.upper is None:
        return Comparison(Standing.NOT_TESTED, place, None)
    difference = own.value - row.value
    low = difference - math.hypot(own.value - own.lower, row.upper - row.value)
    high = difference + math.hypot(own.upper - own.value, row.value - row.lower)
    standing = Standing.HIGHER if low > 0 else Standing.LOWER if high < 0 else Standing.CANNOT_TELL
    return Comparison(standing, place, (difference, low, high))


def _place(value: float, row: BenchmarkRow) -> Place:
    levels = {percentile.level: percentile.value for percentile in row.percentiles}
    if not {25, 75} <= levels.keys():
        return Place.UNKNOWN
    if value < levels[25]:
        return Place.BELOW
    return Place.ABOVE if value > levels[75] else Place.INSIDE
