"""The files of a publication: the signed document, and its rows as CSV and Parquet with the same columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from coordinator.store.schema import Publication as Stored
from protocols.publication.document import signature_line
from protocols.publication.rows import BenchmarkRow

DOCUMENT, SIGNATURE = "publication.json", "publication.sig"
CSV, PARQUET = "benchmarks.csv", "benchmarks.parquet"

_TEXT, _DATE, _WHOLE, _NUMBER = pa.string(), pa.date32(), pa.int64(), pa.float64()
_FIELDS: list[pa.Field[Any]] = [
    pa.field("measure", _TEXT),
    pa.field("period_start", _DATE),
    pa.field("period_end", _DATE),
    pa.field("peer_group", _TEXT),
    pa.field("stratum", _TEXT),
    pa.field("n_sites", _WHOLE),
    pa.field("value", _NUMBER),
    pa.field("lower", _NUMBER),
    pa.field("upper", _NUMBER),
    pa.field("noise_sd", _NUMBER),
    pa.field("unit", _TEXT),
    pa.field("status", _TEXT),
]
COLUMNS = pa.schema(_FIELDS)


def _cells(row: BenchmarkRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in COLUMNS.names} | {"status": row.status.value}


def rows_as_csv(rows: tuple[BenchmarkRow, ...]) -> bytes:
    """UTF-8 with a head line; a figure that is held back is an empty field beside its status."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS.names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(_cells, rows))
    return text.getvalue().encode()


def rows_as_parquet(rows: tuple[BenchmarkRow, ...]) -> bytes:
    """The same columns, with nulls where a figure is held back."""
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([_cells(row) for row in rows], schema=COLUMNS), sink)
    return sink.getvalue().to_pybytes()


def files_of(stored: Stored) -> Mapping[str, bytes]:
    """The bytes of every file, by name, as they were made when the publication was."""
    return {
        DOCUMENT: stored.document,
        SIGNATURE: signature_line(stored.signature, stored.key_id).encode(),
        CSV: stored.csv,
        PARQUET: stored.parquet,
    }


def write_files(stored: Stored, folder: Path) -> None:
    """Write the files into `folder`; each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files_of(stored).items():
        partial = folder / f".{name}.partial"
        partial.write_bytes(content)
        partial.replace(folder / name)
