"""Where the table is in a text file or a sheet: delimiter, header row, and the rows that are no data."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from node.sources.records import records
from node.sources.refused import FileRefused
from node.sources.table import Wanted, header_name

DELIMITERS = (",", ";", "\t", "|")
HEADER_WITHIN_ROWS = 20
MAX_COLUMNS = 2_000
_TOTAL = re.compile(
    r"\W*(grand\s+|sub-?\s*)?"
    r"(totals?|totaux|totaal|gesamt|summe|sum|suma|somme|count|number)"
    r"(\s+(of\s+)?(rows|records|cases|events|incidents|entries|encounters|contacts|activations))?[\s:=.]*[\d\s.,]*$",
    re.IGNORECASE,
)
_SUBTOTAL = re.compile(
    r"\W*(grand\s+|sub-?\s*|zwischen)?(totals?|totaux|totaal|gesamt|summe|sum|suma|somme)\b", re.IGNORECASE
)
_SUBTOTAL_WORDS = 5


@dataclass(frozen=True)
class Header:
    """A header row: its row number from 1, its cells, and the delimiter under which it was found."""

    delimiter: str
    row: int
    cells: list[str]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The column names as they are compared."""
        return tuple(map(header_name, self.cells))

    @cached_property
    def width(self) -> int:
        """The number of columns up to the last one with a name."""
        return max((place for place, name in enumerate(self.names, start=1) if name), default=0)

    def position(self, column: str) -> int | None:
        """Where a column is, or None."""
        name = header_name(column)
        return self.names.index(name) if name in self.names else None


def find_header(lines: Sequence[str], wanted: Wanted, file: str) -> Header:
    """The header of a delimited text, under the delimiter that splits it furthest; see choose_header."""
    tops = [
        Header(delimiter, row, record)
        for delimiter in DELIMITERS
        for row, record in enumerate(islice(records(lines, delimiter), HEADER_WITHIN_ROWS), start=1)
    ]
    return choose_header(tops, wanted, file)


def choose_header(tops: Sequence[Header], wanted: Wanted, file: str) -> Header:
    """The first of the top rows that holds every needed column.

    Raises FileRefused if there is none, if a wanted column occurs twice in it, or if it is wider than MAX_COLUMNS.
    """
    full = [top for top in tops if not missing_from(top.names, wanted.needed)]
    if not full:
        raise _no_header(tops, wanted, file)
    first: dict[str, Header] = {}
    for top in full:
        first.setdefault(top.delimiter, top)
    header = max(first.values(), key=lambda top: len(top.names))
    if header.width > MAX_COLUMNS:
        raise FileRefused(file, f"it has more than {MAX_COLUMNS} columns", "export the mapped columns alone")
    refuse_repeated(header.names, wanted, file)
    return header


def missing_from(names: Sequence[str], needed: Sequence[str]) -> list[str]:
    """The needed columns that are not among the names."""
    present = set(names)
    return [column for column in needed if header_name(column) not in present]


def refuse_repeated(names: Sequence[str], wanted: Wanted, file: str) -> None:
    """Raise FileRefused if a wanted column occurs twice; columns that nobody mapped may repeat."""
    times = Counter(names)
    repeated = [column for column in wanted.all if times[header_name(column)] > 1]
    if repeated:
        raise FileRefused(
            file,
            f"the header names {_quoted(repeated)} more than once, so it is not clear which is meant",
            "rename the columns in the export so that each name is used once",
        )


def no_columns(names: Sequence[str], missing: Sequence[str], file: str) -> FileRefused:
    """The refusal for a file that lacks needed columns, with the nearest names that it has, as it writes them."""
    near = [match for column in missing if (match := nearest(column, names)) is not None]
    hint = f" (nearest found: {_quoted(near)})" if near else ""
    return FileRefused(
        file,
        f"no column {_quoted(missing)}{hint}",
        "correct the column's name in the mapping, or add the column to the export",
    )


def _no_header(tops: Sequence[Header], wanted: Wanted, file: str) -> FileRefused:
    if not tops:
        return FileRefused(file, "the file holds no rows", "export it again, with its header row")
    best = min(tops, key=lambda top: (len(missing_from(top.names, wanted.needed)), -len(top.names)))
    return no_columns(best.cells, missing_from(best.names, wanted.needed), file)


def nearest(wanted: str, names: Sequence[str]) -> str | None:
    """The name most like the wanted one, as it is written; None if none is like it."""
    written = {header_name(name): " ".join(name.split()) for name in names if name.strip()}
    return next((written[near] for near in difflib.get_close_matches(header_name(wanted), written, n=1)), None)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in dict.fromkeys(names))


def is_total(record: Sequence[str]) -> bool:
    """Whether a row's first filled cell says that it sums up the rows above."""
    return bool(_TOTAL.match(next((cell for cell in record if cell.strip()), "")))


def is_subtotal(record: Sequence[str], needed: Sequence[int]) -> bool:
    """Whether a row sums up the rows above wherever it stands: it begins so, and has nothing else that is needed.

    `needed`: the places of the needed columns. "Summe 01/2024" is a subtotal, and a record that is called so is none.
    """
    first = next((place for place, cell in enumerate(record) if cell.strip()), 0)
    others = [place for place in needed if place != first]
    if not others or any(place < len(record) and record[place].strip() for place in others):
        return False
    return bool(_SUBTOTAL.match(record[first])) and len(record[first].split()) <= _SUBTOTAL_WORDS


def is_note(record: Sequence[str], header: Header) -> bool:
    """Whether a row of a table is one single phrase, such as "Printed by ..."; an identifier alone is none."""
    filled = [cell.strip() for cell in record if cell.strip()]
    return len(header.names) > 2 and len(filled) == 1 and len(filled[0].split()) > 1


def is_repeated_header(record: list[str], header: Header) -> bool:
    """Whether a row is the header once more, as at a page break or where files were joined."""
    return record == header.cells
