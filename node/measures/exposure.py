"""Exposures: the public facts that a site declares about itself, per month, rounded to 10."""

from __future__ import annotations

import pandas as pd

from node.measures.joins import Column, Tables
from protocols.plan import EXPOSURE_STEP, HEADCOUNT_BY_ROLE, ROLE_GROUPS

EXPOSURES = {"headcount": "staffing_period", "fte": "staffing_period", "patient_days": "activity_period"}


def monthly_exposures(tables: Tables, year: int, quarter: int) -> dict[str, tuple[int, int, int]]:
    """Each exposure for the three months of a quarter; months that the site did not declare are 0.

    They are those of EXPOSURES, and the headcount of every role group (`headcount_<role_group>`).
    """
    months = [pd.Timestamp(year, month, 1) for month in range(3 * quarter - 2, 3 * quarter + 1)]
    declared: dict[str, tuple[int, int, int]] = {}
    for name, table in EXPOSURES.items():
        declared[name] = _of_months(tables[table].groupby("period")[name].sum(), months)
    staffing = tables["staffing_period"]
    for name, role in zip(HEADCOUNT_BY_ROLE, ROLE_GROUPS, strict=True):
        of_role = staffing[staffing["role_group"].eq(role)]
        declared[name] = _of_months(of_role.groupby("period")["headcount"].sum(), months)
    return declared


def _of_months(totals: Column, months: list[pd.Timestamp]) -> tuple[int, int, int]:
    first, second, third = (_rounded(float(totals.get(month, 0.0))) for month in months)
    return first, second, third


def _rounded(value: float) -> int:
    return round(value / EXPOSURE_STEP) * EXPOSURE_STEP
