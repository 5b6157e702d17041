"""The mapping of today beside a proposal: what was settled once holds, and what the proposal does not fill stays."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from node.proposals.changes import columns_of
from node.proposals.model import Choice, Proposal, ProposedSource
from node.proposals.write import plain_source, to_toml
from node.tables.mapping import Mapping, MappingError, Origin, Source, load_mapping
from node.tables.schema import TABLES


@dataclass(frozen=True)
class Renewed:
    """A mapping file as it would be written, and the tables in it that are kept as they are mapped today."""

    text: str
    kept: tuple[str, ...]


@dataclass(frozen=True)
class Loss:
    """What is mapped today and would no longer be read: whole tables, and `table.column` of tables that stay."""

    tables: tuple[str, ...]
    columns: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.tables or self.columns)


def mapping_of_today(path: Path) -> Mapping | None:
    """The mapping that is there; None where there is none that can be used."""
    try:
        return load_mapping(path)
    except MappingError:
        return None


def as_mapped(proposal: Proposal, today: Mapping | None) -> Proposal:
    """The proposal, with today's origin of every column whose source columns are still in the file."""
    if today is None:
        return proposal
    sources = tuple(_as_mapped(proposal, source, _of_today(proposal, source, today)) for source in proposal.sources)
    return proposal.model_copy(update={"sources": sources})


def renew(proposal: Proposal, chosen: Proposal, path: Path) -> Renewed:
    """`chosen` as a file, with today's sources of every table that it does not fill and that nobody declined.

    `chosen` is what is taken over of `proposal`; `path` is the mapping of today.
    """
    settled = {source.table for source in chosen.sources}
    settled |= {source.table for source in proposal.sources if source.wanted is False}
    rest = [source for source in _sources_of(path) if source["table"] not in settled]
    kept = tuple(dict.fromkeys(source["table"] for source in rest))
    gaps = tuple(gap for gap in chosen.tables_missing if gap.column not in kept)
    text = to_toml(chosen.model_copy(update={"tables_missing": gaps}))
    if rest:
        text += "\n# Kept as it was mapped before: the proposal fills none of these tables.\n"
    return Renewed(text + "\n".join(map(plain_source, rest)), kept)


def loss(today: Mapping | None, after: Mapping | None) -> Loss:
    """What `today` reads and `after` does not; a table that came from a database is lost with its view."""
    old, new = _read(today), _read(after)
    tables = tuple(sorted(old.keys() - new.keys()))
    columns = (f"{name}.{column}" for name in old.keys() & new.keys() for column in old[name] - new[name])
    return Loss(tables, tuple(sorted(columns)))


def _read(mapping: Mapping | None) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for source in mapping.sources if mapping else ():
        name = f"{source.table} from {source.database.view}" if source.database else source.table
        found.setdefault(name, set()).update(source.columns)
    return found


def _sources_of(path: Path) -> list[dict[str, Any]]:
    """The sources of a mapping as they stand in its file; none if it cannot be used."""
    if mapping_of_today(path) is None:
        return []
    sources: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8-sig"))["source"]
    return sources


def _of_today(proposal: Proposal, source: ProposedSource, today: Mapping) -> Source | None:
    """Today's source of the same table and file: with the same filter, or the only one on both sides."""
    found = [
        old for old in today.sources if old.table == source.table and old.file and fnmatchcase(source.file, old.file)
    ]
    alike = [old for old in found if old.where == source.where]
    rivals = sum((other.table, other.file) == (source.table, source.file) for other in proposal.sources)
    if alike:
        return alike[0]
    return found[0] if len(found) == rivals == 1 else None


def _as_mapped(proposal: Proposal, source: ProposedSource, today: Source | None) -> ProposedSource:
    present = columns_of(proposal, source).keys()
    if today is None or (today.explode and not present >= set(today.explode.columns)):
        return source
    proposed = {choice.column: choice for choice in source.choices}
    settled = {
        name: _choice(name, origin, proposed.get(name))
        for name, origin in today.columns.items()
        if present >= set(origin.source_columns)
    }
    choices = proposed | settled
    changes: dict[str, object] = {
        "choices": tuple(choices[c.name] for c in TABLES[source.table].columns if c.name in choices),
        "missing": tuple(gap for gap in source.missing if gap.column not in choices),
        "questions": (),
        "explode": today.explode,
        "date_order": today.date_order or source.date_order,
        "wanted": True,
    }
    return source.model_copy(update=changes)


def _choice(column: str, origin: Origin, proposed: Choice | None) -> Choice:
    """Today's origin; of the same column, what was proposed for words that it does not name yet is added."""
    unread: tuple[str, ...] = ()
    if proposed is not None and proposed.origin.column == origin.column:
        known = _words(origin.codes)
        added = {word: code for word, code in proposed.origin.codes.items() if word.casefold() not in known}
        origin = origin.model_copy(update={"codes": origin.codes | added})
        unread = tuple(word for word in proposed.unread if word.casefold() not in known)
    return Choice(column=column, origin=origin, confidence=1.0, why="as it is mapped today", unread=unread)


def _words(codes: Collection[str]) -> set[str]:
    return {word.casefold() for word in codes}
