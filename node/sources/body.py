"""The rows below a header, sorted into data and those that leave by a rule: the same for text files and workbooks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from node.sources.layout import Header, is_note, is_repeated_header, is_subtotal, is_total
from node.sources.table import TextTable, Wanted, text_frame


@dataclass(frozen=True)
class Form:
    """How a file was read: its name, and what the report says about its form (`encoding`, `delimiter`)."""

    file: str
    encoding: str
    delimiter: str = ""


def read_body(header: Header, found: Iterable[list[str]], wanted: Wanted, form: Form) -> TextTable:
    """The wanted columns of all rows (`found` begins with the file's first row) that are data."""
    needed = [place for column in wanted.needed if (place := header.position(column)) is not None]
    body = _Body(header, needed)
    body.sort(found)
    places = {column: header.position(column) for column in wanted.all}
    cells = {
        column: [record[place].strip() for record in body.rows] for column, place in places.items() if place is not None
    }
    return TextTable(
        file=form.file,
        cells=text_frame(cells, len(body.rows)),
        numbers=np.array(body.numbers, dtype=np.int64),
        left={rule: tuple(numbers) for rule, numbers in body.left.items()},
        absent=tuple(column for column, place in places.items() if place is None),
        encoding=form.encoding,
        delimiter=form.delimiter,
        header_row=header.row,
    )


@dataclass
class _Body:
    header: Header
    needed: list[int]
    rows: list[list[str]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    left: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def sort(self, found: Iterable[list[str]]) -> None:
        for number, record in enumerate(found, start=1):
            if number <= self.header.row:
                continue
            if not any(map(str.strip, record)):
                self.left["blank_row"].append(number)
            elif is_repeated_header(record, self.header):
                self.left["repeated_header"].append(number)
            elif is_subtotal(record, self.needed):
                self.left["totals_row"].append(number)
            else:
                self.rows.append(record)
                self.numbers.append(number)
        self._drop_footer()
        self._quarantine_ragged()

    def _drop_footer(self) -> None:
        while self.rows:
            if is_total(self.rows[-1]):
                rule = "totals_row"
            elif is_note(self.rows[-1], self.header):
                rule = "trailing_note"
            else:
                break
            self.rows.pop()
            self.left[rule].append(self.numbers.pop())

    def _quarantine_ragged(self) -> None:
        # Spreadsheets write empty cells to the right of the table, or leave them out: only named columns count.
        width, names = self.header.width, len(self.header.names)
        fits = [len(row) >= width and not any(map(str.strip, row[names:])) for row in self.rows]
        if all(fits):
            return
        self.left["ragged_row"] = [n for n, fit in zip(self.numbers, fits, strict=True) if not fit]
        self.rows = [row for row, fit in zip(self.rows, fits, strict=True) if fit]
        self.numbers = [n for n, fit in zip(self.numbers, fits, strict=True) if fit]
