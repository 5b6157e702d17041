"""Typed cells of workbooks and databases as the text that a CSV export would hold."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

SIGNIFICANT_DIGITS = 15
"""What a spreadsheet keeps of a number; longer identifiers have lost digits and come out in scientific notation."""


def cell_text(value: object) -> str | None:
    """The text of a value, blank as ""; None for a kind that has no plain text (binary, lists, documents)."""
    if value is None:
        return ""
    return next((write(value) for kind, write in _WRITERS if isinstance(value, kind)), None)


def _duration_text(value: dt.timedelta) -> str:
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _number_text(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.{SIGNIFICANT_DIGITS}g}"


# In this order: a truth value is an int, and a datetime is a date.
_WRITERS: tuple[tuple[type, Callable[[Any], str]], ...] = (
    (str, str.strip),
    (bool, lambda value: "true" if value else "false"),
    (int, str),
    (float, _number_text),
    (Decimal, "{:f}".format),
    (dt.datetime, lambda value: value.isoformat(sep=" ")),
    (dt.date, dt.date.isoformat),
    (dt.time, dt.time.isoformat),
    (dt.timedelta, _duration_text),
    (UUID, str),
)
