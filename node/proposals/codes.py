"""From a column's words to canonical codes: what the import knows by itself, and what the vocabulary adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from node.proposals.profile import is_short
from node.proposals.words import vocabulary
from node.tables.codes import CLASS_MARK, Lookup, code_lookup, harm_lookup, normalise_code
from node.tables.schema import Column

_WEAK = frozenset(("yes", "no", "other", "unknown", "none", "x"))


@dataclass(frozen=True)
class Reading:
    """How far the words of a column can be read as the codes of a canonical one.

    `share`: of the cells. `telling`: of the cells, those whose word could hardly mean anything else. `known`: every
    word that was read. `codes`: those worth writing down, since they differ from the canonical code. `unread`: short
    words without a code, most frequent first; longer ones may say anything and are never shown.
    """

    share: float
    telling: float
    kinds: int
    known: dict[str, str]
    codes: dict[str, str]
    unread: tuple[str, ...]


def read_codes(table: str, column: Column, values: Sequence[tuple[str, int]], numbered: bool) -> Reading:
    """Read distinct values (with their rows) as codes; `numbered` says that numbers are the export's own codes."""
    total = sum(n for _, n in values) or 1
    look, added = known_lookup(table, column), _added(table, column.name, column.kind)
    share = telling = 0.0
    known: dict[str, str] = {}
    codes: dict[str, str] = {}
    unread: list[str] = []
    for text, rows in values:
        word = normalise_code(text)
        bare_number = word.isdigit() and column.name not in ("tier", "highest_tier", "harm") and column.kind != "flag"
        native = None if numbered and bare_number else look(text)
        exact = added.get(word)
        code = native if native is not None and (exact is None or word in _codes_of(column)) else exact or native
        if code is None:
            unread += [text] if is_short(text) else []
            continue
        share += rows / total
        known[text] = code
        if len(word) > 1 and not word.isdigit() and word not in _WEAK:
            telling += rows / total
        if code != native or (normalise_code(code) != word and is_short(text)):  # the import reads long ones by itself
            codes[text] = code
    plain = {word: code for word, code in codes.items() if not code.startswith(CLASS_MARK)}
    return Reading(share, telling, len(set(known.values())), known, plain, tuple(unread))


@cache
def known_lookup(table: str, column: Column) -> Lookup:
    """What the import itself makes of a word."""
    if column.name == "harm":
        return harm_lookup(column, {}, read_marks=True)
    return code_lookup(table, column, {})


@cache
def _added(table: str, name: str, kind: str) -> dict[str, str]:
    words = vocabulary()["words"]
    section: dict[str, list[str]] = words.get(f"{table}.{name}") or words.get("flag" if kind == "flag" else name) or {}
    if name == "highest_tier":
        section = words["tier"]
    return {normalise_code(word): code for code, found in section.items() for word in found}


@cache
def _codes_of(column: Column) -> frozenset[str]:
    return frozenset(map(normalise_code, column.codes))
