"""From an export's rows to a draft's: filter, split multi-select cells, and give every canonical column its text."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from node.sources.table import TextTable
from node.tables.distinct import by_distinct
from node.tables.draft import FileFacts
from node.tables.keys import normalise_identifier
from node.tables.mapping import Explode, Origin, Source

_TICKED = frozenset(("1", "1.0", "x", "yes", "y", "true", "checked", "ja", "oui"))


def prepare(table: TextTable, source: Source) -> tuple[TextTable, FileFacts]:
    """Apply `where` and `explode`; rows that leave are added to the table's `left`, rows that are made are counted."""
    filtered = _filter(table, source)
    split = _explode(filtered, source.explode) if source.explode else filtered
    facts = FileFacts(
        name=table.file,
        encoding=table.encoding,
        delimiter=table.delimiter,
        header_row=table.header_row,
        rows_read=table.rows_read,
        rows_added=split.rows_read - table.rows_read,
        left=split.left,
        none_match=len(filtered.cells) == 0 < len(table.cells),
    )
    return split, facts


def _leave(table: TextTable, rule: str, rows: NDArray[np.bool_]) -> TextTable:
    if not rows.any():
        return table
    gone = tuple(int(number) for number in table.numbers[rows])
    cells = table.cells[~rows].reset_index(drop=True)
    return replace(table, cells=cells, numbers=table.numbers[~rows], left={**table.left, rule: gone})


def _filter(table: TextTable, source: Source) -> TextTable:
    keep = np.ones(len(table.cells), dtype=bool)
    for column, values in source.where.items():
        keep &= np.asarray(table.cells[column].isin([value.strip() for value in values]), dtype=bool)
    return _leave(table, "filtered", ~keep)


def _explode(table: TextTable, explode: Explode) -> TextTable:
    parts = {column: _parts(table.cells[column], explode.separator) for column in explode.columns}
    lengths = {column: lists.map(len) for column, lists in parts.items()}
    first = explode.columns[0]
    empty = np.asarray(lengths[first].eq(0), dtype=bool)
    uneven = np.zeros(len(table.cells), dtype=bool)
    for column in explode.columns[1:]:
        uneven |= np.asarray(lengths[column].ne(lengths[first]) & lengths[column].ne(0), dtype=bool)
    kept = _leave(_leave(table, "nothing_listed", empty), "parts_do_not_match", (uneven & ~empty)[~empty])
    times = lengths[first][~(empty | uneven)].to_numpy(dtype=np.int64)
    rows = np.repeat(np.arange(len(kept.cells)), times)
    cells = kept.cells.iloc[rows].reset_index(drop=True)
    for column in explode.columns:
        lists = parts[column][~(empty | uneven)]
        flat = [part for found, n in zip(lists, times, strict=True) for part in (found or [""] * n)]
        cells[column] = pd.Series(flat, dtype="str")
    return replace(kept, cells=cells, numbers=kept.numbers[rows])


def _parts(cells: pd.Series[str], separator: str) -> pd.Series[Any]:
    """The parts of each cell; a cell of separators alone has none, but blanks between parts keep their place."""

    def split(cell: str) -> list[str]:
        parts = [part.strip() for part in cell.split(separator)]
        return parts if any(parts) else []

    return by_distinct(cells, split, "object")


def text_of(table: TextTable, origin: Origin) -> pd.Series[str]:
    """The text of one canonical column: blank where the export has none."""
    if origin.constant is not None:
        return pd.Series([origin.constant] * len(table.cells), dtype="str")
    if origin.checkbox:
        return _first_ticked(table, origin.checkbox)
    if origin.columns:
        return _joined(table, origin.columns)
    return _cells(table, str(origin.column))


def _cells(table: TextTable, column: str) -> pd.Series[str]:
    if column in table.absent:
        return pd.Series([""] * len(table.cells), dtype="str")
    return table.cells[column]


def _first_ticked(table: TextTable, boxes: dict[str, str]) -> pd.Series[str]:
    chosen = pd.Series([""] * len(table.cells), dtype="str")
    for column, code in boxes.items():
        ticked = _cells(table, column).str.casefold().isin(_TICKED)
        chosen = chosen.mask(ticked & chosen.eq(""), code)
    return chosen


def _joined(table: TextTable, columns: tuple[str, ...]) -> pd.Series[str]:
    """A key of several columns; missing where all of them are blank."""
    parts = [by_distinct(_cells(table, column), normalise_identifier) for column in columns]
    text = parts[0]
    for part in parts[1:]:
        text = text + "/" + part
    return text.mask(text.str.strip("/").eq(""), "")
