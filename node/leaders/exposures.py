"""What rates are divided by, exactly as the site's own tables hold it. What leaves is rounded; this stays."""

from __future__ import annotations

import pandas as pd

from node.measures.joins import Tables
from privacy.strategy import MONTHS
from protocols.periods import Period

_TABLES = {"headcount": "staffing_period", "fte": "staffing_period", "patient_days": "activity_period"}


def exposure(tables: Tables, name: str, period: Period, role: str | None = None) -> float | None:
    """Headcount and fte: mean over the months that the site declared; patient_days: their sum; staff_years: mean fte
    times the share of a year. None if no month of the period was declared. `role` narrows to one role group.
    """
    source = "fte" if name == "staff_years" else name
    monthly = _monthly(tables[_TABLES[source]], source, period, role)
    if monthly.empty:
        return None
    if name == "patient_days":
        return float(monthly.sum())
    share = (period.last_month - period.first_month + 1) / MONTHS if name == "staff_years" else 1.0
    return float(monthly.mean()) * share


def _monthly(table: pd.DataFrame, column: str, period: Period, role: str | None) -> pd.Series[float]:
    inside = table["period"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))
    rows = table[inside if role is None else inside & (table["role_group"] == role)]
    totals: pd.Series[float] = rows.groupby("period")[column].sum()
    return totals[totals > 0]
