"""A proposal as mapping.toml: plain, in the order of the tables, every line with the reason for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any
from unicodedata import category

from node.proposals.model import Choice, Proposal, ProposedSource
from node.tables.mapping import Origin

_UNSEEN = ("Cc", "Cf", "Zl", "Zp")  # control and format characters, line and paragraph separators
CODE_CHARACTERS = 30
CODE_WORDS = 4
_BARE_KEY = re.compile(r"^[A-Za-z0-9_-]+$")


def to_toml(proposal: Proposal) -> str:
    """The mapping file of a proposal, as it stands; what lacks a required column is written as a comment."""
    lines = [
        "# The mapping of this site's exports, proposed from their headers and values. Read it before you trust it;",
        "# change it as you like. The number before each reason is how sure the proposal is, from 0 to 1.",
        "version = 1",
    ]
    for source in proposal.sources:
        if source.wanted is not False:
            lines += ["", *_source_lines(source)]
    lines += _remarks(proposal)
    return "\n".join(lines) + "\n"


def _source_lines(source: ProposedSource) -> list[str]:
    remarks = [f"# {_plain(source.why)}.", *(f"# Question: {_plain(question)}" for question in source.questions)]
    body = ["[[source]]", f"table = {quoted(source.table)}", f"file = {quoted(source.file)}"]
    if source.sheet is not None:
        body.append(f"sheet = {quoted(source.sheet)}")
    if source.where:
        body.append(f"where = {_inline((name, _list(values)) for name, values in source.where.items())}")
    if source.explode is not None:
        columns, separator = _list(source.explode.columns), quoted(source.explode.separator)
        body.append(f"explode = {{ columns = {columns}, separator = {separator} }}")
    if source.date_order is not None:
        body.append(f"date_order = {quoted(source.date_order)}")
    body.append("[source.columns]")
    for choice in source.choices:
        body += _choice_lines(choice)
    gaps = [f"#   {gap.column}{': ' + gap.cost if gap.cost else ''}" for gap in source.missing]
    if gaps:
        body += ["# No column was found for:", *map(_plain, gaps)]
    if not source.is_complete:
        lacking = ", ".join(gap.column for gap in source.missing if gap.required)
        remarks.append(f"# Not in use, because required columns are missing: {lacking}.")
        body = [line if line.startswith("#") else f"# {line}" for line in body]
    return remarks + body


def _choice_lines(choice: Choice) -> list[str]:
    lines = [f"# {choice.confidence:.2f}: {_plain(choice.why)}"] if not choice.settled else []
    if choice.question:
        lines.append(f"# Question: {_plain(choice.question)}")
    if choice.unread:
        shown = [word for word in choice.unread if len(word) <= CODE_CHARACTERS and len(word.split()) <= CODE_WORDS]
        more = "" if len(shown) == len(choice.unread) else "; longer ones are left out here"
        lines.append(f"# Words without a code yet: {_plain(', '.join(shown))}{more}")
    return [*lines, f"{choice.column} = {_origin(choice.origin)}"]


def _origin(origin: Origin) -> str:
    if origin.column is not None and origin.time is None and not origin.codes:
        return quoted(origin.column)
    parts: list[tuple[str, str]] = []
    if origin.column is not None:
        parts.append(("column", quoted(origin.column)))
    if origin.columns:
        parts.append(("columns", _list(origin.columns)))
    if origin.constant is not None:
        parts.append(("constant", quoted(origin.constant)))
    if origin.time is not None:
        parts.append(("time", quoted(origin.time)))
    for name, words in (("checkbox", origin.checkbox), ("codes", origin.codes)):
        if words:
            parts.append((name, _words(words)))
    return _inline(parts)


def _words(words: Mapping[str, str]) -> str:
    return _inline((word, quoted(code)) for word, code in words.items())


def _inline(pairs: Iterable[tuple[str, str]]) -> str:
    return "{ " + ", ".join(f"{_key(name)} = {value}" for name, value in pairs) + " }"


def _list(values: Iterable[str]) -> str:
    return "[" + ", ".join(map(quoted, values)) + "]"


def _key(name: str) -> str:
    return name if _BARE_KEY.match(name) else quoted(name)


def plain_source(source: Mapping[str, Any]) -> str:
    """One [[source]] as a mapping file has it, from its parsed form (text, numbers, lists and tables of them)."""
    rest = {name: value for name, value in source.items() if name != "columns"}
    lines = ["[[source]]", *(f"{_key(name)} = {_value(value)}" for name, value in rest.items()), "[source.columns]"]
    lines += [f"{_key(name)} = {_value(origin)}" for name, origin in source["columns"].items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return _inline((name, _value(inner)) for name, inner in value.items())
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(text: str) -> str:
    """A TOML basic string; characters that nobody sees are spelt out."""
    written = json.dumps(text, ensure_ascii=False)
    return "".join(f"\\U{ord(letter):08x}" if category(letter) in _UNSEEN else letter for letter in written)


def _plain(text: str) -> str:
    """A text fit for one comment line."""
    return "".join(" " if category(letter) in _UNSEEN else letter for letter in text)


def _remarks(proposal: Proposal) -> list[str]:
    lines = [f"#   {gap.column}: {gap.cost}" for gap in proposal.tables_missing]
    found = ["", "# No export fills these tables:", *lines] if lines else []
    left = [
        f"#   {item.file}{', ' + repr(item.column) if item.column else ''}: {item.reason}" for item in proposal.left_out
    ]
    return found + (["", "# Left out on purpose; these columns are never read:", *map(_plain, left)] if left else [])
