"""Proposing a whole mapping: which tables each export fills, and where every column comes from.

Every table is matched with every export twice: first by headers and values alone, then again with the knowledge of
which identifiers the well matched keys of the first time hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from node.proposals.drafting import COMPOSABLE, draft_source, stand_ins
from node.proposals.fhir import fhir_sources, is_fhir
from node.proposals.look import Seen
from node.proposals.model import CODES_SHOWN, SURE, ColumnLook, FileLook, LeftOut, Missing, Proposal, ProposedSource
from node.proposals.pairs import Chosen, Known, Pairs, known_keys, match, weigh
from node.proposals.profile import is_short
from node.proposals.words import table_likeness, vocabulary
from node.tables.personal import personal_header
from node.tables.schema import TABLES, Table

Matches = dict[tuple[str, int], dict[str, Chosen]]

LEAST_SCORE = 0.55
_NEARLY_SCORE = 0.45
_CALLED_SO = 0.5
_CLEARLY_BETTER = 0.25
_STAND_IN_SCORE = 0.35
_COMPOSED_SCORE = 0.3
_ENOUGH_TO_TELL = 3
_LEAST_IDENTITY = 0.5
_TELLING_NAME = 0.7
_SURER = 0.15
_LEAST_HEADER = 0.5
_BETTER_PART = 0.1


def propose(seen: Sequence[Seen]) -> Proposal:
    """The mapping that headers and values speak for, with what is doubtful, missing, and left out on purpose."""
    readable = [one for one in seen if not one.error]
    files = [one for one in readable if not is_fhir(one)]
    weighed = {(name, i): weigh(table, one) for name, table in TABLES.items() for i, one in enumerate(files)}
    alone = _match_all(files, weighed, {})
    known = known_keys(alone, files)
    complete = _match_all(files, weighed, known)
    matches = _without_second_uses(complete | _incomplete(files, weighed, known, complete))
    drafted = [draft_source(TABLES[table], files[i], chosen, matches, i) for (table, i), chosen in matches.items()]
    order = {name: n for n, name in enumerate(TABLES)}
    drafted += [source for one in readable if is_fhir(one) for source in fhir_sources(one)]
    sources = tuple(sorted(drafted, key=lambda source: (order[source.table], source.file)))
    return Proposal(
        files=tuple(map(_file_look, readable)),
        sources=sources,
        left_out=_left_out(seen),
        tables_missing=_tables_missing(sources),
    )


def _match_all(files: Sequence[Seen], weighed: Mapping[tuple[str, int], Pairs], known: Known) -> Matches:
    """The tables that each file fills, with their columns; a file that is clearly worse than another is dropped."""
    found: dict[tuple[str, int], tuple[float, dict[str, Chosen]]] = {}
    for (name, i), pairs in weighed.items():
        chosen = match(TABLES[name], files[i], pairs, known)
        score = _score(TABLES[name], files[i], chosen)
        if score >= LEAST_SCORE:
            found[name, i] = (score, chosen)
    return {place: chosen for place, (score, chosen) in found.items() if score >= _needed(place, found, files)}


def _needed(
    place: tuple[str, int], found: Mapping[tuple[str, int], tuple[float, object]], files: Sequence[Seen]
) -> float:
    """The score that an export needs for a table, given how well other exports, or other parts of it, fill it."""
    table, i = place
    scores = [(score, files[j]) for (name, j), (score, _) in found.items() if name == table]
    parts = [score for score, seen in scores if (seen.file, seen.sheet) == (files[i].file, files[i].sheet)]
    return max(max(score for score, _ in scores) - _CLEARLY_BETTER, max(parts) - _BETTER_PART)


def _incomplete(
    files: Sequence[Seen], weighed: Mapping[tuple[str, int], Pairs], known: Known, have: Matches
) -> Matches:
    """For main tables that no export fills: one that is called so, but lacks required columns, so that it is asked."""
    found: Matches = {}
    for name in (name for name in TABLES if name in vocabulary()["costs"] and not any(name == t for t, _ in have)):
        called = [(i, seen) for i, seen in enumerate(files) if table_likeness(seen.named, name) >= _CALLED_SO]
        tried = [(i, match(TABLES[name], seen, weighed[name, i], known)) for i, seen in called]
        scored = [(_score(TABLES[name], files[i], chosen, may_lack=True), i, chosen) for i, chosen in tried]
        best = max(scored, key=lambda one: one[0], default=None)
        if best is not None and best[0] >= _NEARLY_SCORE:
            found[name, best[1]] = best[2]
    return found


def _without_second_uses(matches: Matches) -> Matches:
    """The matches without doubtful optional columns whose source column is, more surely, something else elsewhere."""
    best: dict[tuple[int, str], tuple[float, str]] = {}
    for (_, i), chosen in matches.items():
        for name, found in chosen.items():
            place = (i, found.pair.source)
            best[place] = max(best.get(place, (0.0, "")), (found.confidence, name))

    def stays(i: int, name: str, found: Chosen) -> bool:
        confidence, use = best[i, found.pair.source]
        surer = use != name and confidence >= found.confidence + _SURER
        return found.pair.column.required or found.confidence >= SURE or not surer

    return {
        (table, i): {name: found for name, found in chosen.items() if stays(i, name, found)}
        for (table, i), chosen in matches.items()
    }


def _score(table: Table, seen: Seen, chosen: Mapping[str, Chosen], may_lack: bool = False) -> float:
    """How much speaks for the export filling the table: required columns, columns only this table has, the name.

    Without `may_lack` it is 0 where more is lacking than a person could be expected to settle unasked.
    """
    name = table_likeness(seen.named, table.name)
    standing_in = stand_ins(table)
    required = [column for column in table.columns if column.required]
    lacking = [c.name for c in required if c.name not in chosen and not _makes_up(table, c.name, standing_in, name)]
    if (
        lacking
        and not may_lack
        and (len(lacking) > 1 or len(required) - len(standing_in) < _ENOUGH_TO_TELL or name == 0)
    ):
        return 0.0
    first = chosen.get(table.identity[0])
    if first is not None and first.confidence < _LEAST_IDENTITY and name < _TELLING_NAME:
        return 0.0
    weights = [0.5 if column.name in standing_in else 1.0 for column in required]
    sure = [
        chosen[column.name].confidence if column.name in chosen else _makes_up(table, column.name, standing_in, name)
        for column in required
    ]
    total = sum(weight * confidence for weight, confidence in zip(weights, sure, strict=True)) / sum(weights)
    own = max(
        (found.confidence for column, found in chosen.items() if _is_own(column) and _is_telling(found)), default=0.0
    )
    if own < 0.5 and name < _TELLING_NAME:
        return 0.0
    return 0.65 * total + 0.2 * own + 0.15 * name


def _makes_up(table: Table, column: str, standing_in: Mapping[str, object], name: float) -> float:
    """What counts for a required column that no source column matches: a value for all rows, or a key of several."""
    if column in standing_in:
        return _STAND_IN_SCORE
    return _COMPOSED_SCORE if (table.name, column) in COMPOSABLE and name > 0 else 0.0


def _is_own(column: str) -> bool:
    """Whether no other table has a column of this name."""
    return sum(any(c.name == column for c in table.columns) for table in TABLES.values()) == 1


def _is_telling(found: Chosen) -> bool:
    """Whether it was the header or telling codes that matched a column, and not only that it holds, say, dates."""
    return found.pair.header >= _LEAST_HEADER or (found.pair.column.kind == "code" and found.pair.fit.special >= 0.5)


def _file_look(seen: Seen) -> FileLook:
    columns = []
    for name in seen.columns:
        if name in seen.refused:
            continue
        looked = seen.parts.get(name, seen.profiles[name])
        coded = looked.shape == "codes"
        codes = (
            tuple(text for text, rows in looked.values if rows > 1 and is_short(text))[:CODES_SHOWN] if coded else ()
        )
        columns.append(ColumnLook(name=name, shape=looked.shape, filled=round(looked.filled, 3), codes=codes))
    return FileLook(file=seen.file, sheet=seen.sheet, where=seen.where, columns=tuple(columns))


def _left_out(seen: Sequence[Seen]) -> tuple[LeftOut, ...]:
    found: dict[tuple[str, str], LeftOut] = {}
    for one in seen:
        if one.error:
            found[one.file, ""] = LeftOut(file=one.file, reason=one.error)
        for column in one.header:
            reason = one.refused.get(column) or personal_header(column)
            if reason is not None:
                found.setdefault((one.file, column), LeftOut(file=one.file, column=column, reason=reason))
    return tuple(found.values())


def _tables_missing(sources: Sequence[ProposedSource]) -> tuple[Missing, ...]:
    costs: Mapping[str, Any] = vocabulary()["costs"]
    filled = {source.table for source in sources}
    return tuple(
        Missing(column=name, cost=costs[name], required=False)
        for name in TABLES
        if name in costs and name not in filled
    )
