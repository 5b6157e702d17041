"""Numbers as people write them: thousands and decimal marks, spaces, and the units of a duration in minutes."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(r"^[~≈<>]?\s*([+-]?)\s*(\d[\d.,'\s]*|[.,]\d+)\s*(.*)$")
_DECIMAL_COMMA = re.compile(r"^\D*\d+,(?!\d{3}(?:\D|$))\d+|\.\d{3},\d")
_MINUTES = re.compile(r"^(?:m|mins?|minutes?|')\.?$", re.IGNORECASE)
_HOURS = re.compile(r"^(?:h|hrs?|hours?)\.?$", re.IGNORECASE)
_HOURS_MINUTES = re.compile(r"^(\d{1,2})\s*(?:h|hrs?|hours?)\s*(\d{1,2})\s*(?:m|mins?|minutes?)?$", re.IGNORECASE)


def uses_decimal_comma(values: Iterable[str]) -> bool:
    """Whether any value of a column shows that its comma marks decimals: 1,5 or 1.234,5 but not 1,234."""
    return any(_DECIMAL_COMMA.search(value) for value in values)


def parse_number(text: str, decimal_comma: bool) -> float | None:
    """The number that a text means, or None; units other than minutes and hours make it none. Hours become minutes."""
    pair = _HOURS_MINUTES.match(text)
    if pair:
        return float(int(pair[1]) * 60 + int(pair[2]))
    match = _NUMBER.match(text)
    if not match:
        return None
    sign, digits, unit = match[1], re.sub(r"[\s']", "", match[2]), match[3]
    thousands, decimal = (".", ",") if decimal_comma else (",", ".")
    try:
        value = float(digits.replace(thousands, "").replace(decimal, "."))
    except ValueError:
        return None
    if unit and not _MINUTES.match(unit):
        if not _HOURS.match(unit):
            return None
        value *= 60
    return -value if sign == "-" else value
