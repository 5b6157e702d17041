"""Parquet files: typed values as text without loss, and the same refusals as for text files."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from node.sources.reader import read_export
from node.sources.refused import FileRefused
from node.sources.table import Wanted


def write(path: Path, columns: dict[str, pa.Array[Any]]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_typed_values_become_text(tmp_path: Path) -> None:
    columns: dict[str, pa.Array[Any]] = {
        "Id": pa.array([123, None]),
        "Share": pa.array([0.1, None]),
        "Day": pa.array([dt.date(2024, 3, 12), None]),
        "Stamp": pa.array([dt.datetime(2024, 3, 12, 14, 30, 5), None]),  # noqa: DTZ001 - exports have no zone
        "Clock": pa.array([dt.time(9, 5), None]),
        "Yes": pa.array([True, None]),
        "Sum": pa.array([Decimal("1.20"), None]),
        "Word": pa.array([" a ", "b"]).dictionary_encode(),
        "Comment": pa.array(["secret", "secret"]),
    }
    names = tuple(name for name in columns if name != "Comment")
    table = read_export(write(tmp_path / "v.parquet", columns), Wanted(names, ("Gone",)))
    row = ["123", "0.1", "2024-03-12", "2024-03-12 14:30:05.000000", "09:05:00.000000", "true", "1.20", "a"]
    assert table.cells.iloc[0].tolist() == row
    assert table.cells.iloc[1].tolist() == [""] * 7 + ["b"]
    assert table.absent == ("Gone",)
    assert table.numbers.tolist() == [1, 2]


def test_blank_rows_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "v.parquet", {"Id": pa.array([1, None, 3])})
    table = read_export(path, Wanted(("Id",)))
    assert (table.numbers.tolist(), table.left) == ([1, 3], {"blank_row": (2,)})


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"Reference": pa.array([1])}, "no column 'Id'"),
        ({"IdNo": pa.array([1])}, "no column 'Id' .nearest found: 'IdNo'."),
        ({"Id": pa.array([1]), "ID ": pa.array([2])}, "more than once"),
        ({"Id": pa.array([[1, 2]])}, "has no plain text"),
    ],
)
def test_refusals(tmp_path: Path, columns: dict[str, pa.Array[Any]], reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        read_export(write(tmp_path / "v.parquet", columns), Wanted(("Id",)))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "v.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(FileRefused, match=r"v\.parquet: the Parquet file is damaged"):
        read_export(path, Wanted(("Id",)))
