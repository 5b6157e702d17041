"""Clock times as people write them, alone or behind a date. Pure text in, seconds since midnight out."""

from __future__ import annotations

import re

DAY_S = 86_400
_CLOCK = re.compile(r"^(\d{1,2})(?:[:.h](\d{2}))(?:[:.](\d{2})(?:[.,]\d+)?)?\s*([ap])?\.?\s?(?:m\.?)?$", re.IGNORECASE)
_HOUR = re.compile(r"^(\d{1,2})\s*(?:([ap])\.?\s?m\.?|h|uhr)$", re.IGNORECASE)
_DIGITS = re.compile(r"^(\d{1,2})(\d{2})$")
_FRACTION = re.compile(r"^0?[.,]\d+$")
# A zone counts only behind a clock time: "12-OCT-2024" ends like one.
_ZONE = re.compile(
    r"^(?P<stamp>.*(?::\d{2}(?:\.\d+)?(?:\s*[AP]M)?|\dT\d{4,6}(?:\.\d+)?))\s*(?:Z|UTC|GMT|BST|[A-Z]{2,3}T|[+-]\d{2}:?\d{2})$",
    re.IGNORECASE,
)
_BEHIND_DATE = re.compile(
    r"^(?P<day>\d{8}|\d+\D+\d+.*?|.*?[^\W\d_]{3,}.*?\d.*?)"
    r"(?:(?<=\d)T|(?<=[A-Za-z]{3}\d{4}):|[\s,]+(?:at\s+)?)"
    r"(?P<clock>\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[ap]\.?\s?m\.?)?|\d{1,2}\s*[ap]\.?\s?m\.?)$",
    re.IGNORECASE,
)
_JOINED = re.compile(r"^(?P<day>\d{8})T?(?P<clock>\d{4})(?:\d{2})?(?:\.\d+)?$")
_SERIAL = re.compile(r"^(?P<day>\d{5})(?P<clock>[.,]\d+)$")


def split_stamp(text: str) -> tuple[str, str]:
    """The date's and the clock's part of a text ("" if there is none).

    A time zone is left out and the clock kept as written: what people remember is the clock on the ward's wall.
    """
    zoned = _ZONE.match(text) if ":" in text or "T" in text else None
    bare = zoned["stamp"] if zoned else text
    for pattern in (_BEHIND_DATE,) if ":" in bare else (_SERIAL, _JOINED, _BEHIND_DATE):
        match = pattern.match(bare)
        if match:
            return match["day"], match["clock"]
    return bare, ""


def parse_clock(text: str) -> int | None:
    """Seconds since midnight: 14:30, 14:30:05, 2.30 pm, 14h30, 2 pm, 1430, a spreadsheet's fraction of a day, or None.

    24:00 is midnight. A date in front is passed over.
    """
    if _FRACTION.match(text):
        return round(float(text.replace(",", ".")) * DAY_S) % DAY_S
    clock = split_stamp(text)[1] or text
    if _FRACTION.match(clock):
        return round(float("0" + clock.replace(",", ".")) * DAY_S) % DAY_S
    match = _CLOCK.match(clock)
    if match:
        return _seconds(match[1], match[2], match[3] or "0", match[4])
    match = _HOUR.match(clock)
    if match:
        return _seconds(match[1], "0", "0", match[2])
    match = _DIGITS.match(clock)
    return _seconds(match[1], match[2], "0", None) if match else None


def _seconds(hour_text: str, minute_text: str, second_text: str, half: str | None) -> int | None:
    hour, minute, second = int(hour_text), int(minute_text), int(second_text)
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.casefold() == "p" else 0)
    if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second > 0):
        return None
    return (hour * 3600 + minute * 60 + second) % DAY_S
