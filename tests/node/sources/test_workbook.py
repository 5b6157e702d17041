"""Workbooks: the same text as a CSV of the sheet, and no formula, macro or hidden sheet in between."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.worksheet.worksheet import Worksheet

from node.sources import workbook
from node.sources.reader import read_export
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted

WANTED = Wanted(needed=("Ref", "Date"), optional=("Harm",))


def book(rows: Sequence[Sequence[Any]], change: Callable[[Worksheet], None] | None = None) -> bytes:
    made = openpyxl.Workbook()
    sheet = made.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    if change is not None:
        change(sheet)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def read(folder: Path, content: bytes, wanted: Wanted = WANTED, sheet: str | None = None) -> TextTable:
    path = folder / "e.csv"  # the form is found from the content, never from the name
    path.write_bytes(content)
    return read_export(path, wanted, sheet)


def test_cells_become_the_text_that_csv_would_hold(tmp_path: Path) -> None:
    values = [
        (dt.date(2025, 3, 4), "2025-03-04"),
        (dt.datetime(2025, 3, 4, 14, 30), "2025-03-04 14:30:00"),  # noqa: DTZ001 - cells have no zone
        (dt.datetime(2025, 3, 4), "2025-03-04 00:00:00"),  # noqa: DTZ001
        (dt.time(9, 5), "09:05:00"),
        (dt.timedelta(minutes=95), "1:35:00"),
        (4417, "4417"),
        (4417.0, "4417"),
        (0.1 + 0.2, "0.3"),
        (1234567890123456789, "1.23456789012346e+18"),
        (True, "true"),
        ("  a\nb ", "a\nb"),
        ("#N/A", "#N/A"),
        (None, ""),
    ]
    table = read(tmp_path, book([["Ref", "Date", "Harm"], *([n, value, "x"] for n, (value, _) in enumerate(values))]))
    assert table.cells["Date"].tolist() == [text for _, text in values]
    assert (table.encoding, table.header_row, table.numbers[0]) == ("workbook, sheet 'Sheet'", 1, 2)


def test_titles_blank_rows_totals_and_a_cell_far_to_the_right(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Incidents 2025"],
        [],
        ["Ref", "Date", "Harm"],
        [1, 2, 3],
        [],
        [4, 5],
        [7, 8, 9],
        ["Total", 3],
    ]

    def change(sheet: Worksheet) -> None:
        sheet.merge_cells("A1:F1")
        sheet["K4"] = "my note"
        sheet["A60"] = "Printed by someone"

    table = read(tmp_path, book(rows, change))
    assert (table.header_row, table.numbers.tolist(), table.cells["Harm"].tolist()) == (3, [4, 6, 7], ["3", "", "9"])
    assert table.left["totals_row"] == (8,)
    assert table.left["trailing_note"] == (60,)
    assert table.rows_read == 57


def test_the_first_visible_sheet_or_the_one_named(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.worksheets[0].title = "Lists"
    made.worksheets[0].sheet_state = "hidden"
    for title in ("2024", "2025"):
        sheet = made.create_sheet(title)
        sheet.append(["Ref", "Date"])
        sheet.append([title, 1])
    buffer = io.BytesIO()
    made.save(buffer)
    assert read(tmp_path, buffer.getvalue()).cells["Ref"].tolist() == ["2024"]
    assert read(tmp_path, buffer.getvalue(), sheet=" 2025").cells["Ref"].tolist() == ["2025"]
    with pytest.raises(FileRefused, match=r"there is no sheet '2052' \(nearest found: '2025'\)"):
        read(tmp_path, buffer.getvalue(), sheet="2052")
    with pytest.raises(FileRefused, match="it is no workbook"):
        read(tmp_path, b"Ref,Date\n1,2\n", sheet="2025")


def stored(content: bytes, formula: str, result: str) -> bytes:
    """The workbook with the result that Excel would have stored beside a formula."""
    given, buffer = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for part in given.namelist():
            xml = given.read(part).decode()
            out.writestr(
                part, re.sub(rf"(<c r=\"\w+\")[^>]*?(><f>{re.escape(formula)}</f>)<v ?/?>(</v>)?", result, xml)
            )
    return buffer.getvalue()


def test_a_formula_gives_its_stored_result_and_nothing_is_computed(tmp_path: Path) -> None:
    content = book([["Ref", "Date", "Harm"], ["=1+1", "=2+2", "x"], ["=3+3", "=4+4", "y"], ["A", '=IF(1,"","")', "z"]])
    for formula, value in (("1+1", r"\1\2<v>2</v>"), ("3+3", r'\1 t="str"\2<v>six</v>')):
        content = stored(content, formula, value)
    content = stored(content, 'IF(1,"","")', r'\1 t="str"\2<v></v>')
    table = read(tmp_path, content)
    assert table.cells["Ref"].tolist() == ["2", "six", "A"]
    assert table.cells["Date"].tolist() == ["", "", ""]
    assert table.marks == {("formula_without_value", "Date"): (2, 3)}


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    text = "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)"
    lines = "\n".join(f'{n},"{value}"' for n, value in enumerate(text))
    assert read(tmp_path, f"Ref,Date\n{lines}\n".encode()).cells["Date"].tolist() == list(text)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"old format \(\.xls\)"),
        (b"\xd0\xcf\x11\xe0" + bytes(60) + "EncryptedPackage".encode("utf-16-le"), "protected with a password"),
        (book([["Reff", "Date"]]), "no column 'Ref' .nearest found: 'Reff'."),
        (book([]), "holds no rows"),
        (book([["Ref", "Date"]])[:2000], "the workbook is damaged"),
    ],
)
def test_refusals(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        read(tmp_path, content)


def replaced(content: bytes, part: str, xml: bytes) -> bytes:
    given, buffer = zipfile.ZipFile(io.BytesIO(content)), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name in given.namelist():
            out.writestr(name, xml if name == part else given.read(name))
    return buffer.getvalue()


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
SHEET = "xl/worksheets/sheet1.xml"


def entity(declared: str, used: str) -> str:
    cell = f'<c t="str"><v>&{used};</v></c>'
    return f"<!DOCTYPE x [{declared}]><worksheet><sheetData><row>{cell}</row></sheetData></worksheet>"


@pytest.mark.parametrize(
    "xml",
    [
        entity(f'<!ENTITY l0 "ha">{LAUGHS}', "l9"),
        entity('<!ENTITY f SYSTEM "file:///etc/passwd">', "f"),
        "<worksheet><sheetData><row>",
        "not xml",
    ],
)
def test_hostile_xml_is_refused(tmp_path: Path, xml: str) -> None:
    with pytest.raises(FileRefused):
        read(tmp_path, replaced(book([["Ref", "Date"]]), SHEET, xml.encode()))


def test_a_sheet_that_spans_more_cells_than_anyone_fills_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MAX_CELLS", 500_000)
    rows = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(1, 100))
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    xml = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
    with pytest.raises(FileRefused, match="spans more than"):
        read(tmp_path, replaced(book([["Ref", "Date"]]), SHEET, xml.encode()))


CELL = st.one_of(st.none(), st.integers(-5, 99999), st.text("abc =+-@é", max_size=5), st.dates(), st.booleans())


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=8))
def test_every_row_of_a_sheet_is_accounted_for(
    rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = book([["Ref", "Date", "Harm"], *rows, ["x", "y", "z"]])
    table = read(tmp_path_factory.mktemp("book"), content)
    assert table.rows_read == len(rows) + 1


def test_subtotals_between_the_rows_are_no_data_and_records_called_so_are(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Nr", "Datum", "Art", "Minuten"]]
    for month in ("01", "02"):
        rows += [[n, f"0{n}.{month}.2024", "Telefon", 30] for n in (1, 2, 3)]
        rows.append([f"Summe {month}/2024", None, None, 90])
    rows += [
        ["Summe 4", "05.03.2024", "Telefon", 30],
        [5, "06.03.2024", "Telefon", 30],
        ["Stand: Januar 2025", None, None, None],
    ]
    table = read(tmp_path, book(rows), Wanted(needed=("Nr", "Datum", "Art"), optional=("Minuten",)))
    assert table.left == {"totals_row": (5, 9), "trailing_note": (12,)}
    assert table.cells["Nr"].tolist() == ["1", "2", "3", "1", "2", "3", "Summe 4", "5"]


@pytest.mark.parametrize(
    ("rows", "renumbered"),
    [("twice", {3: 2}), ("out of order", {2: 3, 3: 2}), ("below the first", {3: -1}), ("beyond a sheet", {3: 10**9})],
)
def test_a_sheet_whose_rows_are_not_numbered_in_order_would_lose_some(
    tmp_path: Path, rows: str, renumbered: dict[int, int]
) -> None:
    content = book([["Ref", "Date", "Harm"], [1, "2025-03-04", "a"], [2, "2025-03-05", "b"]])
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(changed, "w") as after:
        for name in before.namelist():
            part = before.read(name).decode() if name.startswith("xl/worksheets/") else before.read(name)
            if isinstance(part, str):
                part = re.sub(r'<row r="(\d+)"', lambda m: f'<row r="{renumbered.get(int(m[1]), int(m[1]))}"', part)
            after.writestr(name, part)
    with pytest.raises(FileRefused, match="numbered in order"):
        read(tmp_path, changed.getvalue())
