from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from protocols.periods import Grain, Period, periods_of


@pytest.mark.parametrize(
    ("period", "start", "end", "quarter", "name"),
    [
        (Period(2024, 1, Grain.YEAR), date(2024, 1, 1), date(2024, 12, 31), 4, "2024"),
        (Period(2024, 1, Grain.QUARTER), date(2024, 1, 1), date(2024, 3, 31), 1, "2024-Q1"),
        (Period(2023, 10, Grain.QUARTER), date(2023, 10, 1), date(2023, 12, 31), 4, "2023-Q4"),
        (Period(2024, 2, Grain.MONTH), date(2024, 2, 1), date(2024, 2, 29), 1, "2024-02"),
        (Period(2023, 2, Grain.MONTH), date(2023, 2, 1), date(2023, 2, 28), 1, "2023-02"),
        (Period(2024, 12, Grain.MONTH), date(2024, 12, 1), date(2024, 12, 31), 4, "2024-12"),
        (Period(2024, 4, Grain.MONTH), date(2024, 4, 1), date(2024, 4, 30), 2, "2024-04"),
    ],
)
def test_a_period_has_its_days_its_quarter_and_its_name(
    period: Period, start: date, end: date, quarter: int, name: str
) -> None:
    assert (period.start, period.end, period.quarter, period.name) == (start, end, quarter, name)


@pytest.mark.parametrize(("grain", "count"), [(Grain.MONTH, 12), (Grain.QUARTER, 4), (Grain.YEAR, 1)])
@pytest.mark.parametrize("year", [2023, 2024])
def test_the_periods_of_a_year_follow_each_other_without_gap_or_overlap(grain: Grain, count: int, year: int) -> None:
    periods = periods_of(year, grain)
    assert len(periods) == count
    assert (periods[0].start, periods[-1].end) == (date(year, 1, 1), date(year, 12, 31))
    assert all(a.end + timedelta(days=1) == b.start for a, b in pairwise(periods))
    assert list(periods) == sorted(periods)
    assert len({period.name for period in periods}) == count
