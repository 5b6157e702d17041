"""Looking at the exports: every file's columns, what their values look like, and how a file falls into instruments."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd

from node.proposals.headers import Head, read_heads
from node.proposals.profile import Profile, is_short, profile
from node.proposals.words import header_words, plain_words
from node.sources.door import export_files
from node.sources.reader import read_export
from node.sources.refused import FileRefused
from node.sources.table import Wanted, header_name
from node.tables.keys import normalise_identifier
from node.tables.personal import personal_header, personal_values
from node.tables.schema import Column

ROWS_LOOKED_AT = 20_000
_NO_EXPORTS = (".toml", ".md", ".log", ".sig", ".pub", ".key", ".proposed")
_NUMBER = re.compile(r"\d+")
_BOX = re.compile(r"^(?P<field>.+)___(?P<code>\w+)$")
_LABELLED_BOX = re.compile(r"^(?P<field>.+?)\s*\(choice=(?P<code>.+)\)$")
_INSTRUMENT = ("redcap_repeat_instrument", "repeat instrument")
_EVENT = ("redcap_event_name", "event name")
_INSTANCE = ("redcap_repeat_instance", "repeat instance")
_FORM_STATE = re.compile(r"(^redcap_)|(_complete$)|complete\?$|^repeat inst", re.IGNORECASE)
_LEAST_SHARED = 3
_MOST_INSTRUMENTS = 20
_LABEL_CHARS = 60
_MOST_FILTERED = 12
_KEY, _WORD = Column("any", "key"), Column("any", "plain")


@dataclass(frozen=True)
class Seen:
    """One export, or one instrument of one: the files that a glob names, and their cells as text.

    `where` picks its rows, `boxes` are its checkbox fields (field -> column -> choice), `instance` the column that
    counts repetitions of an instrument. `header` has all names of the file, `columns` those of them that can be told
    apart and hold something here. `error`: why it cannot be read. The cells never leave this object.
    """

    file: str
    files: tuple[str, ...]
    header: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    cells: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    where: dict[str, tuple[str, ...]] = field(default_factory=dict)
    boxes: dict[str, dict[str, str]] = field(default_factory=dict)
    instance: str = ""
    sheet: str | None = None
    error: str = ""

    @cached_property
    def profiles(self) -> dict[str, Profile]:
        """The profile of every column."""
        return {column: profile(self.cells[column]) for column in self.columns}

    @cached_property
    def refused(self) -> dict[str, str]:
        """The columns that are never proposed, and why: their names or their values are personal."""
        found = {column: personal_header(column) or self._refused_values(column) for column in self.columns}
        return {column: why for column, why in found.items() if why}

    def _refused_values(self, column: str) -> str | None:
        return "free text" if self.profiles[column].is_text else personal_values(_KEY, self.cells[column], ())

    @cached_property
    def filters(self) -> tuple[str, ...]:
        """The columns whose values may be written down, to tell rows apart: few short codes, and nothing personal."""
        return tuple(c for c in self.columns if c not in self.refused and self._is_harmless(c))

    def _is_harmless(self, column: str) -> bool:
        values = self.profiles[column].values
        few = 0 < len(values) <= _MOST_FILTERED and all(is_short(value) for value, _ in values)
        return few and personal_values(_WORD, self.cells[column], ()) is None

    @cached_property
    def parts(self) -> dict[str, Profile]:
        """The profiles of the parts of columns that hold lists."""
        lists = {column: seen.separator for column, seen in self.profiles.items() if seen.separator}
        return {column: profile(self.cells[column].str.split(mark).explode()) for column, mark in lists.items()}

    @cached_property
    def spellings(self) -> dict[str, tuple[str, ...]]:
        """How each column may be called: as it is, and without a first word that many share (an instrument's)."""
        firsts = Counter(plain_words(column)[0] for column in self.columns if len(plain_words(column)) > 1)
        shared = {word for word, n in firsts.items() if n >= max(_LEAST_SHARED, 0.3 * len(self.columns))}
        return {column: _spellings(column, shared) for column in self.columns}

    @cached_property
    def identifiers(self) -> dict[str, frozenset[str]]:
        """The distinct values of every column (the parts, where it holds lists) as identifiers are compared."""
        looked = {**self.profiles, **self.parts}
        return {name: frozenset(normalise_identifier(text) for text, _ in p.values) for name, p in looked.items()}

    @property
    def named(self) -> str:
        """What the file and its instrument are called."""
        instruments = [value.replace("_arm_1", "") for values in self.where.values() for value in values]
        return " ".join([Path(self.file).stem.replace("*", " "), self.sheet or "", *instruments])


def look_at(folder: Path) -> tuple[Seen, ...]:
    """Every export in a folder, files that differ by digits in their names as one. Reads; changes nothing."""
    found: dict[tuple[str, Head], list[Path]] = {}
    failed: list[Seen] = []
    for path in sorted(p for p in folder.rglob("*") if p.name[0] not in "~." and not p.is_dir() and not _is_ours(p)):
        name = path.relative_to(folder).as_posix()
        try:
            export_files(folder, glob.escape(name))  # the same door as for the import
            heads = read_heads(path)
        except (FileRefused, OSError) as error:
            failed.append(Seen(name, (name,), error=str(error)))
            continue
        for head in heads:
            alike = Head(head.sheet, tuple(sorted(map(header_name, head.columns))))
            found.setdefault((_NUMBER.sub("*", name), alike), []).append(path)
    patterns = Counter(pattern for pattern, _ in found)
    seen = [
        instrument
        for (pattern, head), group in found.items()
        for paths in ([group] if len(group) > 1 and patterns[pattern] == 1 else [[path] for path in group])
        for instrument in _read(folder, pattern if len(paths) > 1 else "", paths, head.sheet)
    ]
    return (*seen, *failed)


def _is_ours(path: Path) -> bool:
    return path.suffix.casefold() in _NO_EXPORTS or path.name.startswith("mapping.toml")


def _read(folder: Path, pattern: str, paths: list[Path], sheet: str | None) -> Iterable[Seen]:
    names = tuple(path.relative_to(folder).as_posix() for path in paths)
    file = pattern or glob.escape(names[0])
    try:
        heads = [head for head in read_heads(paths[0]) if head.sheet == sheet]
        columns = _once(heads[0].columns)
        tables = [read_export(path, Wanted(columns), sheet).cells for path in paths]
    except FileRefused as error:
        return [Seen(file, names, error=str(error))]
    cells = pd.concat(tables, ignore_index=True).head(ROWS_LOOKED_AT)
    used = tuple(column for column in columns if not _by_form(paths[0]) or (cells[column] != "").any())
    header = used if _by_form(paths[0]) else tuple(" ".join(name.split()) for name in heads[0].columns)
    return _instruments(Seen(file, names, header, used, cells, sheet=sheet))


def _by_form(path: Path) -> bool:
    """Whether a file's columns are those that its form could have, and not those that it has."""
    return path.suffix.casefold() in (".ndjson", ".jsonl", ".json")


def _once(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that can be named without doubt: those whose name occurs once."""
    times = Counter(map(header_name, columns))
    return tuple(" ".join(column.split()) for column in columns if times[header_name(column)] == 1)


def _instruments(whole: Seen) -> list[Seen]:
    """A REDCap flat export as its instruments, each with the columns that its rows fill; any other file as it is."""
    instrument, event = _named(whole, _INSTRUMENT), _named(whole, _EVENT)
    if not instrument and not (event and any(_BOX.match(c) or _FORM_STATE.search(c) for c in whole.columns)):
        return [whole]
    by = [(instrument, value) for value in _values(whole, instrument)] if instrument else []
    rest = whole.cells[whole.cells[instrument] == ""] if instrument else whole.cells
    if event:
        by += [(event, value) for value in dict.fromkeys(rest[event].tolist())]
    elif len(rest):
        by.append((instrument, ""))
    if any(len(value) > _LABEL_CHARS for _, value in by):  # no names of forms: they would be written down as filters
        return [whole]
    return [_instrument(whole, column, value, instrument) for column, value in by[:_MOST_INSTRUMENTS]]


def _instrument(whole: Seen, column: str, value: str, instrument: str) -> Seen:
    rows = whole.cells[column] == value
    if instrument and column != instrument:
        rows &= whole.cells[instrument] == ""
    cells = whole.cells[rows].reset_index(drop=True)
    used = [
        c for c in whole.columns if not _FORM_STATE.search(c) and c != _named(whole, _EVENT) and (cells[c] != "").any()
    ]
    boxes: dict[str, dict[str, str]] = {}
    for name in used:
        match = _BOX.match(name) or _LABELLED_BOX.match(name)
        if match:
            boxes.setdefault(match["field"], {})[name] = match["code"]
    ticks = {name for choices in boxes.values() for name in choices}
    plain = tuple(name for name in used if name not in ticks)
    where: dict[str, tuple[str, ...]] = {column: (value,)}
    if instrument and column != instrument and _needs_blank(whole, column, value, instrument):
        where[instrument] = ("",)
    instance = _named(whole, _INSTANCE) if column == instrument and value else ""
    return Seen(whole.file, whole.files, whole.header, plain, cells, where, boxes, instance, whole.sheet)


def _needs_blank(whole: Seen, column: str, value: str, instrument: str) -> bool:
    """Whether rows of repeated instruments have the same event, so that it takes both to tell them apart."""
    return bool(((whole.cells[column] == value) & (whole.cells[instrument] != "")).any())


def _named(seen: Seen, names: tuple[str, ...]) -> str:
    return next((column for column in seen.columns if header_name(column) in names), "")


def _values(seen: Seen, column: str) -> list[str]:
    return [value for value in dict.fromkeys(seen.cells[column].tolist()) if value]


def _spellings(column: str, shared: set[str]) -> tuple[str, ...]:
    words = plain_words(column)
    if len(words) > 1 and words[0] in shared and header_words(" ".join(words[1:])):
        return (column, " ".join(words[1:]))
    return (column,)
