"""Time inside a synthetic site: whole minutes counted from the first day of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

DAY = 1440
WARM_UP_MONTHS = 12


@dataclass(frozen=True)
class Clock:
    """The months of data: twelve of warm-up, so that a year's follow-up is in steady state, then whole years."""

    month_starts: pd.DatetimeIndex

    @classmethod
    def of_years(cls, first_year: int, years: int) -> Clock:
        """The warm-up year and `years` calendar years from `first_year`."""
        months = WARM_UP_MONTHS + 12 * years
        return cls(pd.date_range(f"{first_year - 1}-01-01", periods=months, freq="MS"))

    @property
    def n_months(self) -> int:
        """Months of data."""
        return len(self.month_starts)

    @property
    def days_in_month(self) -> np.ndarray:
        """Days of each month."""
        return np.asarray(self.month_starts.days_in_month)

    @property
    def end(self) -> int:
        """The first minute after the data: nothing recorded then or later is known."""
        return int(self.days_in_month.sum()) * DAY

    @property
    def month_bounds(self) -> np.ndarray:
        """First minute of each month, and `end`."""
        return np.concatenate([[0], np.cumsum(self.days_in_month)]) * DAY

    def month_of(self, minute: np.ndarray) -> np.ndarray:
        """Number of the month, from 0, in which a minute falls."""
        return np.searchsorted(self.month_bounds, minute, side="right") - 1

    def timestamps(self, minute: Any) -> pd.Series[Any]:
        """Timestamps of minutes; a missing minute, or one at or after `end`, is NaT."""
        series = pd.Series(minute, dtype="float64")
        known = series.where(series < self.end)
        return pd.Series(self.month_starts[0] + pd.to_timedelta(known, unit="min").dt.round("min"))

    def dates(self, minute: Any) -> pd.Series[Any]:
        """As `timestamps`, at midnight."""
        return pd.Series(self.timestamps(minute).dt.normalize())


def off_midnight(minute: np.ndarray) -> np.ndarray:
    """`minute`, a minute later where the clock shows 00:00, which in exports means that nobody wrote down the time."""
    return np.where(minute % DAY == 0, minute + 1, minute)


def exact_share(n_rows: int, share: float, rng: np.random.Generator) -> np.ndarray:
    """A mask over rows with ceil(share x rows) true: shares near a rule's threshold then do not depend on luck."""
    mask = np.zeros(n_rows, dtype=bool)
    mask[rng.permutation(n_rows)[: int(np.ceil(share * n_rows))]] = True
    return mask
