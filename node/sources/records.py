"""Delimited text as records, one per row that a spreadsheet would show."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

MAX_CELL_LINES = 100
"""Lines that a quoted cell may span; beyond, a quote was left open."""


def physical_lines(text: str) -> list[str]:
    """The lines of a text with their line ends; only LF, CR and CR LF end a line (not, say, a form feed)."""
    return list(io.StringIO(text, newline=""))


def records(lines: Sequence[str], delimiter: str, width: int | None = None) -> Iterator[list[str]]:
    """The cells of every record; quoted cells may hold delimiters, doubled quotes and line ends.

    A quote that never closes, or that meets another stray quote far below, would swallow the rows in between. Where
    quoting is broken, a cell spans more than MAX_CELL_LINES, or a record of several lines has not `width` cells while
    its first line alone has, that line is therefore read by itself, and reading goes on with the next: at most that row
    is damaged (its number of cells will tell), and no other is lost.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[i] for i in range(start, len(lines))), delimiter=delimiter, strict=True)
        done = 0
        try:
            for record in reader:
                if reader.line_num - done > 1 and _swallowed(lines[start + done], record, delimiter, width):
                    break
                if reader.line_num - done > MAX_CELL_LINES:
                    break
                done = reader.line_num
                yield record
            else:
                return
        except csv.Error:
            pass
        yield _line_by_itself(lines[start + done], delimiter)
        start += done + 1


def _swallowed(first_line: str, record: list[str], delimiter: str, width: int | None) -> bool:
    """Whether a record of several lines is more likely a row with a stray quote and what it swallowed."""
    return width is not None and len(record) != width == first_line.count(delimiter) + 1


def _line_by_itself(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return [line.rstrip("\r\n")]
