"""What a canonical table is made of.

Kinds of columns and the pandas values they hold after import:

    key       keyed hash of a local identifier, 32 hex digits (str); the identifier itself is gone
    date      Timestamp at midnight, or NaT
    datetime  Timestamp, or NaT; a companion column `<name>_time_known` (bool) says whether the clock time is real
    time      Timedelta since midnight, or NaT
    code      one of `codes` (str), or None
    count     whole number (Int64) clipped to `limits`, or NA
    number    float clipped to `limits`, or NaN
    flag      True, False or NA (boolean)
    month     Timestamp at the first of the month
    plain     a short public code of the site's own (str) of at most `max_chars`, never about a person
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["key", "date", "datetime", "time", "code", "count", "number", "flag", "month", "plain"]


@dataclass(frozen=True)
class Column:
    """One column of a canonical table; `may_lie_ahead` is for dates that are planned and not only remembered."""

    name: str
    kind: Kind
    required: bool = False
    codes: tuple[str, ...] = ()
    limits: tuple[float, float] = (0, 1_000_000)
    max_chars: int = 24
    may_lie_ahead: bool = False


@dataclass(frozen=True)
class Table:
    """A canonical table; rows with the same `identity` are versions of one row."""

    name: str
    identity: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column with this name; KeyError if there is none."""
        return {column.name: column for column in self.columns}[name]


def table(name: str, identity: tuple[str, ...], *columns: Column) -> Table:
    """A table with these columns, in order."""
    return Table(name, identity, columns)
