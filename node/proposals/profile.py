"""What the values of one column look like, as shares of its filled cells."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from node.tables.clocks import parse_clock, split_stamp
from node.tables.codes import words_for_missing
from node.tables.dates import parse_day, parse_month
from node.tables.distinct import distinct_texts
from node.tables.numbers import parse_number

SEPARATORS = (";", "|", "/", ",")
LOOKED_AT = 3_000
"""Distinct values looked at in a column; more would not change a share by a per cent."""

_SERIAL = re.compile(r"^\d{5}([.,]\d+)?$")
_TEXT_WORDS = 3.2
_CODE_CHARS = 60
_FEW = 60
_SHOWN_CHARS = 30
_SHOWN_WORDS = 3


@dataclass(frozen=True)
class Profile:
    """Shares (0 to 1) of the filled cells, by what they can be read as; `filled` is the share of all rows.

    `distinct`: distinct values per filled cell. `words`, `chars`: means of a cell. `separator`: what splits its lists
    ("" if it holds none). `values`: its distinct values and their rows, most frequent first.
    """

    filled: float
    distinct: float
    dates: float
    serials: float
    clocked: float
    times: float
    months: float
    numbers: float
    whole: float
    words: float
    chars: float
    separator: str
    values: tuple[tuple[str, int], ...]

    @property
    def is_text(self) -> bool:
        """Whether the cells are prose."""
        wordy = self.words > _TEXT_WORDS or self.chars > _CODE_CHARS
        return wordy and self.distinct > 0.3 and len(self.values) > 5 and not self.separator

    @property
    def is_coded(self) -> bool:
        """Whether the cells are few distinct short values."""
        return 0 < len(self.values) <= _FEW and self.chars <= _CODE_CHARS and self.dates < 0.5 and self.months < 0.5

    @property
    def shape(self) -> str:
        """The kind of values in a word for people."""
        if not self.values:
            return "empty"
        named = {"dates": self.dates, "clock times": self.times, "months": self.months, "numbers": self.numbers}
        best = max(named, key=lambda name: named[name])
        if self.is_text:
            return "free text"
        if named[best] >= 0.7 and not (best == "numbers" and self.is_coded and len(self.values) <= 12):
            return best
        repeated = self.distinct < 0.5 or len(self.values) <= 12
        return "codes" if self.is_coded and repeated else "identifiers or short words"


def is_short(text: str) -> bool:
    """Whether a value is short enough to be a code: no longer one is ever shown, or written into a mapping."""
    return len(text) <= _SHOWN_CHARS and len(text.split()) <= _SHOWN_WORDS


def profile(cells: pd.Series[str]) -> Profile:
    """The profile of a text column."""
    missing = words_for_missing("value")
    codes, distinct = distinct_texts(cells.str.strip())
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct)) if len(codes) else np.zeros(0, dtype=np.int64)
    pairs = [(t, int(n)) for t, n in zip(distinct, counts, strict=True) if t.casefold() not in missing]
    pairs.sort(key=lambda pair: -pair[1])
    total = sum(n for _, n in pairs)
    looked = pairs[:LOOKED_AT]
    weight = sum(n for _, n in looked) or 1

    def share(holds: list[bool]) -> float:
        return sum(n for (_, n), yes in zip(looked, holds, strict=True) if yes) / weight

    parts = [split_stamp(text) for text, _ in looked]
    serial = [bool(_SERIAL.match(text)) for text, _ in looked]
    day = [not s and parse_day(d, "day_first") is not None for (d, _), s in zip(parts, serial, strict=True)]
    number = [parse_number(text, "," in text) for text, _ in looked]
    return Profile(
        filled=total / max(len(cells), 1),
        distinct=len(pairs) / max(total, 1),
        dates=share(day),
        serials=share([s and parse_day(t, "day_first") is not None for (t, _), s in zip(looked, serial, strict=True)]),
        clocked=share([d and bool(clock) for d, (_, clock) in zip(day, parts, strict=True)]),
        times=share([":" in t and not d and parse_clock(t) is not None for (t, _), d in zip(looked, day, strict=True)]),
        months=share(
            [
                not d and len(t) >= 6 and parse_month(t, "day_first") is not None
                for (t, _), d in zip(looked, day, strict=True)
            ]
        ),
        numbers=share([n is not None for n in number]),
        whole=share([n is not None and n == int(n) for n in number]),
        words=sum(len(t.split()) * n for t, n in looked) / weight,
        chars=sum(len(t) * n for t, n in looked) / weight,
        separator=_separator(looked, weight),
        values=tuple(pairs),
    )


def _separator(looked: list[tuple[str, int]], weight: int) -> str:
    """What splits the lists in a column: the mark at which several cells fall apart into short parts."""
    for mark in SEPARATORS:
        split = [(text, n) for text, n in looked if mark in text.strip(mark + " ")]
        parts = [part.strip() for text, _ in split for part in text.split(mark)]
        if not parts or sum(n for _, n in split) < 0.02 * weight or sum(n for _, n in split) < 2:
            continue
        single = {text for text, _ in looked if mark not in text}
        known = sum(part in single or not part for part in parts) / len(parts)
        short = sum(len(part.split()) <= 3 and len(part) <= 30 for part in parts) / len(parts)
        dated = sum(parse_day(text, "day_first") is not None for text, _ in split) / len(split)
        if short > 0.9 and dated < 0.2 and (known >= 0.3 or mark in ";|"):
            return mark
    return ""
