"""Rules that look across the rows of a table: versions of one row, and months of staffing."""

from __future__ import annotations

import pandas as pd

from node.tables.draft import Draft
from node.tables.drafting import TITLE_COLUMN

CARRY_MONTHS = 3
_STAFFING_LINE = ["role_group", "unit_key", TITLE_COLUMN]
_CARRIED = ("headcount", "fte")
_PERIOD_TABLES = ("staffing_period", "activity_period")


def keep_last_versions(draft: Draft) -> None:
    """Of rows with one identity keep that modified last, else the last in order; missing keys count as equal."""
    identity = list(draft.table.identity)
    if TITLE_COLUMN in draft.frame:
        identity.append(TITLE_COLUMN)
    rows = draft.frame[draft.stays]
    if "modified_date" in rows:
        rows = rows.sort_values("modified_date", kind="stable", na_position="first")
    older = rows.index[rows.duplicated(identity, keep="last")]
    if draft.table.name in _PERIOD_TABLES:
        _remark_conflicts(draft, rows, identity)
    draft.apply("older_version", draft.frame.index.isin(older))


def _remark_conflicts(draft: Draft, rows: pd.DataFrame, identity: list[str]) -> None:
    distinct = rows.drop_duplicates()
    if distinct.duplicated(identity).any():
        draft.remark("conflicting_versions", "", f"same {', '.join(draft.table.identity)}, other figures")


def carry_missing_figures(draft: Draft) -> None:
    """A missing headcount or FTE is that of the row's line (role, unit, title) in the months before."""
    if draft.table.name != "staffing_period":
        return
    rows = draft.frame[draft.stays].sort_values("period", kind="stable")
    for column in _CARRIED:
        carried = rows.groupby(_STAFFING_LINE, dropna=False)[column].ffill(limit=CARRY_MONTHS)
        filled = rows.index[rows[column].isna() & carried.notna()]
        draft.apply("carried_value", draft.frame.index.isin(filled), column)
        draft.frame.loc[filled, column] = carried[filled]


def sum_titles(draft: Draft) -> pd.DataFrame:
    """The rows that stay; titles of one role group, month and unit added up, and missing months filled."""
    if draft.table.name != "staffing_period":
        return draft.kept()
    identity = list(draft.table.identity)
    several = draft.frame[draft.stays].duplicated(identity, keep=False)
    draft.apply("summed", draft.frame.index.isin(several.index[several]))
    rows = draft.kept().drop(columns=TITLE_COLUMN)
    figures = [column.name for column in draft.table.columns if column.name not in identity]
    summed = rows.groupby(identity, dropna=False, as_index=False, sort=False)[figures].sum(min_count=1)
    return _fill_months(draft, summed.astype(rows.dtypes.to_dict()))


def _fill_months(draft: Draft, staffing: pd.DataFrame) -> pd.DataFrame:
    """Add the months that a role in a unit lacks between its first and last one, at most three in a row."""
    lines = [_filled_line(line) for _, line in staffing.groupby(["role_group", "unit_key"], dropna=False, sort=False)]
    if not lines:
        return staffing
    filled = pd.concat(lines, ignore_index=True).astype(staffing.dtypes.to_dict())
    if len(filled) > len(staffing):
        draft.remark("carried_month", "period", f"{len(filled) - len(staffing)} rows added")
    return filled


def _filled_line(line: pd.DataFrame) -> pd.DataFrame:
    line = line.sort_values("period").set_index("period", drop=False)
    months = pd.date_range(line.index[0], line.index[-1], freq="MS", unit="us")
    if len(months) == len(line):
        return line
    filled = line.reindex(months, method="ffill", limit=CARRY_MONTHS)
    filled["period"] = months
    return filled[filled["role_group"].notna()]
