"""Columns of dates and clock times: which order they are in, and their values. Every distinct text is parsed once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from node.tables.clocks import parse_clock, split_stamp
from node.tables.dates import SENTINELS, Day, Order, date_evidence, has_open_order, parse_day, parse_month
from node.tables.distinct import distinct_texts

NO_CLOCK = -1
_NO_DAY = np.datetime64("NaT", "D")

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Evidence:
    """Distinct texts that prove day first, that prove month first, and that fit both."""

    day_first: int = 0
    month_first: int = 0
    undecided: int = 0

    def __add__(self, other: Evidence) -> Evidence:
        return Evidence(
            self.day_first + other.day_first,
            self.month_first + other.month_first,
            self.undecided + other.undecided,
        )

    @property
    def mixed(self) -> bool:
        """Whether both orders occur."""
        return min(self.day_first, self.month_first) > 0

    @property
    def order(self) -> Order | None:
        """The order that most texts prove; None if none does."""
        if self.day_first == self.month_first:
            return None
        return "day_first" if self.day_first > self.month_first else "month_first"


def find_evidence(text: pd.Series[str]) -> Evidence:
    """Count the proofs in a column; `text` may hold clock times and missing values."""
    days = {split_stamp(value)[0] for value in distinct_texts(text)[1]}
    proofs = [date_evidence(day) for day in days]
    undecided = sum(has_open_order(day) for day in days)
    return Evidence(proofs.count("day_first"), proofs.count("month_first"), undecided)


@dataclass(frozen=True)
class Stamps:
    """A column of dates as read: `days` (datetime64[D], NaT), `clock_s` (seconds, or NO_CLOCK), and how it was read."""

    days: NDArray[np.datetime64]
    clock_s: NDArray[np.int64]
    unreadable: Mask
    sentinel: Mask
    swapped: Mask
    serial: Mask
    two_digit_year: Mask


def read_stamps(text: pd.Series[str], order: Order, months: bool = False) -> Stamps:
    """Read a text column (missing allowed) as dates with optional clock times, or as months."""
    codes, distinct = distinct_texts(text)
    parsed = _parse_distinct(distinct, order, months)
    days = [day for day, _ in parsed]
    sentinel = _spread(codes, [day is not None and day.value in SENTINELS for day in days])
    values = np.array([_NO_DAY if d is None or d.value in SENTINELS else d.value for d in days], "datetime64[D]")
    clock_s = np.array([clock for _, clock in parsed], dtype=np.int64)
    return Stamps(
        days=_spread_values(codes, values, _NO_DAY),
        clock_s=np.where(sentinel, NO_CLOCK, _spread_values(codes, clock_s, np.int64(NO_CLOCK))),
        unreadable=_spread(codes, [day is None for day in days]),
        sentinel=sentinel,
        swapped=_spread(codes, [day is not None and day.swapped for day in days]),
        serial=_spread(codes, [day is not None and day.serial for day in days]),
        two_digit_year=_spread(codes, [day is not None and day.two_digit_year for day in days]),
    )


def read_clocks(text: pd.Series[str]) -> tuple[NDArray[np.int64], Mask]:
    """Seconds since midnight of a text column (NO_CLOCK where missing or unreadable), and which were unreadable."""
    codes, distinct = distinct_texts(text)
    parsed = [parse_clock(value) for value in distinct]
    seconds = np.array([NO_CLOCK if clock is None else clock for clock in parsed], dtype=np.int64)
    unreadable = _spread(codes, [clock is None for clock in parsed])
    return _spread_values(codes, seconds, np.int64(NO_CLOCK)), unreadable


def _parse_distinct(texts: Iterable[str], order: Order, months: bool) -> list[tuple[Day | None, int]]:
    """The day and clock of each text; a day and a clock time that occur again are not parsed again."""
    parse = parse_month if months else parse_day
    day_of = cache(lambda text: parse(text, order))
    clock_of = cache(parse_clock)
    parsed = []
    for text in texts:
        day_text, clock_text = split_stamp(text)
        clock = clock_of(clock_text) if clock_text else None
        parsed.append((day_of(day_text), NO_CLOCK if clock is None else clock))
    return parsed


def _spread(codes: NDArray[np.intp], distinct: list[bool]) -> Mask:
    return np.asarray(_spread_values(codes, np.array(distinct, dtype=bool), np.False_), dtype=bool)


def _spread_values(codes: NDArray[np.intp], distinct: NDArray[np.generic], missing: object) -> NDArray:  # type: ignore[type-arg]
    """Values of the distinct texts on all rows; a missing row has the code -1, which picks the appended last."""
    return np.append(distinct, np.array([missing], dtype=distinct.dtype))[codes]
