"""Rows on their way into a canonical table, each with the rule that decided about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from node.tables.rules import RULES
from node.tables.schema import Table

Cause = tuple[str, str]
"""A rule and the canonical column that it looked at ("" for the row as a whole)."""


@dataclass(frozen=True)
class FileFacts:
    """What was found out about a file before its values were read.

    `left` are rows that never became values; `none_match` says that the file has rows and `where` kept none of them.
    """

    name: str
    encoding: str
    delimiter: str
    header_row: int
    rows_read: int
    rows_added: int
    left: dict[str, tuple[int, ...]]
    none_match: bool


@dataclass(frozen=True)
class Remark:
    """A flag: a rule of that effect, a file or "" for the whole table, a column or "", and words that explain."""

    rule: str
    table: str
    file: str
    column: str
    detail: str


class Draft:
    """Rows of one canonical table from one or more files.

    `frame` holds the canonical columns, `numbers` the row number in the file and `file_of` the position of that file
    in `files`. A row keeps the first rule that removes it; repairs add up.
    """

    def __init__(self, table: Table, frame: pd.DataFrame, numbers: NDArray[np.int64], files: Sequence[FileFacts]):
        self.table = table
        self.frame = frame
        self.numbers = numbers
        self.files = tuple(files)
        self.file_of = np.zeros(len(frame), dtype=np.int64)
        self.remarks: list[Remark] = []
        self._doubts: dict[Cause, NDArray[np.bool_]] = {}
        self._causes: list[Cause] = []
        self._fate = np.zeros(len(frame), dtype=np.int64)
        self._repairs: dict[Cause, NDArray[np.bool_]] = {}

    @property
    def stays(self) -> NDArray[np.bool_]:
        """Which rows no rule has removed so far."""
        return np.equal(self._fate, 0)

    def apply(self, rule: str, rows: ArrayLike, column: str = "") -> NDArray[np.bool_]:
        """Let a rule drop, quarantine or repair rows (a mask); gives those of them that were still there."""
        hit = np.asarray(rows, dtype=bool) & self.stays
        if not hit.any():
            return hit
        if RULES[rule].effect == "repaired":
            known = self._repairs.setdefault((rule, column), np.zeros(len(self.frame), dtype=bool))
            known |= hit
        else:
            self._causes.append((rule, column))
            self._fate[hit] = len(self._causes)
        return hit

    def doubt(self, rule: str, rows: ArrayLike, column: str) -> None:
        """Let a rule remove rows in `settle_doubts`, if no other rule has supplied the column's value by then."""
        self._doubts[rule, column] = np.asarray(rows, dtype=bool)

    def settle_doubts(self) -> None:
        """Apply the doubtful rules to the rows whose value is still missing."""
        for (rule, column), rows in self._doubts.items():
            self.apply(rule, rows & np.asarray(self.frame[column].isna(), dtype=bool), column)

    def remark(self, rule: str, column: str, detail: str, file: str = "") -> None:
        """Flag something; `detail` may hold figures, since the report stays at the site."""
        if RULES[rule].effect != "flagged":
            raise ValueError(f"rule {rule!r} is no flag")
        self.remarks.append(Remark(rule, self.table.name, file, column, detail))

    def removals(self) -> Iterator[tuple[Cause, NDArray[np.bool_]]]:
        """Every cause of removal with its rows, in the order in which they were applied."""
        for position, cause in enumerate(self._causes, start=1):
            yield cause, self._fate == position

    def repairs(self) -> Iterator[tuple[Cause, NDArray[np.bool_]]]:
        """Every repair with its rows, of those rows that stay."""
        for cause, rows in self._repairs.items():
            yield cause, rows & self.stays

    def kept(self) -> pd.DataFrame:
        """The canonical table: the rows that stay, in order."""
        return self.frame[self.stays].reset_index(drop=True)

    @classmethod
    def joined(cls, drafts: Sequence[Draft]) -> Draft:
        """One draft of several of the same table, in order."""
        offsets = np.cumsum([0, *(len(draft.frame) for draft in drafts)])
        frame = pd.concat([draft.frame for draft in drafts], ignore_index=True)
        numbers = np.concatenate([draft.numbers for draft in drafts])
        whole = cls(drafts[0].table, frame, numbers, [facts for draft in drafts for facts in draft.files])
        before = 0
        for draft, start in zip(drafts, offsets, strict=False):
            rows = slice(start, start + len(draft.frame))
            whole.file_of[rows] = draft.file_of + before
            before += len(draft.files)
            whole._take(draft, rows)
        return whole

    def _take(self, part: Draft, rows: slice) -> None:
        self.remarks.extend(part.remarks)
        self._fate[rows] = np.where(part.stays, 0, part._fate + len(self._causes))
        self._causes.extend(part._causes)
        for mine, theirs in ((self._repairs, part._repairs), (self._doubts, part._doubts)):
            for cause, mask in theirs.items():
                mine.setdefault(cause, np.zeros(len(self.frame), dtype=bool))[rows] = mask
