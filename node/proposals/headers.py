"""Which columns a file has, before any mapping names them: its header row is looked for."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from node.sources import workbook
from node.sources.archive import open_archive
from node.sources.decoding import decode
from node.sources.door import read_guarded
from node.sources.fhir import COLUMNS, looks_like_json
from node.sources.layout import DELIMITERS, HEADER_WITHIN_ROWS
from node.sources.parquet import MAGIC
from node.sources.records import physical_lines, records
from node.sources.refused import FileRefused
from node.tables.dates import parse_day

_NUMBER = re.compile(r"^[\d.,:/\s-]+$")
_HEADER_CHARS = 200
_SQLITE = b"SQLite format 3\0"
_NARROW = 0.6
_MOST_SHEETS = 30
_MOST_CELLS = 512


@dataclass(frozen=True)
class Head:
    """The column names of a file, or of a sheet of it (None where it has no sheets, or only one that counts)."""

    sheet: str | None
    columns: tuple[str, ...]


def read_heads(path: Path) -> tuple[Head, ...]:
    """The heads of an export: one, or one for every visible sheet with a table. FileRefused if there is none."""
    content = read_guarded(path)
    if content.startswith(_SQLITE):
        hint = 'map a view of it: database = { url_file = "...", view = "..." }, as docs/exports.md shows'
        raise FileRefused(path.name, "it is an SQLite database", hint)
    if content.startswith(workbook.MAGIC):
        heads = _of_workbook(content, path.name)
    elif content.startswith(workbook.OLD_MAGIC):
        workbook.refuse_old_workbook(content, path.name)
    elif content.startswith(MAGIC):
        heads = (Head(None, _of_parquet(content, path.name)),)
    elif looks_like_json(content):
        heads = (Head(None, tuple(COLUMNS)),)
    else:
        heads = (Head(None, _of_text(content, path.name)),)
    found = tuple(head for head in heads if head.columns)
    if not found:
        raise FileRefused(path.name, "no header row can be made out", "give every column a name in one row")
    return found


def _of_parquet(content: bytes, file: str) -> tuple[str, ...]:
    try:
        return tuple(pq.ParquetFile(io.BytesIO(content)).schema_arrow.names)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileRefused(file, "the Parquet file is damaged", "export it again") from error


def _of_text(content: bytes, file: str) -> tuple[str, ...]:
    lines = physical_lines(decode(content, file)[0])
    tops = (islice(records(lines, mark), HEADER_WITHIN_ROWS) for mark in DELIMITERS)
    return max((header_of(list(top)) for top in tops), key=len)


def _of_workbook(content: bytes, file: str) -> tuple[Head, ...]:
    open_archive(content, file)  # refuses archives that would fill the memory
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which do not matter for values
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"][:_MOST_SHEETS]
            tops = [(sheet.title, list(_first_rows(sheet))) for sheet in sheets]
    except Exception as error:  # a damaged workbook fails in as many ways as there are parts in it
        raise FileRefused(
            file, f"the workbook is damaged ({type(error).__name__})", "save it again in Excel"
        ) from error
    heads = tuple(Head(title, header_of(rows)) for title, rows in tops)
    return (Head(None, heads[0].columns),) if len(heads) == 1 else heads


def _first_rows(sheet: object) -> Iterable[list[str]]:
    sheet.reset_dimensions()  # type: ignore[attr-defined]  # what a sheet declares about its size is often wrong
    for row in sheet.iter_rows(max_row=HEADER_WITHIN_ROWS, max_col=_MOST_CELLS, values_only=True):  # type: ignore[attr-defined]
        yield ["" if cell is None else str(cell) for cell in row]


def header_of(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names in the first row that names most columns, all different and none a number or date; () if none does."""
    widest = max((_filled(row) for row in rows), default=0)
    for row in rows:
        names = [cell.strip() for cell in row if cell.strip()]
        if len(names) >= max(1, _NARROW * widest) and all(map(_is_name, names)) and len(set(names)) > 0.8 * len(names):
            return tuple(names)
    return ()


def _filled(row: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_name(text: str) -> bool:
    return len(text) <= _HEADER_CHARS and not _NUMBER.match(text) and parse_day(text, "day_first") is None
