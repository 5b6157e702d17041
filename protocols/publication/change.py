"""Whether two published figures differ, judged from their intervals alone."""

from __future__ import annotations

import math
from enum import StrEnum

from protocols.publication.rows import BenchmarkRow


class Change(StrEnum):
    """What can be said about a figure beside that of the year before."""

    HIGHER = "higher"
    LOWER = "lower"
    CANNOT_TELL = "cannot tell"
    NO_COMPARISON = "no earlier figure"


def change(now: BenchmarkRow, before: BenchmarkRow | None) -> Change:
    """Higher or lower only if a 95 % interval of the difference leaves out zero.

    The interval of the difference is recovered from the two intervals (MOVER; Zou and Donner 2008, Statistics in
    Medicine 27:1693), which need not be symmetric. The noise of two years is drawn independently.
    """
    if before is None:
        return Change.NO_COMPARISON
    limits = difference_limits(now, before)
    if limits is None:
        return Change.NO_COMPARISON
    low, high = limits
    if low > 0:
        return Change.HIGHER
    return Change.LOWER if high < 0 else Change.CANNOT_TELL


def difference_limits(now: BenchmarkRow, before: BenchmarkRow) -> tuple[float, float] | None:
    """95 % limits of `now - before` in the measure's unit; None if either row lacks a figure or an interval."""
    if now.value is None or now.lower is None or now.upper is None:
        return None
    if before.value is None or before.lower is None or before.upper is None:
        return None
    difference = now.value - before.value
    down = math.hypot(now.value - now.lower, before.upper - before.value)
    up = math.hypot(now.upper - now.value, before.value - before.lower)
    return difference - down, difference + up
