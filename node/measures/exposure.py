"""Exposures: the public facts that a site declares about itself, per month, rounded to 10."""

from __future__ import annotations

import pandas as pd

from node.measures.views import Tables
from protocols.plan import EXPOSURE_STEP

EXPOSURES = {"headcount": "staffing_period", "fte": "staffing_period", "patient_days": "activity_period"}


def monthly_exposures(tables: Tables, year: int, quarter: int) -> dict[str, tuple[int, int, int]]:
    """Each exposure for the three months of a quarter; months that the site did not declare are 0."""
    months = [pd.Timestamp(year, month, 1) for month in range(3 * quarter - 2, 3 * quarter + 1)]
    declared: dict[str, tuple[int, int, int]] = {}
    for name, table in EXPOSURES.items():
        totals = tables[table].groupby("period")[name].sum()
        first, second, third = (_rounded(float(totals.get(month, 0.0))) for month in months)
        declared[name] = (first, second, third)
    return declared


def _rounded(value: float) -> int:
    return round(value / EXPOSURE_STEP) * EXPOSURE_STEP
