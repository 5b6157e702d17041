"""Parquet as a table of text: typed values are written out without loss and read again by the same rules as CSV."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from node.sources.layout import missing_from, no_columns, refuse_repeated
from node.sources.refused import FileRefused
from node.sources.table import MAX_ROWS, TextTable, Wanted, header_name

MAGIC = b"PAR1"
MAX_COLUMN_BYTES = 256 * 2**20


def read_parquet(content: bytes, wanted: Wanted, file: str) -> TextTable:
    """Read the wanted columns of a Parquet file; row numbers count data rows from 1."""
    try:
        schema = pq.read_schema(io.BytesIO(content))
        texts = [
            field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
        ]
        # Texts stay in dictionaries at first: one long text repeated on every row takes hardly any room in a file.
        return _read(pq.ParquetFile(io.BytesIO(content), read_dictionary=texts), wanted, file)
    except (pa.ArrowException, OSError) as error:
        raise FileRefused(file, "the Parquet file is damaged", "export it again") from error


def _read(source: pq.ParquetFile, wanted: Wanted, file: str) -> TextTable:
    if source.metadata.num_rows > MAX_ROWS:
        raise FileRefused(file, f"it has more than {MAX_ROWS} rows", "export it by year")
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
    if isinstance(kind, pa.DictionaryType) and _unpacked_bytes(values) > MAX_COLUMN_BYTES:
        raise FileRefused(file, f"column '{name}' holds far more text than codes take", "map another column")
    try:
        text = values.cast(plain).cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise FileRefused(
            file, f"column '{name}' is of type {kind}, which has no plain text", "export the column as text"
        ) from error
    return pd.Series(text.to_pandas(), dtype="str").fillna("").str.strip()


def _unpacked_bytes(values: pa.ChunkedArray[Any]) -> int:
    """What the texts of a dictionary column take once they are written out on every row."""
    chunks: list[Any] = values.chunks
    lengths = [pc.binary_length(chunk.dictionary.cast(pa.large_string())).to_numpy() for chunk in chunks]
    used = [chunk.indices.drop_null().to_numpy() for chunk in chunks]
    return sum(int(length[rows].sum()) for length, rows in zip(lengths, used, strict=True))


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
