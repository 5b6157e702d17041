"""Where the table is in a delimited file: delimiter, header row, and the rows that are no data."""

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
_TOTAL = re.compile(
    r"\W*(grand\s+|sub-?\s*)?"
    r"(totals?|totaux|totaal|gesamt|summe|sum|suma|somme|count|number)"
    r"(\s+(of\s+)?(rows|records|cases|events|incidents|entries|encounters|contacts|activations))?[\s:=.]*[\d\s.,]*$",
    re.IGNORECASE,
)


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

    def position(self, column: str) -> int | None:
        """Where a column is, or None."""
        name = header_name(column)
        return self.names.index(name) if name in self.names else None


def find_header(lines: Sequence[str], wanted: Wanted, file: str) -> Header:
    """The first of the top rows that holds every needed column, under the delimiter that splits it furthest.

    Raises FileRefused if there is none, or if a wanted column occurs twice in it.
    """
    tops = [
        Header(delimiter, row, record)
        for delimiter in DELIMITERS
        for row, record in enumerate(islice(records(lines, delimiter), HEADER_WITHIN_ROWS), start=1)
    ]
    full = [top for top in tops if not missing_from(top.names, wanted.needed)]
    if not full:
        raise _no_header(tops, wanted, file)
    first = {top.delimiter: top for top in reversed(full)}
    header = max((first[d] for d in DELIMITERS if d in first), key=lambda top: len(top.names))
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
    near = [match for column in missing for match in _nearest(column, names)]
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


def _nearest(column: str, names: Sequence[str]) -> list[str]:
    written = {header_name(name): " ".join(name.split()) for name in names if name.strip()}
    return [written[near] for near in difflib.get_close_matches(header_name(column), written, n=1)]


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in dict.fromkeys(names))


def is_total(record: Sequence[str]) -> bool:
    """Whether a row's first filled cell says that it sums up the rows above."""
    return bool(_TOTAL.match(next((cell for cell in record if cell.strip()), "")))


def is_note(record: Sequence[str], header: Header) -> bool:
    """Whether a row of a table is one single phrase, such as "Printed by ..."; an identifier alone is none."""
    filled = [cell.strip() for cell in record if cell.strip()]
    return len(header.names) > 2 and len(filled) == 1 and len(filled[0].split()) > 1


def is_repeated_header(record: list[str], header: Header) -> bool:
    """Whether a row is the header once more, as at a page break or where files were joined."""
    return record == header.cells
