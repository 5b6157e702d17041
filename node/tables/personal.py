"""What is refused at the door: columns named like patients' identities, diagnoses or free text, or that hold them.

The names are a reviewed list, personal.toml. A mapping cannot overrule it: who is sure that a column holds something
else renames it in the export, which the export's owner can see.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import cache
from importlib.resources import files
from tomllib import loads

import pandas as pd
from pydantic import BaseModel, ConfigDict

from node.tables.schema import Column, Kind

KEEPS_TEXT: tuple[Kind, ...] = ("code", "flag", "plain")
SHARE = 0.2
"""Above this share of its filled rows, the values speak for the column; single cells are the business of rules."""
FEWEST = 5
_LONG_CHARACTERS = 80
_LONG_WORDS = 12
_NHS_FEWEST = 8
_NHS_SHARE = 0.9  # of any ten digits, one in eleven has a valid check digit by chance
_ICD_SHARE = 0.5
_CHOICE = re.compile(r"\(choice=.*\)$")  # a checkbox's header under REDCap's labels ends with the choice
_POSSESSIVE = re.compile(r"['’]s\b")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_WORDS = re.compile(r"[a-z]+|\d+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}", re.IGNORECASE)
_ICD = re.compile(r"[A-TV-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?", re.IGNORECASE)
_NHS = re.compile(r"\d{3}[ -]?\d{3}[ -]?\d{4}")


class _Pairs(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    first: frozenset[str] = frozenset()
    second: frozenset[str] = frozenset()


class _Refused(BaseModel):
    """One group of refused names; see the head of personal.toml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    what: str
    as_text: bool
    whole: frozenset[str]
    anywhere: tuple[str, ...]
    at_the_end: tuple[str, ...]
    ornaments: frozenset[str]
    pairs: _Pairs = _Pairs()

    def names(self, words: Sequence[str]) -> bool:
        """Whether these words of a header name what this group refuses."""
        padded = f" {' '.join(words)} "
        bare = " ".join(word for word in words if word not in self.ornaments and not word.isdigit())
        return (
            padded.strip() in self.whole
            or bare in self.whole
            or any(f" {phrase} " in padded for phrase in self.anywhere)
            or any(re.search(rf" {phrase}(?: \d+)? $", padded) for phrase in self.at_the_end)
            or any(a in self.pairs.first and b in self.pairs.second for a, b in itertools.pairwise(words))
        )


def personal_header(header: str, keeps_text: bool = True) -> str | None:
    """What a source column's name says that is refused, in words; None if the column may be read.

    `keeps_text`: words of the column could stay as they are, as they cannot in keys (hashed), dates and numbers.
    """
    words = _words(header)
    groups = (group for group in _refused() if keeps_text or not group.as_text)
    return next((group.what for group in groups if group.names(words)), None)


def personal_values(column: Column, text: pd.Series[str], local_codes: Collection[str]) -> str | None:
    """What the values mapped to a canonical column look like that is refused, in words; None if they may be read.

    `text` holds "" where blank; `local_codes` are words that the mapping knows as codes, and so are no free text.
    """
    if column.kind not in ("key", *KEEPS_TEXT):
        return None
    known = {code.strip().casefold() for code in local_codes}
    filled = text[text.ne("") & ~text.str.casefold().isin(known)]
    rows = filled.value_counts()
    if _are_nhs_numbers(rows.index):
        return "NHS numbers"
    if _are_long(rows, int(text.ne("").sum())):
        return "free text"
    if column.kind == "key":
        return None
    if rows[[has_email(value) for value in rows.index]].sum() > SHARE * max(len(filled), FEWEST):
        return "e-mail addresses"
    icd = [bool(_ICD.fullmatch(value)) for value in rows.index]
    return "diagnoses (ICD codes)" if sum(icd) >= max(FEWEST, _ICD_SHARE * len(icd)) else None


def has_email(text: str) -> bool:
    """Whether there is an e-mail address in a text."""
    return bool(_EMAIL.search(text))


def _are_long(rows: pd.Series[int], filled: int) -> bool:
    """Whether long texts are common and mostly different: long names of codes repeat, and sentences do not."""
    long = rows[[len(text) > _LONG_CHARACTERS or len(text.split()) > _LONG_WORDS for text in rows.index]]
    return len(long) >= FEWEST and long.sum() > SHARE * filled and len(long) > long.sum() / 2


def _are_nhs_numbers(values: Collection[str]) -> bool:
    numbers = [re.sub(r"\D", "", value) for value in values if _NHS.fullmatch(value)]
    return len(numbers) >= max(_NHS_FEWEST, _NHS_SHARE * len(values)) and (
        sum(map(_has_check_digit, numbers)) >= _NHS_SHARE * len(numbers)
    )


def _has_check_digit(number: str) -> bool:
    """The tenth digit of an NHS number: 11 minus the weighted sum modulo 11, where 11 counts as 0."""
    total = sum(int(digit) * weight for digit, weight in zip(number, range(10, 1, -1), strict=False))
    return (11 - total % 11) % 11 == int(number[-1])


def _words(header: str) -> list[str]:
    spaced = _CAMEL.sub(" ", _POSSESSIVE.sub("", _CHOICE.sub("", header.strip())))
    plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().casefold()
    return _WORDS.findall(plain)


@cache
def _refused() -> tuple[_Refused, ...]:
    text = files("node.tables").joinpath("personal.toml").read_text(encoding="utf-8")
    return tuple(map(_Refused.model_validate, loads(text)["refused"]))
