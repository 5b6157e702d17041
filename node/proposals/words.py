"""The vocabulary of headers, and how like two headers are."""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_BRACKETED = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]")
_WORD = re.compile(r"[a-z]+|\d+|#")
_VAGUE = frozenset(("id", "date", "type", "staff", "unit", "event", "role"))
_VAGUE_WEIGHT = 0.5
_LEAST_COMPOUND = 5
_NEARLY = 0.88
_COMPOUND_IDS = ("nummer", "nummern", "kennung", "kurzel")
_LATER = 0.002  # earlier names are better ones


@cache
def vocabulary() -> dict[str, Any]:
    """The vocabulary as it stands in vocabulary.toml."""
    return tomllib.loads(files("node.proposals").joinpath("vocabulary.toml").read_text(encoding="utf-8"))


@cache
def plain_words(text: str) -> tuple[str, ...]:
    """The words of a header as written: no case, accents or punctuation; camelCase is split."""
    spaced = _CAMEL.sub(" ", text.replace("ß", "ss"))
    ascii_text = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().casefold()
    return tuple(_WORD.findall(ascii_text))


@cache
def header_words(text: str) -> frozenset[str]:
    """The words of a header as they are compared: synonyms made equal, words without meaning left out."""
    words = [_equal().get(word, word) for word in plain_words(text)]
    return frozenset(word for word in words if word not in _ignored()) or frozenset(words)


@cache
def likeness(header: str, table: str, column: str) -> float:
    """How much a header speaks for a canonical column, 0 to 1: its name, and the names that the vocabulary knows."""
    names = known_names(table, column)
    written = {header, without_hints(header)}
    return max(
        (_alike(w, name) * (1 - _LATER * min(n, 10)) for n, name in enumerate(names) for w in written), default=0.0
    )


@cache
def without_hints(header: str) -> str:
    """A header without brackets that only say how its values are written: formats, units, and such."""
    return _BRACKETED.sub(lambda found: "" if set(plain_words(found[1])) <= _hints() else found[0], header) or header


@cache
def names_a_number(header: str) -> bool:
    """Whether a header is that of a number which names somebody or something ("Staff no"), and counts nothing."""
    words = plain_words(without_hints(header))
    return bool(words) and (words[-1] in _identifying() or words[-1].endswith(_COMPOUND_IDS))


@cache
def known_names(table: str, column: str) -> tuple[str, ...]:
    """The names under which a canonical column is known: those meant for this table, or its own and others."""
    columns: Mapping[str, list[str]] = vocabulary()["columns"]
    special = columns.get(f"{table}.{column}")
    return (*special, column) if special is not None else (column, *columns.get(column, []))


@cache
def table_likeness(file: str, table: str) -> float:
    """How much the name of a file, sheet or instrument speaks for a table, 0 to 1."""
    names = (table, *vocabulary()["tables"].get(table, []))
    given = header_words(file)
    joined = "".join(plain_words(file))
    best = 0.0
    for name in names:
        words = header_words(name)
        if words <= given:
            best = max(best, 1.0 if words == given or len(words) > 1 else 0.7)
        elif len("".join(plain_words(name))) >= _LEAST_COMPOUND and "".join(plain_words(name)) in joined:
            best = max(best, 0.6)
    return best


@cache
def _alike(left: str, right: str) -> float:
    one, other = header_words(left), header_words(right)
    if not one or not other:
        return 0.0
    if one == other:
        return 1.0
    shared = 2 * _weight(one & other) / (_weight(one) + _weight(other))
    score = 0.9 * shared if shared >= 0.5 else 0.0
    joined, known = "".join(plain_words(left)), "".join(plain_words(right))
    if min(len(joined), len(known)) >= _LEAST_COMPOUND:
        if joined == known:
            return 1.0
        if known in joined or _nearly_equal(joined, known):
            score = max(score, 0.65)
    return score


def _nearly_equal(left: str, right: str) -> bool:
    if 2 * min(len(left), len(right)) < _NEARLY * (len(left) + len(right)):
        return False  # the cheap bound
    return difflib.SequenceMatcher(None, left, right).ratio() >= _NEARLY


def _weight(words: frozenset[str]) -> float:
    return sum(_VAGUE_WEIGHT if word in _VAGUE else 1.0 for word in words)


@cache
def _equal() -> dict[str, str]:
    groups: dict[str, list[str]] = vocabulary()["equal"]
    return {word: one for one, words in groups.items() for word in words}


@cache
def _identifying() -> frozenset[str]:
    return frozenset(vocabulary()["equal"]["id"]) - {"n"}  # "n" is how many


@cache
def _hints() -> frozenset[str]:
    return frozenset(vocabulary()["hints"]["words"])


@cache
def _ignored() -> frozenset[str]:
    return frozenset(vocabulary()["ignored"]["words"])
