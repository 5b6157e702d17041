"""From matched columns to a proposed source: origins, codes, stand-ins, questions, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from node.proposals.codes import Reading, read_codes
from node.proposals.look import Seen
from node.proposals.model import CODES_SHOWN, SURE, Choice, Missing, ProposedSource
from node.proposals.pairs import Chosen
from node.proposals.rows import find_filter, find_lists, find_order, find_time, rows_without
from node.proposals.words import likeness, vocabulary
from node.tables.codes import FALLBACKS
from node.tables.mapping import Origin
from node.tables.schema import Column, Table

_UNSURE = 0.6
_COMPOSED = 0.55
_LARGEST_UNREAD = 0.2

COMPOSABLE = frozenset(
    (
        ("support_activation", "activation_key"),
        ("support_encounter", "encounter_key"),
        ("support_encounter", "activation_key"),
    )
)
"""The keys that may be made of several columns, by table and column."""

Matches = Mapping[tuple[str, int], Mapping[str, Chosen]]


def draft_source(
    table: Table, seen: Seen, chosen: Mapping[str, Chosen], matches: Matches, place: int
) -> ProposedSource:
    """The source that fills a table from an export, as proposed."""
    where = find_filter(table, seen, chosen)
    explode = find_lists(table, seen, chosen) if table.name in ("event_involvement", "contributing_factor") else None
    order, order_question = find_order(table, seen, chosen)
    used = {found.pair.source for found in chosen.values()}
    choices = [
        _matched(table, column, seen, chosen[column.name], used) for column in table.columns if column.name in chosen
    ]
    choices += _without_column(table, seen, chosen, matches, place)
    have = {choice.column for choice in choices}
    missing = tuple(missing_column(c, table) for c in table.columns if c.name not in have)
    blank = rows_without(table, seen, chosen, where)
    questions = [order_question] if order_question else []
    if blank:
        questions.append(f"{blank} is blank in many rows: which column tells the rows of {table.name} from the others?")
    required = [choice for choice in choices if table.column(choice.column).required]
    confidence = min([choice.confidence for choice in required] + ([0.5] if blank else []), default=0.0)
    positions = {column.name: n for n, column in enumerate(table.columns)}
    return ProposedSource(
        table=table.name,
        file=seen.file,
        sheet=seen.sheet,
        where={**seen.where, **where},
        explode=explode,
        date_order=order,
        confidence=round(confidence, 2),
        why=_why(seen, where, explode is not None),
        questions=tuple(questions),
        choices=tuple(sorted(choices, key=lambda choice: positions[choice.column])),
        missing=missing,
    )


def _why(seen: Seen, where: Mapping[str, tuple[str, ...]], split: bool) -> str:
    parts = [f"its columns are found in {seen.file}"]
    if seen.where:
        parts.append("the rows of one instrument")
    if where:
        parts.append(f"its rows are those where {' and '.join(where)} says so")
    if split:
        parts.append("cells with several entries become several rows")
    return "; ".join(parts)


def _matched(table: Table, column: Column, seen: Seen, found: Chosen, used: set[str]) -> Choice:
    source, reading = found.pair.source, found.pair.fit.reading
    confidence, question = found.confidence, ""
    codes: dict[str, str] = {}
    unread: tuple[str, ...] = ()
    if reading is not None and column.kind in ("code", "flag"):
        codes = dict(list(reading.codes.items())[:400])
        unread = reading.unread[:CODES_SHOWN]
        if reading.share < 1 - _LARGEST_UNREAD:
            confidence = min(confidence, 0.75)
            question = _what_do_they_mean(source, unread)
    time = find_time(seen, source, used) if column.kind == "datetime" else ""
    if not question and confidence < SURE:
        question = f'is {column.name} what "{source}" says?'
    if column.kind == "key" and _looks_like_initials(seen, source):
        confidence = min(confidence, 0.7)
        question = f'"{source}" looks like initials: can two people share them? A staff number would tell people apart'
    return Choice(
        column=column.name,
        origin=Origin(column=source, time=time or None, codes=codes),
        confidence=round(confidence, 2),
        why=found.pair.why,
        question=question,
        alternatives=found.rivals,
        unread=unread,
    )


def _looks_like_initials(seen: Seen, column: str) -> bool:
    values = seen.parts.get(column, seen.profiles[column]).values
    short = sum(n for text, n in values if text.isalpha() and 2 <= len(text) <= 4)
    return bool(values) and short > 0.6 * sum(n for _, n in values)


def _what_do_they_mean(source: str, unread: tuple[str, ...]) -> str:
    if not unread:
        return f'what does "{source}" say? Its values are too long to be shown'
    return f'what do these words of "{source}" mean: {", ".join(unread[:8])}?'


def _without_column(
    table: Table, seen: Seen, chosen: Mapping[str, Chosen], matches: Matches, place: int
) -> list[Choice]:
    """Origins for columns that no source column matches: checkboxes, keys of several columns, stand-ins."""
    found: list[Choice] = []
    for column in table.columns:
        if column.name in chosen:
            continue
        choice = _checkbox(table, column, seen)
        if choice is None and column.required and column.kind == "key":
            choice = _composed(table, column, seen, chosen, matches, place)
        if choice is None and column.required:
            choice = _stand_in(table, column, seen, chosen)
        if choice is not None:
            found.append(choice)
    return found


def _checkbox(table: Table, column: Column, seen: Seen) -> Choice | None:
    """A field of checkboxes whose name fits, with the codes that the choices' labels give."""
    if column.kind != "code":
        return None
    found = [(_box_likeness(table, column, field, labels), field) for field, labels in seen.boxes.items()]
    best, field = max(found, default=(0.0, ""))
    if best < 0.5:
        return None
    labels = seen.boxes[field]
    look = _labels_read(table, column, labels).known
    boxes = {box: look.get(label, "") for box, label in labels.items()}
    known = {box: code for box, code in boxes.items() if code}
    if not known:
        return None
    question = "" if len(known) == len(labels) else f"what do the other choices of {field} mean?"
    return Choice(
        column=column.name,
        origin=Origin(checkbox=known),
        confidence=round(0.95 * best if not question else 0.6, 2),
        why=f"{field} is a field of checkboxes, and their labels read as {column.name.replace('_', ' ')}",
        question=question,
        unread=tuple(label for box, label in labels.items() if not boxes[box])[:CODES_SHOWN],
    )


def _labels_read(table: Table, column: Column, labels: Mapping[str, str]) -> Reading:
    return read_codes(table.name, column, [(label, 1) for label in labels.values()], numbered=True)


def _box_likeness(table: Table, column: Column, field: str, labels: Mapping[str, str]) -> float:
    """How much a field of checkboxes speaks for a column: by its name, or by labels that read as its codes."""
    reading = _labels_read(table, column, labels)
    return max(likeness(field, table.name, column.name), 0.9 * reading.telling if reading.kinds > 1 else 0.0)


def _composed(
    table: Table, column: Column, seen: Seen, chosen: Mapping[str, Chosen], matches: Matches, place: int
) -> Choice | None:
    """A key made of several columns: the record and instance of an instrument, or what tells the rows apart."""
    record = chosen.get("activation_key")
    if column.name == "encounter_key" and seen.instance and record is not None:
        return Choice(
            column=column.name,
            origin=Origin(columns=(record.pair.source, seen.instance)),
            confidence=0.95,
            why="a repeated instrument is named by its record and its instance",
        )
    if (table.name, column.name) not in COMPOSABLE:
        return None
    twin = matches.get(("support_activation", place), {})
    pool = {**twin, **chosen}
    if column.name == "activation_key" and "activation_key" in twin:
        pool = {}
    if column.name == "encounter_key" and "activation_key" in chosen and "encounter_date" in chosen:
        pool = {name: chosen[name] for name in ("activation_key", "encounter_date")}
    names = [
        n
        for n in ("activation_key", "activation_datetime", "encounter_date", "unit_key", "role_group", "person_key")
        if n in pool
    ]
    columns = tuple(dict.fromkeys(pool[name].pair.source for name in names))[:4]
    if len(columns) < 2:
        return None
    listed = " and ".join(columns)
    return Choice(
        column=column.name,
        origin=Origin(columns=columns),
        confidence=_COMPOSED,
        why=f"no column numbers the rows, so {listed} together name one",
        question=f"do {listed} together name one {column.name.removesuffix('_key')}? Two that share them count as one",
    )


def _stand_in(table: Table, column: Column, seen: Seen, chosen: Mapping[str, Chosen]) -> Choice | None:
    """One value for all rows where a required column is lacking, if one does."""
    entry = stand_ins(table).get(column.name)
    if entry is None:
        return None
    constant, cost, confidence, why = entry["constant"], entry["cost"], _UNSURE, "no column holds it"
    if column.name == "harm_source_scale" and "harm" in chosen:
        constant, why = _scale(seen, chosen["harm"].pair.source)
        confidence = 0.85 if constant != "local" else _UNSURE
    if column.name == "source_system":
        stem = seen.file.split("/")[-1].split(".")[0]
        constant, confidence = stem.rstrip("0123456789*_- ")[: column.max_chars] or "export", 0.9
        why = "named after the file"
    question = (
        "" if confidence >= SURE else f'no column holds {column.name}; is "{constant}" right for all rows? Then {cost}'
    )
    return Choice(
        column=column.name,
        origin=Origin(constant=constant),
        confidence=confidence,
        why=why,
        question=question,
    )


def _scale(seen: Seen, harm: str) -> tuple[str, str]:
    """The published harm scale whose words a column uses."""
    words = {text.casefold().strip() for text, _ in seen.profiles[harm].values}
    letters = {
        word.removeprefix("category ").removeprefix("cat ")[:1]
        for word in words
        if len(word.removeprefix("category ")) <= 2 or word.startswith(("category ", "cat "))
    }
    if len(letters & set("abcdefghi")) >= 3:
        return "ncc_merp", "the harm column holds the letters of NCC MERP"
    if {"low", "moderate"} <= words and words & {"no harm", "none"}:
        return "nrls", "the harm column holds the words of the NRLS"
    if words & {"severe harm", "mild harm", "moderate harm"} and not words & {"low", "low harm"}:
        return "ahrq_v1.2", "the harm column holds the words of the AHRQ scale"
    return "local", "the harm column uses the site's own words"


@cache
def _stand_in_list() -> tuple[Mapping[str, Any], ...]:
    return tuple(vocabulary()["stand_in"])


def stand_ins(table: Table) -> dict[str, Mapping[str, Any]]:
    """The required columns of a table for which a value for all rows may stand in."""
    named = {entry["column"]: entry for entry in _stand_in_list()}
    found = {c.name: named.get(f"{table.name}.{c.name}") or named.get(c.name) for c in table.columns if c.required}
    return {name: entry for name, entry in found.items() if entry is not None}


def missing_column(column: Column, table: Table) -> Missing:
    """A column without an origin, and what that costs."""
    costs: Mapping[str, str] = vocabulary()["costs"]
    cost = costs.get(column.name, "") or (f"no row of {table.name} can be used" if column.required else "")
    if column.required and column.name in FALLBACKS:
        cost = cost or f"every row would say '{FALLBACKS[column.name][0]}'"
    return Missing(column=column.name, cost=cost, required=column.required)
