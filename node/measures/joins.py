"""What the views share: yes/no columns, row keys, and the type of a row's unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import pandas as pd

Frame: TypeAlias = pd.DataFrame
Column: TypeAlias = "pd.Series[Any]"
Tables: TypeAlias = Mapping[str, Frame]


def yes_no(condition: Column) -> Column:
    """Say "yes" where a condition holds, and "no" where it does not or nothing is known."""
    return condition.astype("boolean").fillna(False).astype(bool).map({True: "yes", False: "no"}).astype(object)


def answer(flag: Column) -> Column:
    """Say "yes" or "no", or None where nothing is known."""
    return yes_no(flag).where(flag.notna(), None)


def row_key(frame: Frame, *columns: str) -> Column:
    """The stable identity of each row: its key columns, joined by bars."""
    parts = [frame[column].astype(object).where(frame[column].notna(), "").astype(str) for column in columns]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + "|" + part
    return joined.astype(object)


def unit_type(frame: Frame, tables: Tables) -> Column:
    """The type of each row's unit, or nothing."""
    units = tables["unit"].drop_duplicates("unit_key").set_index("unit_key")["unit_type"]
    return frame["unit_key"].map(units).astype(object)


def year_end(days: Column) -> Column:
    """31 December of each day's year."""
    years = days.dt.year.astype("Int64").astype("str")
    return pd.Series(pd.to_datetime((years + "-12-31").where(days.notna())), index=days.index).astype(days.dtype)
