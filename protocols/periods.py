"""Ledger years, their quarters and months. A ledger year is a calendar year; names: 2025, 2025-Q1, 2025-01."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Grain(StrEnum):
    """How long a period is."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """Number of months in one period."""
        return {"month": 1, "quarter": 3, "year": 12}[self.value]


@dataclass(frozen=True, order=True)
class Period:
    """A closed interval of whole months: `first_month` is 1..12, counted from January of `year`."""

    year: int
    first_month: int
    grain: Grain

    @property
    def start(self) -> date:
        """First day."""
        return date(self.year, self.first_month, 1)

    @property
    def last_month(self) -> int:
        """Number of the last month, 1..12."""
        return self.first_month + self.grain.months - 1

    @property
    def end(self) -> date:
        """Last day."""
        following = date(self.year + self.last_month // 12, self.last_month % 12 + 1, 1)
        return following - timedelta(days=1)

    @property
    def quarter(self) -> int:
        """The quarter, 1..4, with whose slice this period is released: the one in which it closes."""
        return (self.last_month - 1) // 3 + 1

    @property
    def name(self) -> str:
        """2025, 2025-Q1 or 2025-01."""
        if self.grain is Grain.YEAR:
            return f"{self.year}"
        if self.grain is Grain.QUARTER:
            return f"{self.year}-Q{self.quarter}"
        return f"{self.year}-{self.first_month:02d}"


def periods_of(year: int, grain: Grain) -> tuple[Period, ...]:
    """All periods of `grain` in a ledger year, in order."""
    return tuple(Period(year, month, grain) for month in range(1, 13, grain.months))
