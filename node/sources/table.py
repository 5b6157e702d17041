"""An export file as a table of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MAX_ROWS = 5_000_000
"""More than any site writes in decades; forms that can hold more rows than bytes are refused beyond."""


def header_name(name: str) -> str:
    """A column name as it is compared: surrounding and repeated white space and letter case do not matter."""
    return " ".join(name.split()).casefold()


@dataclass(frozen=True)
class Wanted:
    """The columns of a file that a mapping names: without the `needed` ones the file is refused.

    No other column is read, so free text that nobody mapped never gets in.
    """

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Needed and optional columns, each once, in order."""
        return tuple(dict.fromkeys((*self.needed, *self.optional)))


@dataclass(frozen=True)
class TextTable:
    """What a file holds.

    `cells`: one text column per wanted column that is present, one row per usable data row, white space stripped,
    blank as "". `numbers`: the row number of each in the file, counted from 1 as a spreadsheet does.
    `left`: rows that are no usable data rows, as rule -> their numbers. `absent`: optional columns not in the file.
    `header_row` is 0 where names do not stand in a row. `marks`: (rule, column) -> rows whose value was mended already
    while it was read; they may name rows that have left.
    """

    file: str
    cells: pd.DataFrame
    numbers: NDArray[np.int64]
    left: dict[str, tuple[int, ...]]
    absent: tuple[str, ...]
    encoding: str
    delimiter: str
    header_row: int
    marks: Mapping[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)

    @property
    def rows_read(self) -> int:
        """Rows below the header."""
        return len(self.numbers) + sum(len(rows) for rows in self.left.values())


def text_frame(columns: dict[str, list[str]], rows: int) -> pd.DataFrame:
    """A frame of text columns; `rows` holds even if there are no columns."""
    return pd.DataFrame(
        {name: pd.Series(cells, dtype="str") for name, cells in columns.items()},
        index=pd.RangeIndex(rows),
    )
