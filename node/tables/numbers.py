"""Numbers as people write them: thousands and decimal marks, spaces, and the units of a duration in minutes."""

from __future__ import annotations

import re
from collections.abc import Collection

_NUMBER = re.compile(r"^[~≈<>]?\s*([+-]?)\s*(\d[\d.,'\s]*|[.,]\d+)\s*(.*)$")
# Thousands never begin with a zero, so 0,125 is a decimal fraction and 0.125 is no 125.
_DECIMAL_COMMA = re.compile(r"^[^\d.,]*(?:0,\d+|\d+,(?!\d{3}(?:\D|$))\d+|[1-9]\d{0,2}(?:\.\d{3})+,\d+)(?![\d.,])")
_DOTTED_THOUSANDS = re.compile(r"^[1-9]\d{0,2}(?:\.\d{3})+$")
# The last group has three digits; those before it may have two (1,23,456 in South Asia).
_GROUPED = re.compile(r"^[1-9]\d{0,2}(?:T\d{2,3})*T\d{3}$")
_MINUTES = re.compile(r"^(?:m|mins?|minutes?|')\.?$", re.IGNORECASE)
_HOURS = re.compile(r"^(?:h|hrs?|hours?)\.?$", re.IGNORECASE)
_HOURS_MINUTES = re.compile(r"^(\d{1,2})\s*(?:h|hrs?|hours?)\s*(\d{1,2})\s*(?:m|mins?|minutes?)?$", re.IGNORECASE)


def uses_decimal_comma(values: Collection[str], delimiter: str) -> bool:
    """Whether the numbers of a file, all columns together, have a decimal comma.

    They do if any of them shows it (1,5 or 1.234,5 but not 1,234). They also do if the file is separated by semicolons,
    which is how spreadsheets export where the comma marks decimals, and every value with a point looks like thousands
    (1.020; there must be one).
    """
    if any(_DECIMAL_COMMA.search(value) for value in values):
        return True
    dotted = [value for value in values if "." in value]
    return delimiter == ";" and bool(dotted) and all(map(_DOTTED_THOUSANDS.match, dotted))


def parse_number(text: str, decimal_comma: bool) -> float | None:
    """The number that a text means, or None; units other than minutes and hours make it none. Hours become minutes.

    Thousands marks count only between groups of digits: 1.5 is none where the comma marks decimals, and not 15.
    """
    pair = _HOURS_MINUTES.match(text)
    if pair:
        return float(int(pair[1]) * 60 + int(pair[2]))
    match = _NUMBER.match(text)
    if not match:
        return None
    sign, digits, unit = match[1], re.sub(r"[\s']", "", match[2]), match[3]
    thousands, decimal = (".", ",") if decimal_comma else (",", ".")
    whole = digits.partition(decimal)[0].replace(thousands, "T")
    if "T" in whole and not _GROUPED.match(whole):
        return None
    try:
        value = float(digits.replace(thousands, "", whole.count("T")).replace(decimal, "."))
    except ValueError:
        return None
    if unit and not _MINUTES.match(unit):
        if not _HOURS.match(unit):
            return None
        value *= 60
    return -value if sign == "-" else value
