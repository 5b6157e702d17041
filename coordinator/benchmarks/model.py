"""What benchmarks are computed from and what they become. Percentages are 0-100, intervals at 95 %."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

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


class Status(StrEnum):
    """Whether a row is published, and if not, which rule of the gate held it back."""

    OK = "ok"
    TOO_FEW_SITES = "too_few_sites"
    DOMINATED = "dominated"
    TOO_RECENT = "too_recent"
    TOO_FEW_EXPECTED = "too_few_expected"
    DIFFERENCING = "differencing"
    NOT_RUN = "not_run"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Spread(_Frozen):
    """Between-site standard deviation in the measure's unit, with its Q-profile interval."""

    tau: float
    lower: float
    upper: float


class Percentile(_Frozen):
    """A percentile of the sites' underlying values (`level` 10, 25, 50, 75 or 90), with its interval."""

    level: int
    value: float
    lower: float
    upper: float


class BenchmarkRow(_Frozen):
    """One published figure; if the status is not ok its numbers are None and its percentiles empty.

    `noise_sd` is the standard deviation of `value` that privacy noise alone causes, in the measure's unit.
    `stratum` is "all", or the cell of a histogram.
    """

    measure: str
    grain: Literal["year", "quarter", "month"]
    period_start: date
    period_end: date
    peer_group: str
    stratum: str
    n_sites: int
    value: float | None
    lower: float | None
    upper: float | None
    noise_sd: float | None
    unit: str
    status: Status
    spread: Spread | None
    percentiles: tuple[Percentile, ...]
