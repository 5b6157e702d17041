"""The rows of a publication: one published figure each, or the rule that held it back.

Percentages are 0-100, intervals at 95 %.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict


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
