"""From an export's words to canonical codes: the site's own codes first, then canonical ones, then known synonyms."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from node.tables.schema import ROLE_GROUP, SCORE, Column

# What a required code becomes when it is blank, and when it says something that is not recognised.
FALLBACKS: dict[str, tuple[str, str]] = {
    "harm": ("unknown", "unknown"),
    "harm_source_scale": ("local", "local"),
    "event_type": ("other", "other"),
    "unit_type": ("other", "other"),
    "referral_source": ("unknown", "other"),
    "event_reason": ("other", "other"),
    "factor": ("other", "other"),
    "role_group": ("support_admin_other", "support_admin_other"),
    "behaviour": ("not_reviewed", "undetermined"),
    "outcome": ("unknown", "unknown"),
}
CLASS_MARK = "class:"
"""Prefix of the value that a harm lookup gives for words that are classes of event."""

_NUMBER_IN_FRONT = re.compile(r"^(?:category|cat|level|grade|class|code|tier|merp|ncc merp)\s+|^\d+\s+(?=[a-z])")
_FLOAT = re.compile(r"^(\d+)\.0+$")
_LETTER_IN_FRONT = re.compile(r"^([a-i])\s+\S")

Lookup = Callable[[str], str | None]


def normalise_code(text: str) -> str:
    """A word as it is compared: no case, accents, punctuation or repeated spaces; 3.0 is 3."""
    plain = unicodedata.normalize("NFKD", _FLOAT.sub(r"\1", text.strip())).encode("ascii", "ignore").decode()
    words = " ".join(re.findall(r"[a-z0-9]+", plain.casefold()))
    return words or text.strip().casefold()


def code_lookup(table: str, column: Column, local: Mapping[str, str]) -> Lookup:
    """The function from a word to the code of a column (or "yes"/"no" of a flag), None if it is not recognised."""
    section = "flag" if column.kind == "flag" else f"{table}.{column.name}"
    section = "score" if column.codes == SCORE else section
    known = _words(section) or _words(column.name)
    known = {**known, **{normalise_code(code): code for code in column.codes or ("yes", "no")}}
    known.update({normalise_code(word): code for word, code in local.items()})
    titles = _titles(column.codes) if set(ROLE_GROUP) <= set(column.codes) else ()

    def look(text: str) -> str | None:
        word = normalise_code(text)
        found = known.get(word) or known.get(_NUMBER_IN_FRONT.sub("", word))
        return found or next((title.code for title in titles if title.pattern.search(word)), None)

    return look


def harm_lookup(column: Column, local: Mapping[str, str], read_marks: bool) -> Lookup:
    """As code_lookup for harm; letters and numbers of the published scales only with `read_marks`.

    Words that are classes of event give CLASS_MARK and the class.
    """
    plain = code_lookup("safety_event", column, local)
    classes = {word: CLASS_MARK + code for word, code in _words("harm_classes").items()}
    marks = {**_words("harm_marks"), **classes}
    chosen = marks if read_marks else {word: code for word, code in classes.items() if len(word) > 1}

    def look(text: str) -> str | None:
        word = _NUMBER_IN_FRONT.sub("", normalise_code(text))
        letter = _LETTER_IN_FRONT.match(word)
        return plain(text) or chosen.get(word) or (chosen.get(letter[1]) if letter else None)

    return look


def harm_form(text: str) -> str | None:
    """Whether a harm is given as a letter, a number or a word; None for words that stand beside any scale."""
    word = _NUMBER_IN_FRONT.sub("", normalise_code(text))
    if word in _words("harm_marks") or word in ("a", "b"):
        return "numbers" if word.isdigit() else "letters"
    return "words" if _words("harm").get(word) in ("mild_harm", "moderate_harm", "severe_harm") else None


@cache
def words_for_missing(kind: Literal["value", "identifier"]) -> frozenset[str]:
    """Casefolded words that mean that there is no value, or that an identifier names nobody."""
    words = synonyms()["missing"]
    return frozenset(words["value"]) | frozenset(words["identifier"] if kind == "identifier" else ())


@dataclass(frozen=True)
class _Title:
    code: str
    pattern: re.Pattern[str]


@cache
def synonyms() -> dict[str, Any]:
    """The table of known words, as it stands in synonyms.toml."""
    return tomllib.loads(files("node.tables").joinpath("synonyms.toml").read_text(encoding="utf-8"))


@cache
def _words(section: str) -> dict[str, str]:
    """Word -> code of one section; empty if there is none."""
    codes: dict[str, list[str]] = synonyms().get(section, {})
    return {normalise_code(word): code for code, words in codes.items() for word in words}


@cache
def _titles(codes: tuple[str, ...]) -> tuple[_Title, ...]:
    """The ordered job titles, of those codes that the column has."""
    return tuple(
        _Title(entry["code"], re.compile("|".join(map(_title_pattern, entry["words"]))))
        for entry in synonyms()["role"]
        if entry["code"] in codes
    )


def _title_pattern(words: str) -> str:
    """The pattern of a title: whole words, or with a trailing * the beginning of the last one."""
    return rf"\b{words[:-1]}" if words.endswith("*") else rf"\b{words}\b"
