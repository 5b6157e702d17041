"""Parquet as a table of text: typed values are written out without loss and read again by the same rules as CSV."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from node.sources.layout import missing_from, no_columns, refuse_repeated
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted, header_name

MAGIC = b"PAR1"


def read_parquet(content: bytes, wanted: Wanted, file: str) -> TextTable:
    """Read the wanted columns of a Parquet file; row numbers count data rows from 1."""
    try:
        source = pq.ParquetFile(io.BytesIO(content))
    except (pa.ArrowInvalid, OSError) as error:
        raise FileRefused(file, "the Parquet file is damaged", "export it again") from error
    stored = {header_name(name): name for name in source.schema_arrow.names}
    names = [header_name(name) for name in source.schema_arrow.names]
    missing = missing_from(names, wanted.needed)
    if missing:
        raise no_columns(source.schema_arrow.names, missing, file)
    refuse_repeated(names, wanted, file)
    present = {column: stored[header_name(column)] for column in wanted.all if header_name(column) in stored}
    data = source.read(columns=list(dict.fromkeys(present.values())))
    cells = pd.DataFrame(
        {column: _text(data.column(name), name, file) for column, name in present.items()},
        index=pd.RangeIndex(data.num_rows),
    )
    return _without_blank_rows(cells, tuple(c for c in wanted.all if c not in present), file)


def _text(values: pa.ChunkedArray[Any], name: str, file: str) -> pd.Series[str]:
    kind = values.type
    plain = kind.value_type if isinstance(kind, pa.DictionaryType) else kind
    try:
        text = values.cast(plain).cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise FileRefused(
            file, f"column '{name}' is of type {kind}, which has no plain text", "export the column as text"
        ) from error
    return pd.Series(text.to_pandas(), dtype="str").fillna("").str.strip()


def _without_blank_rows(cells: pd.DataFrame, absent: tuple[str, ...], file: str) -> TextTable:
    filled = np.any((cells != "").to_numpy(dtype=np.bool_), axis=1)
    numbers = np.arange(1, len(cells) + 1, dtype=np.int64)
    blank = tuple(int(number) for number in numbers[np.logical_not(filled)])
    return TextTable(
        file=file,
        cells=cells.iloc[np.flatnonzero(filled)].reset_index(drop=True),
        numbers=numbers[filled],
        left={"blank_row": blank} if blank else {},
        absent=absent,
        encoding="parquet",
        delimiter="",
        header_row=0,
    )
