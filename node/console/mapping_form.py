"""The mapping editor's form: from a proposal to its fields, and from what was filled in to a person's changes.

Every choice is a select, so that the form works without scripts. Fields are named by the place of their source in the
proposal, so an answer belongs to exactly the proposal that was shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from node.proposals import Change, Proposal, accepted
from node.proposals.model import Choice, FileLook, ProposedSource
from node.tables.mapping import FLAG_CODES, Origin
from node.tables.schema import TABLES, Column

UNDECIDED, KEEP, LEAVE_OUT = "", "keep", "out"
_USE, _CONSTANT = "column:", "constant:"
_NUMBERED = re.compile(r"_?\d+$")
_SERIES = 5
_LEVELS = ((0.95, "very sure"), (0.8, "sure"), (0.6, "likely"), (0.4, "unsure"), (0.0, "a guess"))

KIND_WORDS = {
    "key": "identifier, hashed when it is imported",
    "date": "date",
    "datetime": "date and time",
    "time": "clock time",
    "code": "one of a list",
    "count": "whole number",
    "number": "number",
    "flag": "yes or no",
    "month": "month",
    "plain": "short public code",
}


@dataclass(frozen=True)
class Option:
    """One line of a select."""

    value: str
    label: str


@dataclass(frozen=True)
class Word:
    """A distinct short code of the export, and the canonical code that it stands for ("" while nobody knows)."""

    name: str
    word: str
    code: str


@dataclass(frozen=True)
class Field:
    """One canonical column: what is chosen, from what, how sure the proposal is and why."""

    name: str
    column: str
    kind: str
    required: bool
    chosen: str
    options: tuple[Option, ...]
    sure: str
    percent: int
    why: str
    question: str
    codes: tuple[str, ...]
    unread: tuple[Word, ...]
    read: tuple[Word, ...]

    @property
    def is_open(self) -> bool:
        """Whether a person has to decide."""
        return self.chosen == UNDECIDED


@dataclass(frozen=True)
class Series:
    """Columns of one kind that differ in their number alone, such as the items of a survey."""

    fields: tuple[Field, ...]

    @property
    def n_open(self) -> int:
        """Decisions that are waited for."""
        return sum(field.is_open for field in self.fields)


@dataclass(frozen=True)
class SourceForm:
    """One table from one export."""

    name: str
    source: ProposedSource
    used: str
    fields: tuple[Field, ...]

    @property
    def n_open(self) -> int:
        """Decisions that are waited for: about the source as a whole, and about its columns."""
        return (self.used == UNDECIDED) + sum(field.is_open for field in self.fields)

    @property
    def series(self) -> tuple[Series, ...]:
        """The columns that are shown folded: as many as _SERIES or more of one kind and one name with a number."""
        return tuple(Series(tuple(fields)) for fields in self._by_stem().values() if len(fields) >= _SERIES)

    @property
    def single(self) -> tuple[Field, ...]:
        """All other columns."""
        folded = {field.name for series in self.series for field in series.fields}
        return tuple(field for field in self.fields if field.name not in folded)

    def _by_stem(self) -> dict[tuple[str, str], list[Field]]:
        found: dict[tuple[str, str], list[Field]] = {}
        for field in self.fields:
            stem, number = _NUMBERED.subn("", field.column)
            if number:
                found.setdefault((stem, field.kind), []).append(field)
        return found


def form_of(proposal: Proposal) -> tuple[SourceForm, ...]:
    """The fields of every proposed source, with what is chosen so far."""
    return tuple(
        SourceForm(_use_name(i), source, _used(source), tuple(_fields(proposal, i, source)))
        for i, source in enumerate(proposal.sources)
    )


def changes_of(proposal: Proposal, filled_in: Mapping[str, str]) -> tuple[Change, ...]:
    """What a person changed: only what differs from the form as it was shown."""
    return tuple(
        change
        for i, source in enumerate(proposal.sources)
        for change in _source_changes(proposal, i, source, filled_in)
    )


def ready(proposal: Proposal) -> tuple[Proposal, tuple[ProposedSource, ...]]:
    """What can be written, and the wanted sources that cannot yet: a required column is missing or undecided."""
    waiting = tuple(s for s in proposal.sources if s.wanted is not False and not (s.is_sure and _is_settled(s)))
    kept = tuple(source for source in proposal.sources if source not in waiting)
    return accepted(proposal.model_copy(update={"sources": kept})), waiting


def origin_words(origin: Origin) -> str:
    """Where a column's values come from, in words."""
    if origin.constant is not None:
        return f"always “{origin.constant}”"
    if origin.checkbox:
        return f"the ticked one of {_listed(origin.checkbox)}"
    words = _listed(origin.columns) + " together" if origin.columns else f"“{origin.column}”"
    return f"{words}, clock time from “{origin.time}”" if origin.time else words


def _listed(names: Mapping[str, str] | tuple[str, ...]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _used(source: ProposedSource) -> str:
    """Undecided where the doubt is about the source itself, and not about one of its columns."""
    if source.wanted is None and _is_settled(source) and not source.is_sure:
        return UNDECIDED
    return "no" if source.wanted is False else "yes"


def _is_settled(source: ProposedSource) -> bool:
    table = TABLES[source.table]
    required = (choice for choice in source.choices if table.column(choice.column).required)
    return source.is_complete and all(choice.is_sure for choice in required)


def _fields(proposal: Proposal, place: int, source: ProposedSource) -> Iterator[Field]:
    choices = {choice.column: choice for choice in source.choices}
    for column in TABLES[source.table].columns:
        choice = choices.get(column.name)
        unread, read = _words(place, column, choice)
        yield Field(
            name=f"column-{place}-{column.name}",
            column=column.name,
            kind=KIND_WORDS[column.kind],
            required=column.required,
            chosen=_chosen(choice),
            options=tuple(_options(proposal, source, column, choice)),
            sure=_sure(choice),
            percent=round(100 * choice.confidence) if choice else 0,
            why=choice.why if choice else "",
            question=choice.question if choice and not choice.is_sure else "",
            codes=_codes(column),
            unread=unread,
            read=read,
        )


def _chosen(choice: Choice | None) -> str:
    if choice is None:
        return LEAVE_OUT
    return KEEP if choice.is_sure else UNDECIDED


def _sure(choice: Choice | None) -> str:
    if choice is None:
        return ""
    return "chosen by you" if choice.settled else next(words for least, words in _LEVELS if choice.confidence >= least)


def _options(proposal: Proposal, source: ProposedSource, column: Column, choice: Choice | None) -> Iterator[Option]:
    if choice is not None and not choice.is_sure:
        yield Option(UNDECIDED, "Please decide")
    if choice is not None:
        yield Option(KEEP, f"{'' if choice.settled else 'Proposed: '}{origin_words(choice.origin)}")
    yield Option(LEAVE_OUT, "Not in this export" if column.required else "Leave it out")
    present = choice.origin.column if choice else None
    for name in dict.fromkeys(c.name for look in _looks(proposal, source) for c in look.columns):
        if name != present:
            yield Option(_USE + name, name)
    for code in _codes(column):
        yield Option(_CONSTANT + code, f"Always {code.replace('_', ' ')}")


def _looks(proposal: Proposal, source: ProposedSource) -> list[FileLook]:
    looks = [look for look in proposal.files if look.file == source.file]
    return [look for look in looks if look.where.items() <= source.where.items()] or looks


def _codes(column: Column) -> tuple[str, ...]:
    return FLAG_CODES if column.kind == "flag" else column.codes


def _words(place: int, column: Column, choice: Choice | None) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Words without a code yet, and words with one; constants and free columns have none."""
    if choice is None or not _codes(column):
        return (), ()
    pairs = [(word, "") for word in choice.unread] + list(choice.origin.codes.items())
    words = [Word(f"code-{place}-{column.name}-{n}", word, code) for n, (word, code) in enumerate(pairs)]
    return tuple(words[: len(choice.unread)]), tuple(words[len(choice.unread) :])


def _use_name(place: int) -> str:
    return f"use-{place}"


def _source_changes(
    proposal: Proposal, place: int, source: ProposedSource, filled_in: Mapping[str, str]
) -> Iterator[Change]:
    def change(**what: object) -> Change:
        return Change.model_validate({"table": source.table, "file": source.file, "where": source.where, **what})

    used = filled_in.get(_use_name(place))
    if used:
        yield change(act="keep" if used == "yes" else "leave_out")
    for field in _fields(proposal, place, source):
        value = filled_in.get(field.name, field.chosen)
        words = {word.word: filled_in.get(word.name, word.code) for word in (*field.unread, *field.read)}
        named = {word.word: word.code for word in (*field.unread, *field.read)}
        codes = {word: code for word, code in words.items() if code and code != named[word]}
        if value == KEEP and (codes or field.is_open):
            yield change(column=field.column, codes=codes)
        elif value == LEAVE_OUT and field.chosen != LEAVE_OUT:
            yield change(column=field.column, act="leave_out")
        elif value.startswith(_USE):
            yield change(column=field.column, act="use", value=value.removeprefix(_USE))
        elif value.startswith(_CONSTANT):
            yield change(column=field.column, act="constant", value=value.removeprefix(_CONSTANT))
