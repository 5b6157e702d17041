"""Dates, numbers and names as the pages print them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime

from privacy.accountant import display_epsilon

_SPELT = {"rca": "RCA", "jc": "just-culture", "fte": "FTE", "ed": "ED"}
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86400


def moment(at_s: int) -> str:
    """`22 November 2026, 17:51 UTC`."""
    return datetime.fromtimestamp(at_s, UTC).strftime("%-d %B %Y, %H:%M UTC")


def day(value: int | str | date) -> str:
    """`22 November 2026`, from Unix time, an ISO date or a date."""
    if isinstance(value, int):
        value = datetime.fromtimestamp(value, UTC).date()
    elif isinstance(value, str):
        value = date.fromisoformat(value)
    return value.strftime("%-d %B %Y")


def ago(seconds: int) -> str:
    """How long ago in one unit: `3 minutes ago`."""
    for size, name in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds >= size:
            return f"{plural(seconds // size, name)} ago"
    return "less than a minute ago"


def plural(number: int, noun: str) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def epsilon(rho_nano: int) -> str:
    """The epsilon at delta 1e-6 of a charge."""
    return f"{display_epsilon(rho_nano)}"


def spaced(name: str) -> str:
    """`safety_event` as `safety event`, `rca_action` as `RCA action`."""
    return " ".join(_SPELT.get(word, word) for word in name.split("_"))


def sentence(text: str) -> str:
    """With a capital at its beginning; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def named(name: str) -> str:
    """A table or column as the beginning of a line."""
    return sentence(spaced(name))


def emptiest(completeness: Mapping[str, float]) -> str:
    """What to know of optional columns in half a line: how many are not filled in every row."""
    if not completeness:
        return "no optional columns"
    gaps = sum(percent < 100 for percent in completeness.values())
    return f"{gaps} of {plural(len(completeness), 'optional column')} with gaps" if gaps else "no gaps"


FILTERS: Mapping[str, Callable[..., str]] = {
    "moment": moment,
    "day": day,
    "ago": ago,
    "plural": plural,
    "epsilon": epsilon,
    "spaced": spaced,
    "sentence": sentence,
    "named": named,
    "emptiest": emptiest,
}
