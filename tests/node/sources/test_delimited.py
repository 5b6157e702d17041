"""Delimited files: what is found out by itself, what is refused, and that no row is lost."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.sources.delimited import read_delimited
from node.sources.door import export_files
from node.sources.reader import read_export
from node.sources.records import MAX_CELL_LINES
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted

WANTED = Wanted(needed=("Ref", "Date"), optional=("Harm",))


def read(text: str | bytes, wanted: Wanted = WANTED) -> TextTable:
    return read_delimited(text if isinstance(text, bytes) else text.encode(), wanted, "e.csv")


@pytest.mark.parametrize(
    ("codec", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("cp1252", "cp1252")],
)
def test_encoding_is_found(codec: str, found: str) -> None:
    table = read("Ref,Date,Harm\n1,2,élevé\n".encode(codec))
    assert table.encoding == found
    assert table.cells["Harm"].tolist() == ["élevé"]


def test_big_endian_utf16_is_found() -> None:
    assert read(b"\xfe\xff" + "Ref;Date\n1;2\n".encode("utf-16-be")).cells["Ref"].tolist() == ["1"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(delimiter: str) -> None:
    text = f'Ref{delimiter}Date{delimiter}Harm\n1{delimiter}2{delimiter}"a,b;c|d"\n'
    table = read(text)
    assert table.delimiter == delimiter
    assert table.cells["Harm"].tolist() == ["a,b;c|d"]


def test_header_is_found_below_titles_and_rows_are_numbered_as_a_spreadsheet_does() -> None:
    table = read('sep=;\n"Incidents, 2024";;\n;;\n ref ;DATE;Harm \n1;2;3\n;;\n4;5;6\n')
    assert (table.header_row, table.numbers.tolist()) == (4, [5, 7])
    assert table.left == {"blank_row": (6,)}


def test_a_header_below_row_20_is_not_looked_for() -> None:
    with pytest.raises(FileRefused, match="no column 'Ref', 'Date'"):
        read("title\n" * 20 + "Ref,Date\n")


def test_only_wanted_columns_are_read() -> None:
    table = read("Ref,Comment,Date\n1,secret,2\n")
    assert list(table.cells.columns) == ["Ref", "Date"]
    assert table.absent == ("Harm",)


def test_line_ends_within_quotes_and_old_line_ends() -> None:
    table = read('Ref,Date,Harm\r1,2,"first\nsecond"\r2,3,x\r')
    assert table.cells["Harm"].tolist() == ["first\nsecond", "x"]
    assert table.numbers.tolist() == [2, 3]


def test_ragged_rows_are_kept_apart() -> None:
    table = read("Ref,Date,Harm\n1,2\n3,4,5,6\n7,8,9\n10,11,12,,\n")
    assert table.left == {"ragged_row": (2, 3)}
    assert table.cells["Ref"].tolist() == ["7", "10"]


def test_unnamed_columns_on_the_right_may_be_cut_off() -> None:
    assert read("Ref;Date;;\n1;2\n3;4;;\n").left == {}


@pytest.mark.parametrize("last", ["Total,2,", ",Grand total: 2,", "Summe,,7", "Number of records,2,"])
def test_totals_and_notes_at_the_end_are_no_data(last: str) -> None:
    table = read(f"Ref,Date,Harm\n1,2,3\n{last}\n,,\nPrinted by someone,,\n")
    assert table.left == {"blank_row": (4,), "trailing_note": (5,), "totals_row": (3,)}


def test_the_word_total_in_the_middle_is_data() -> None:
    assert read("Ref,Date,Harm\nTotal knee,2,3\n1,2,3\n").cells["Ref"].tolist() == ["Total knee", "1"]


def test_a_repeated_header_is_no_data() -> None:
    assert read("Ref,Date,Harm\n1,2,3\nRef,Date,Harm\n4,5,6\n").left == {"repeated_header": (3,)}


def test_an_unclosed_quote_damages_one_row_alone() -> None:
    table = read('Ref,Date,Harm\n1,2,3\n2,"never closed,3\n3,4,5\n4,5,6\n')
    assert table.cells["Ref"].tolist() == ["1", "3", "4"]
    assert table.left == {"ragged_row": (3,)}


def test_two_stray_quotes_swallow_nothing_between_them() -> None:
    table = read('Ref,Date,Harm\n1,2,3\n2,"open,3\n3,4,5\n4,5,6\n5,6,closed"\n7,8,9\n')
    assert table.cells["Ref"].tolist() == ["1", "3", "4", "5", "7"]
    assert table.left == {"ragged_row": (3,)}


def test_a_quoted_cell_spans_lines_up_to_a_limit() -> None:
    def lines(n: int) -> str:
        return 'Ref,Date,Harm\n1,2,"' + "x\n" * n + '"\n2,3,4\n'

    assert read(lines(MAX_CELL_LINES - 1)).cells["Ref"].tolist() == ["1", "2"]
    table = read(lines(MAX_CELL_LINES))
    assert table.cells["Harm"].tolist() == ["x", "4"]
    assert len(table.left["ragged_row"]) == MAX_CELL_LINES - 1


def test_a_very_long_cell_damages_its_row_alone() -> None:
    table = read("Ref,Date,Harm\n1,2," + "x" * 200_000 + "\n3,4,5\n")
    assert (table.cells["Ref"].tolist(), table.left) == (["3"], {"ragged_row": (2,)})


def test_a_quote_within_a_quoted_cell_is_read() -> None:
    assert read('Ref,Date,Harm\n1,2,"he said "stop" twice"\n3,4,5\n').cells["Ref"].tolist() == ["1", "3"]


def test_a_header_alone_is_an_export_without_rows() -> None:
    table = read("Ref,Date,Harm\n")
    assert table.rows_read == len(table.cells) == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"e\.csv: the file is empty"),
        (b"\xff\xfe\x00\x00R\x00\x00", "bytes are broken"),
        ("R\0ef,Date\n".encode("utf-16"), "zero bytes"),
        ("Ref,Date\n1,2\n".encode("utf-16-le"), "zero bytes: UTF-16 without its mark"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x1f\x8b\x08", "a compressed file"),
        (b"\n<html><table>", "markup"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "markup"),
        (b"Ref,Date," + b",".join(b"c%d" % n for n in range(2000)) + b"\n", "more than 2000 columns"),
        (b"Ref,Date\n1\x00,2\n", "zero bytes"),
        (b"\xff\xfeR", "bytes are broken"),
        (b"\xef\xbb\xbf", "holds no rows"),
        (b" Reff ,Date\n1,2\n", "no column 'Ref' .nearest found: 'Reff'."),
        (b"Ref,Date,ref\n1,2,3\n", "names 'Ref' more than once"),
    ],
)
def test_unusable_files_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        read(content)


def test_columns_that_nobody_mapped_may_repeat() -> None:
    assert read("Ref,Note,Note,Date\n1,a,b,2\n").cells["Date"].tolist() == ["2"]


def test_files_come_in_name_order_without_lock_files(tmp_path: Path) -> None:
    for name in ("e2.csv", "e1.csv", "~$e1.csv", ".e.csv"):
        (tmp_path / name).write_text("Ref,Date\n")
    assert [path.name for path in export_files(tmp_path, "*.csv")] == ["e1.csv", "e2.csv"]
    with pytest.raises(FileRefused, match=r"x\*\.csv: no file"):
        export_files(tmp_path, "x*.csv")


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"gone\.csv: it cannot be read"):
        read_export(tmp_path / "gone.csv", WANTED)


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters='\n,;\t|"'), max_size=8)


@given(rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=12), delimiter=st.sampled_from(",;\t|"))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[tuple[str, str, str]], delimiter: str) -> None:
    buffer = io.StringIO(newline="")
    # A first data row that is no header look-alike, and a last one that is no footer, fix the ends of the table.
    whole = [("a", "b", "c"), *rows, ("x", "y", "z")]
    csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([("Ref", "Date", "Harm"), *whole])
    table = read(buffer.getvalue())
    kept = [tuple(cell.strip() for cell in row) for row in whole if any(cell.strip() for cell in row)]
    kept = [row for row in kept if row != ("Ref", "Date", "Harm")]
    assert list(table.cells.itertuples(index=False, name=None)) == kept
    assert table.rows_read == len(whole)


WORD = st.text("abc 12", min_size=1, max_size=5).filter(str.strip)


@given(
    rows=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=9),
    row=st.integers(0, 8),
    cell=st.integers(0, 2),
    at=st.integers(0, 5),
)
def test_one_stray_quote_costs_at_most_its_own_row(rows: list[tuple[str, str]], row: int, cell: int, at: int) -> None:
    table = [[f"E{n}", *cells] for n, cells in enumerate(rows)]
    hurt = table[row % len(table)]
    hurt[cell] = hurt[cell][:at] + '"' + hurt[cell][at:]
    found = read("Ref,Date,Harm\n" + "\n".join(map(",".join, table)) + "\n")
    expected = [f"E{n}" for n in range(len(table)) if n != row % len(table)]
    assert [ref for ref in found.cells["Ref"] if ref in expected] == expected
    assert found.rows_read == len(table)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        table = read(b"Ref,Date,Harm\n" + content)
    except FileRefused:
        return
    assert table.rows_read == len(table.cells) + sum(map(len, table.left.values()))


@pytest.mark.parametrize(
    "words", ["Total knee: wrong implant", "Count incorrect: sponge missing", "Total joint centre"]
)
def test_a_last_row_that_begins_with_a_total_word_and_goes_on_is_data(words: str) -> None:
    """Otherwise one person's last row would decide whether the rows before it count."""
    assert read(f"Ref,Date,Harm\n1,2,3\n{words},2,3\n").cells["Ref"].tolist() == ["1", words]
