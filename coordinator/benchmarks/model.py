"""What benchmarks are computed from and what they become. Percentages are 0-100, intervals at 95 %."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from protocols.periods import Period


@dataclass(frozen=True)
class SiteTally:
    """One site's noisy counts: `values`, one per cell in the catalogue's order, signed.

    `variance` is the noise variance sigma^2 of each value; the noise is independent between cells.
    """

    values: NDArray[np.int64]
    variance: float


@dataclass(frozen=True)
class SiteFigures:
    """One site in one period: its public attributes, its tallies by id and its public exposures.

    Exposures are headcount, fte, staff_years and patient_days. A tally that the policy withholds is absent.
    """

    site_id: str
    attributes: Mapping[str, str]
    tallies: Mapping[str, SiteTally]
    exposures: Mapping[str, float]


@dataclass(frozen=True)
class TrendPoint:
    """The count of a whole tally in one month or quarter, summed over sites, with its noise variance.

    `exposures` are the sums over the same `n_sites` sites.
    """

    period: Period
    value: float
    variance: float
    exposures: Mapping[str, float]
    n_sites: int
