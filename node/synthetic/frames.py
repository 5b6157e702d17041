"""Frames with the columns and dtypes that an import gives, built from arrays of clear values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import pandas_dtype

from node.tables.schema import TABLES, Column, Kind

KNOWN = "_time_known"
_DTYPES: dict[Kind, str] = {
    "key": "str",
    "code": "str",
    "plain": "str",
    "count": "Int64",
    "number": "float64",
    "flag": "boolean",
    "date": "datetime64[us]",
    "datetime": "datetime64[us]",
    "month": "datetime64[us]",
    "time": "timedelta64[us]",
}


def canonical(table: str, values: Mapping[str, Any]) -> pd.DataFrame:
    """A frame with every column of the canonical `table`, in order; what `values` leaves out is missing.

    A datetime's companion column is taken from `values`, else its clock times count as known.
    """
    n_rows = max((len(value) for value in values.values()), default=0)
    frame = pd.DataFrame(index=pd.RangeIndex(n_rows))
    for column in TABLES[table].columns:
        frame[column.name] = _series(column, values.get(column.name), n_rows)
        if column.kind == "datetime":
            known = values.get(column.name + KNOWN)
            present = frame[column.name].notna().to_numpy()
            frame[column.name + KNOWN] = present if known is None else present & np.asarray(known, dtype=bool)
    return frame


def _series(column: Column, value: Any, n_rows: int) -> pd.Series[Any]:
    dtype = _DTYPES[column.kind]
    if value is None:
        return pd.Series([None] * n_rows, dtype=dtype)
    return pd.Series(pd.Series(value).reset_index(drop=True).astype(pandas_dtype(dtype)))


def blank(values: Any, where: Any) -> pd.Series[Any]:
    """`values` with nothing where `where` is true."""
    return pd.Series(values).mask(np.asarray(where, dtype=bool))
