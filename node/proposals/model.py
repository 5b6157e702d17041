"""A proposed mapping as data: frozen, and JSON on both ways, for the command line and the console alike.

No value of a cell is in it, except the distinct short codes of code columns.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from node.tables.dates import Order
from node.tables.mapping import Explode, Origin
from node.tables.schema import TABLES

SURE = 0.8
"""From this confidence on a column is taken over without a person."""
CODES_SHOWN = 30


class Model(BaseModel):
    """Frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ColumnLook(Model):
    """A column of an export as a person is told of it. `codes` are its distinct short codes, at most CODES_SHOWN."""

    name: str
    shape: str
    filled: float
    codes: tuple[str, ...] = ()


class FileLook(Model):
    """The columns that can be chosen for one export (or one instrument of it, by `where`)."""

    file: str
    sheet: str | None = None
    where: dict[str, tuple[str, ...]] = {}
    columns: tuple[ColumnLook, ...]


class Choice(Model):
    """Where one canonical column is proposed to come from, how sure that is (0 to 1), and why.

    `unread`: codes of the column that have no canonical code yet. `settled`: a person has decided.
    """

    column: str
    origin: Origin
    confidence: float
    why: str
    question: str = ""
    alternatives: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    settled: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether it needs no person (any more)."""
        return self.settled or self.confidence >= SURE


class Missing(Model):
    """A canonical column for which nothing is proposed, and what that costs."""

    column: str
    cost: str
    required: bool


class ProposedSource(Model):
    """One [[source]] of the mapping: a table, the files that fill it, and its columns.

    `wanted`: a person's decision about the source as a whole; None while there is none.
    """

    table: str
    file: str
    sheet: str | None = None
    where: dict[str, tuple[str, ...]] = {}
    explode: Explode | None = None
    date_order: Order | None = None
    confidence: float
    why: str
    questions: tuple[str, ...] = ()
    choices: tuple[Choice, ...]
    missing: tuple[Missing, ...] = ()
    wanted: bool | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every required column has an origin."""
        return not any(missing.required for missing in self.missing)

    @property
    def is_sure(self) -> bool:
        """Whether it is complete, its required columns need no person (any more), and nobody declined it."""
        required = {column.name for column in TABLES[self.table].columns if column.required}
        settled = all(choice.is_sure for choice in self.choices if choice.column in required)
        return self.is_complete and settled and self.wanted is not False and (not self.questions or self.wanted is True)


class LeftOut(Model):
    """A column that is not proposed on purpose, or a file that cannot be read (`column` is empty then)."""

    file: str
    column: str = ""
    reason: str


class Proposal(Model):
    """A whole mapping as proposed: `tables_missing` names what no file fills, and what that costs."""

    files: tuple[FileLook, ...]
    sources: tuple[ProposedSource, ...]
    left_out: tuple[LeftOut, ...] = ()
    tables_missing: tuple[Missing, ...] = ()


class Change(Model):
    """A person's decision about one canonical column, or (column "") about a whole source.

    `keep`: accept what is proposed. `use`: another source column. `constant`: one value for all rows. `leave_out`.
    `codes` are added to the column's codes. `file` "" means every source of the table, and so do an absent `sheet` and
    `where`.
    """

    table: str
    file: str = ""
    sheet: str | None = None
    where: dict[str, tuple[str, ...]] | None = None
    column: str = ""
    act: Literal["keep", "use", "constant", "leave_out"] = "keep"
    value: str = ""
    codes: dict[str, str] = {}
