"""Delimited text as records, one per row that a spreadsheet would show."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence


def physical_lines(text: str) -> list[str]:
    """The lines of a text with their line ends; only LF, CR and CR LF end a line (not, say, a form feed)."""
    return list(io.StringIO(text, newline=""))


def records(lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    """The cells of every record; quoted cells may hold delimiters, doubled quotes and line ends.

    A quote that never closes would swallow the rest of the file. Where quoting is broken, the line on which the
    record began is therefore read by itself, and reading goes on with the next line: at most that row is damaged
    (its number of cells will tell), and no other is lost.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[i] for i in range(start, len(lines))), delimiter=delimiter, strict=True)
        done = 0
        try:
            for record in reader:
                done = reader.line_num
                yield record
            return
        except csv.Error:
            yield _line_by_itself(lines[start + done], delimiter)
            start += done + 1


def _line_by_itself(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return [line.rstrip("\r\n")]
