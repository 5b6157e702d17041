"""How well the values of a column fit a canonical one, and how much that alone says."""

from __future__ import annotations

from dataclasses import dataclass

from node.proposals.codes import Reading, known_lookup, read_codes
from node.proposals.profile import Profile
from node.tables.numbers import parse_number
from node.tables.schema import Column

_MOST_TITLES = 500
_MOST_ANSWERS = 8
_MOST_SIZES, _LARGEST_GROUP = 60, 500
_PERSONS = ("person_key", "supporter_key")


@dataclass(frozen=True)
class Fit:
    """`value`: share of the values that fit. `special`: how much a good fit says without any header. `why` in words."""

    value: float
    special: float
    why: str
    reading: Reading | None = None


def fit(table: str, column: Column, seen: Profile, identifies: bool) -> Fit:
    """The fit of a column with values as profiled; `identifies` says that the canonical column alone names a row."""
    if not seen.values:
        return Fit(0.3, 0.0, "the column is empty so far")
    if seen.is_text and column.kind != "code":
        return Fit(0.0, 0.0, "free text")
    if column.kind in ("code", "flag"):
        return _code(table, column, seen)
    if column.kind == "key":
        return _key(column, seen, identifies)
    return _plain_kind(column, seen)


def _plain_kind(column: Column, seen: Profile) -> Fit:
    """The fit of dates, times, numbers and plain texts: the share that can be read as such."""
    if column.kind in ("date", "datetime"):
        return _date(column, seen)
    if column.kind == "month":
        value = min(1.0, seen.months + 0.8 * seen.dates)
        return Fit(value, 0.35 if seen.months > 0.7 else 0.1, f"{value:.0%} of the values are months")
    if column.kind == "time":
        return Fit(seen.times, 0.5, f"{seen.times:.0%} of the values are clock times")
    if column.kind in ("count", "number"):
        if column.name == "persons_in_group" and not _are_group_sizes(seen):
            return Fit(0.0, 0.0, "too many different or too large numbers for people in a group")
        share = seen.whole if column.kind == "count" else seen.numbers
        return Fit(share * (seen.dates < 0.5), 0.05, f"{share:.0%} of the values are numbers")
    short = seen.chars <= 40 and seen.dates < 0.5
    return Fit(0.85 if short else 0.1, 0.0, "short texts")


def _are_group_sizes(seen: Profile) -> bool:
    numbers = [number for text, _ in seen.values if (number := parse_number(text, "," in text)) is not None]
    return len(set(numbers)) <= _MOST_SIZES and max(numbers, default=0) <= _LARGEST_GROUP


def _date(column: Column, seen: Profile) -> Fit:
    value = min(1.0, seen.dates + 0.9 * seen.serials)
    clocks = ", most with a clock time" if seen.clocked > 0.5 else ""
    special = 0.2 if column.kind == "datetime" and clocks else 0.12
    return Fit(value, special if seen.dates > 0.7 else 0.0, f"{value:.0%} of the values are dates{clocks}")


def _code(table: str, column: Column, seen: Profile) -> Fit:
    if seen.dates > 0.5 or (seen.numbers > 0.9 and len(seen.values) > 30):
        return Fit(0.0, 0.0, "no codes")
    most = _MOST_ANSWERS if column.kind == "flag" else _MOST_TITLES
    if len(seen.values) > most:
        return Fit(0.0, 0.0, "too many different values for a code")
    numbered = all(text.isdigit() for text, _ in seen.values) and column.kind == "code"
    reading = read_codes(table, column, seen.values, numbered)
    if column.kind == "flag":
        fits = reading.share
        return Fit(fits, 0.06, f"{reading.share:.0%} of the values say yes or no", reading)
    if numbered and reading.share < 0.5:
        return Fit(0.75 if seen.is_coded else 0.0, 0.0, "the values are numbers without words", reading)
    if (not seen.is_coded and reading.share < 0.6) or (seen.is_text and reading.share < 0.8):
        return Fit(0.0, 0.0, "too many different values for a code", reading)
    special = reading.telling * (0.78 if reading.kinds >= 3 else 0.6 if reading.kinds == 2 else 0.3)
    words = f"{reading.share:.0%} of the values read as {column.name.replace('_', ' ')}"
    return Fit(0.3 + 0.7 * reading.share, special if reading.share > 0.4 else 0.0, words, reading)


_FLAG = Column("answer", "flag")


def _says_yes_or_no(text: str) -> bool:
    return known_lookup("", _FLAG)(text) is not None


def _key(column: Column, seen: Profile, identifies: bool) -> Fit:
    odd = seen.dates > 0.5 or seen.months > 0.5 or seen.times > 0.5 or seen.words > 2.6
    fraction = seen.numbers > 0.9 and seen.whole < 0.97
    answers = all(_says_yes_or_no(text) for text, _ in seen.values)
    if odd or fraction or answers:
        return Fit(0.05, 0.0, "no identifiers")
    if identifies:
        return Fit(0.6 + 0.4 * seen.distinct, 0.1 * (seen.distinct > 0.98), f"{seen.distinct:.0%} of the values differ")
    if column.name == "unit_key":
        if len(seen.values) == 1:
            return Fit(0.4, 0.0, "the same value in all rows")
        return Fit(1.0 if seen.distinct < 0.7 or len(seen.values) < 40 else 0.6, 0.05, "short names that repeat")
    if column.name in _PERSONS:
        return Fit(0.95 if seen.words <= 1.6 else 0.4, 0.05, "short identifiers")
    return Fit(0.95, 0.0, "identifiers")
