"""A sheet of an Excel workbook (.xlsx, .xlsm) as a table of text, as if it had been saved as CSV.

Nothing is computed and no macro runs: of a formula the result that Excel stored is read.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, time
from itertools import islice
from typing import Any
from xml.etree.ElementTree import iterparse
from zipfile import ZipFile

import openpyxl
from openpyxl.utils.cell import coordinate_to_tuple

from node.sources.archive import open_archive
from node.sources.body import Form, read_body
from node.sources.cells import SIGNIFICANT_DIGITS, cell_text
from node.sources.layout import HEADER_WITHIN_ROWS, Header, choose_header, nearest
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted, header_name

MAGIC = b"PK\x03\x04"
OLD_MAGIC = b"\xd0\xcf\x11\xe0"
FORMULA_RULE = "formula_without_value"
MAX_CELLS = 20_000_000
MAX_ROWS = 1_048_576
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_HAS_CLOCK = re.compile(r"[hs]", re.IGNORECASE)
_NO_CLOCK_WORDS = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')

Marks = dict[tuple[str, str], tuple[int, ...]]

_ROW_NUMBER = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\sr=["'](-?\d+)["']""")
_FORMULA = re.compile(rb"<(\w+:)?f[\s/>]")


def refuse_old_workbook(content: bytes, file: str) -> None:
    """Raise FileRefused for the container of old (.xls) and of encrypted workbooks."""
    if _ENCRYPTED in content:
        raise FileRefused(file, "the workbook is protected with a password", "save it without one")
    raise FileRefused(
        file, "this is a workbook in the old format (.xls)", 'save it as "Excel workbook (.xlsx)" or "CSV UTF-8"'
    )


def read_workbook(content: bytes, wanted: Wanted, file: str, sheet: str | None) -> TextTable:
    """Read the wanted columns of a sheet, by default of the first visible one; raises FileRefused."""
    archive = open_archive(content, file)
    try:
        title, part, rows = _read_sheet(archive, content, file, sheet)
        tops = [Header("", number, row) for number, row in enumerate(islice(rows, HEADER_WITHIN_ROWS), start=1)]
        header = choose_header(tops, wanted, file)
        table = read_body(header, rows, wanted, Form(file, f"workbook, sheet '{title}'"))
        return replace(table, marks=_uncomputed(archive, part, header, table))
    except FileRefused:
        raise
    except Exception as error:  # a damaged workbook fails in as many ways as there are parts in it
        raise FileRefused(
            file, f"the workbook is damaged ({type(error).__name__})", "save it again in Excel"
        ) from error


def _read_sheet(archive: ZipFile, content: bytes, file: str, wanted: str | None) -> tuple[str, str, list[list[str]]]:
    """Title, part of the archive, and the rows (from the first, all of one width) of the chosen sheet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about styles and extensions, which do not matter for values
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheet = _choose(book.worksheets, wanted, file)
        # openpyxl offers no public way to the part, which is also needed to tell an empty result from none.
        _check_row_numbers(archive.read(sheet._worksheet_path), file)
        sheet.reset_dimensions()  # what a sheet declares about its size is often wrong
        rows = list(_text_rows(sheet.iter_rows(), file))
    width = max(map(len, rows), default=0)
    return sheet.title, sheet._worksheet_path, [row + [""] * (width - len(row)) for row in rows]


def _check_row_numbers(part: bytes, file: str) -> None:
    """FileRefused unless rows are numbered in rising order within a sheet's limit: others would be lost unseen."""
    before = 0
    for found in _ROW_NUMBER.finditer(part):
        number = int(found[1])
        if not before < number <= MAX_ROWS:
            raise FileRefused(file, "the sheet's rows are not numbered in order", "save the workbook again in Excel")
        before = number


def _choose(sheets: Sequence[Any], wanted: str | None, file: str) -> Any:
    if wanted is None:
        visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
        if not visible:
            raise FileRefused(file, "the workbook has no visible sheet", "name one with `sheet` in the mapping")
        return visible[0]
    named = [sheet for sheet in sheets if header_name(sheet.title) == header_name(wanted)]
    if not named:
        near = nearest(wanted, [sheet.title for sheet in sheets])
        hint = f" (nearest found: '{near}')" if near else ""
        raise FileRefused(file, f"there is no sheet '{wanted}'{hint}", "correct `sheet` in the mapping")
    return named[0]


def _text_rows(rows: Iterator[Any], file: str) -> Iterator[list[str]]:
    seen = 0
    for row in rows:
        seen += len(row) + 1
        if seen > MAX_CELLS:
            raise FileRefused(
                file, f"the sheet spans more than {MAX_CELLS} cells", "copy the table into a new workbook"
            )
        texts = [_text(cell) for cell in row]
        while texts and not texts[-1]:
            texts.pop()
        yield texts


def _text(cell: Any) -> str:
    value = cell.value
    if isinstance(value, datetime) and value.time() == time() and not _shows_clock(cell.number_format):
        value = value.date()
    elif isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**SIGNIFICANT_DIGITS:
        value = float(value)  # the digits beyond are lost in Excel itself
    return cell_text(value) or ""


def _shows_clock(number_format: str) -> bool:
    return bool(_HAS_CLOCK.search(_NO_CLOCK_WORDS.sub("", number_format)))


def _uncomputed(
    archive: ZipFile, part: str, header: Header, table: TextTable
) -> dict[tuple[str, str], tuple[int, ...]]:
    """Rows by rule and column in which a formula has no stored result, so that the cell counts as empty."""
    content = archive.read(part)
    if not _FORMULA.search(content):
        return {}
    column_of = {header.position(column): column for column in table.cells.columns}
    found: dict[tuple[str, str], list[int]] = {}
    for row, place in _cells_without_result(content):
        if place in column_of and row > header.row:
            found.setdefault((FORMULA_RULE, column_of[place]), []).append(row)
    return {key: tuple(rows) for key, rows in found.items()}


def _cells_without_result(content: bytes) -> Iterator[tuple[int, int]]:
    row = place = 0
    for event, element in iterparse(io.BytesIO(content), events=("start", "end")):  # noqa: S314 - expat bounds the expansion of entities
        tag = element.tag.rpartition("}")[2]
        if event == "start" and tag == "row":
            row, place = int(element.get("r", row + 1)), -1
        elif event == "end" and tag == "c":
            place = _place(element.get("r"), place)
            children = {child.tag.rpartition("}")[2]: child.text for child in element}
            # A formula whose result is an empty text says so by its type.
            if "f" in children and not children.get("v") and element.get("t") != "str":
                yield row, place
        elif event == "end" and tag == "row":
            element.clear()


def _place(coordinate: str | None, before: int) -> int:
    if coordinate is None:
        return before + 1
    return int(coordinate_to_tuple(coordinate)[1]) - 1
