"""Dates as people write them. Pure text in, numbers out; nothing here knows about tables.

Read are ISO (2024-03-12, 20240312), numeric dates with four- or two-digit years in either order, dates with month
names (English and the main European languages), a spreadsheet's day numbers, and clock times behind any of them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

Order = Literal["day_first", "month_first", "year_first"]

SENTINELS = frozenset(
    date(*day)
    for day in (
        (1, 1, 1),
        (1753, 1, 1),
        (1899, 12, 30),
        (1899, 12, 31),
        (1900, 1, 1),
        (1970, 1, 1),
        (9999, 12, 31),
    )
)
EARLIEST_YEAR = 1990  # no programme is older, and earlier dates are birthdays and typing errors
LATEST_YEAR = 2100
EXCEL_EPOCH = date(1899, 12, 30)

_MONTHS = {
    **dict.fromkeys(("jan", "ene", "gen"), 1),
    **dict.fromkeys(("feb", "fev"), 2),
    **dict.fromkeys(("mar", "maa", "mrt"), 3),
    **dict.fromkeys(("apr", "avr", "abr"), 4),
    **dict.fromkeys(("may", "mai", "mei", "mag"), 5),
    **dict.fromkeys(("jun", "juin", "giu"), 6),
    **dict.fromkeys(("jul", "juil", "lug"), 7),
    **dict.fromkeys(("aug", "aou", "ago"), 8),
    **dict.fromkeys(("sep", "set"), 9),
    **dict.fromkeys(("oct", "okt", "out", "ott"), 10),
    "nov": 11,
    **dict.fromkeys(("dec", "dez", "dic"), 12),
}
_IGNORED_WORDS = frozenset(("st", "nd", "rd", "th", "of", "de", "the"))
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MOST_DIGITS = 8  # year, month and day run together
_TOKENS = re.compile(r"\d+|[a-z]+")
_SERIAL = re.compile(r"^\d{5}(?:[.,]\d+)?$")
_ALLOWED = re.compile(r"^[\d a-z./,'\\-]+$")


@dataclass(frozen=True)
class Day:
    """A date as read, and how: `swapped` means in the other order than asked for."""

    value: date
    swapped: bool = False
    serial: bool = False
    two_digit_year: bool = False


@dataclass(frozen=True)
class Numeric:
    """Three numbers whose order is not known: the year is last, the first two are day and month in some order."""

    first: int
    second: int
    year_text: str


def parse_day(text: str, order: Order) -> Day | None:
    """The date that a text means in a column of this order, or None if it means none."""
    if _SERIAL.match(text):
        value = EXCEL_EPOCH + timedelta(days=int(re.split("[.,]", text)[0]))
        return Day(value, serial=True) if EARLIEST_YEAR <= value.year < LATEST_YEAR else None
    numbers, month = _tokens(text)
    if month is not None:
        return _named_month(numbers, month)
    if len(numbers) == 1 and len(numbers[0]) == 8:
        joined = numbers[0]
        numbers = [joined[:4], joined[4:6], joined[6:]]
    if len(numbers) != 3:
        return None
    if len(numbers[0]) == 4 or (order == "year_first" and len(numbers[2]) <= 2):
        return _day(numbers[0], int(numbers[1]), int(numbers[2]))
    return _two_orders(text, numbers, order)


def date_evidence(text: str) -> Order | None:
    """Which order a text proves by a number above 12; None if it fits both, or has no such order."""
    numeric = _numeric(text)
    if numeric is None or "." in text:
        return None
    if numeric.first > 12 >= numeric.second:
        return "day_first"
    return "month_first" if numeric.second > 12 >= numeric.first else None


def has_open_order(text: str) -> bool:
    """Whether a text fits day first and month first alike, as different dates."""
    numeric = _numeric(text)
    return (
        numeric is not None
        and "." not in text
        and max(numeric.first, numeric.second) <= 12
        and numeric.first != numeric.second
    )


def _tokens(text: str) -> tuple[list[str], int | None]:
    """The numbers of a text and its month name's number; no numbers if there is anything else in it."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().strip()
    if not _ALLOWED.match(plain):
        return [], None
    numbers: list[str] = []
    month: int | None = None
    for token in _TOKENS.findall(plain):
        if token.isdigit():
            if len(token) > _MOST_DIGITS:
                return [], None
            numbers.append(token)
        elif token in _IGNORED_WORDS or (token[:3] in _WEEKDAYS and month is None and not numbers):
            continue
        else:
            found = _MONTHS.get(token[:4]) or _MONTHS.get(token[:3])
            if found is None or month is not None:
                return [], None
            month = found
    return numbers, month


def _numeric(text: str) -> Numeric | None:
    numbers, month = _tokens(text)
    if month is not None or len(numbers) != 3 or len(numbers[0]) > 2 or len(numbers[2]) not in (2, 4):
        return None
    return Numeric(int(numbers[0]), int(numbers[1]), numbers[2])


def _two_orders(text: str, numbers: list[str], order: Order) -> Day | None:
    if len(numbers[0]) > 2 or len(numbers[1]) > 2:
        return None
    # Dates with dots are written day first everywhere.
    month_first = order == "month_first" and "." not in text
    first, second = int(numbers[0]), int(numbers[1])
    month, day = (first, second) if month_first else (second, first)
    if month > 12 >= day:
        swapped = _day(numbers[2], day, month)
        return Day(swapped.value, swapped=True, two_digit_year=swapped.two_digit_year) if swapped else None
    return _day(numbers[2], month, day)


def _named_month(numbers: list[str], month: int) -> Day | None:
    if len(numbers) != 2:
        return None
    year, day = (numbers[0], numbers[1]) if len(numbers[0]) == 4 else (numbers[1], numbers[0])
    return _day(year, month, int(day))


def _day(year_text: str, month: int, day: int) -> Day | None:
    year = int(year_text)
    short = len(year_text) == 2
    if short:
        year += 2000 if year <= 68 else 1900
    elif len(year_text) != 4:
        return None
    try:
        value = date(year, month, day)
    except ValueError:
        return None
    if value not in SENTINELS and not EARLIEST_YEAR <= year < LATEST_YEAR:
        return None
    return Day(value, two_digit_year=short)


def parse_month(text: str, order: Order) -> Day | None:
    """The first day of the month that a text means: 2024-03, 03/2024, 202403, Mar 2024, Mar-24, or any date in it."""
    numbers, month = _tokens(text)
    if month is not None and len(numbers) == 1:
        return _day(numbers[0], month, 1)
    if month is None and len(numbers) == 1 and len(numbers[0]) == 6:
        return _day(numbers[0][:4], int(numbers[0][4:]), 1)
    if month is None and len(numbers) == 2:
        year, number = (numbers[0], numbers[1]) if len(numbers[0]) == 4 else (numbers[1], numbers[0])
        return _day(year, int(number), 1)
    day = parse_day(text, order)
    return None if day is None else Day(day.value.replace(day=1), day.swapped, day.serial, day.two_digit_year)
