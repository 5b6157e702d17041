"""One export file as a draft of its canonical table: every column read, then the rules that look at one row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from node.sources.refused import FileRefused
from node.sources.table import TextTable
from node.tables.clocks import parse_clock, split_stamp
from node.tables.codes import harm_form, harm_lookup, normalise_code
from node.tables.columns import (
    Reading,
    look_up,
    missing_column,
    read_column,
    read_dates,
    settle_codes,
    without_blanks,
)
from node.tables.dates import Order
from node.tables.distinct import by_distinct, distinct_texts
from node.tables.draft import Draft
from node.tables.keys import KeyHasher
from node.tables.mapping import Source
from node.tables.numbers import uses_decimal_comma
from node.tables.personal import personal_values
from node.tables.reshape import prepare, text_of
from node.tables.row_rules import apply_row_rules
from node.tables.schema import Table
from node.tables.stamps import Evidence, find_evidence

TITLE_COLUMN = "_title"
"""In drafts of staffing only: the role as the export words it, which tells rows apart that share a role group."""

Texts = dict[str, "pd.Series[str]"]


def draft_export(read: TextTable, source: Source, hasher: KeyHasher, today: date) -> Draft:
    """The draft of one export as it was read; raises FileRefused if it as a whole cannot be used."""
    export, facts = prepare(read, source)
    texts = {name: text_of(export, origin) for name, origin in source.columns.items()}
    _refuse_personal(source, texts, export.file)
    draft = Draft(source.target, pd.DataFrame(index=pd.RangeIndex(len(export.cells))), export.numbers, [facts])
    _remark_absent(draft, source, export)
    _apply_marks(draft, source, export)
    if facts.none_match:
        asked = " or ".join(f"'{column}' is none of {', '.join(values)}" for column, values in source.where.items())
        draft.remark("where_matches_none", "", asked, facts.name)
    codes = {name: origin.codes for name, origin in source.columns.items()}
    commas = _find_decimal_commas(source, texts, export.delimiter)
    reading = Reading(hasher, today, _find_orders(draft, source, texts), codes, commas)
    _supply_event_time(draft.table, texts)
    _read_columns(draft, source, export, texts, reading)
    apply_row_rules(draft, today)
    return draft


def _refuse_personal(source: Source, texts: Texts, file: str) -> None:
    for name, origin in source.columns.items():
        if origin.column is None:
            continue
        what = personal_values(source.target.column(name), texts[name], origin.codes)
        if what is not None:
            raise FileRefused(
                file, f"column '{origin.column}' seems to hold {what}, which are never read", "map another column"
            )


def _apply_marks(draft: Draft, source: Source, export: TextTable) -> None:
    """Count what was mended while the export was read, for every column that was made of the mended ones."""
    for (rule, read), rows in export.marks.items():
        for name, origin in source.columns.items():
            if read in origin.source_columns:
                draft.apply(rule, np.isin(export.numbers, rows), name)
    for name in source.columns:
        damaged = [c for c in source.columns[name].source_columns if c in export.cells and _is_damaged(export.cells[c])]
        if damaged:
            draft.remark("damaged_characters", name, f"in column {', '.join(damaged)}", export.file)


def _is_damaged(text: pd.Series[str]) -> bool:
    return bool(text.str.contains("\ufffd", regex=False).any())


def _remark_absent(draft: Draft, source: Source, export: TextTable) -> None:
    for name, origin in source.columns.items():
        absent = [column for column in origin.source_columns if column in export.absent]
        if absent:
            draft.remark("column_absent", name, f"no column {', '.join(absent)}", export.file)


def _find_orders(draft: Draft, source: Source, texts: Texts) -> Mapping[str, Order]:
    """The order of each date column: as the mapping says, else by its own dates, else by all dates of the file."""
    dated = [c.name for c in draft.table.columns if c.kind in ("date", "datetime", "month") and c.name in texts]
    if source.date_order is not None:
        return dict.fromkeys(dated, source.date_order)
    evidence = {name: find_evidence(texts[name]) for name in dated}
    whole = sum(evidence.values(), Evidence())
    file = draft.files[0].name
    for name, own in evidence.items():
        if own.mixed:
            draft.remark("date_orders_mixed", name, "set `date_order` or export ISO dates", file)
        elif own.undecided and (own.order or whole.order) is None:
            draft.remark("date_order_guessed", name, "day first assumed", file)
    return {name: own.order or whole.order or "day_first" for name, own in evidence.items()}


def _find_decimal_commas(source: Source, texts: Texts, delimiter: str) -> frozenset[str]:
    """The columns with a decimal comma: all numbers of the file or none, as the mapping says, else as they show."""
    numeric = frozenset(
        column.name
        for column in source.target.columns
        if column.kind in ("count", "number") and column.name in texts and source.columns[column.name].constant is None
    )
    if source.decimal is not None:
        comma = source.decimal == ","
    else:
        found = {value for name in numeric for value in distinct_texts(without_blanks(texts[name]))[1]}
        comma = uses_decimal_comma(found, delimiter)
    return numeric if comma else frozenset()


def _supply_event_time(table: Table, texts: Texts) -> None:
    """An event's clock time may stand behind its date: where it has no column of its own, or that is blank."""
    if table.name != "safety_event":
        return
    of_date = by_distinct(texts["event_date"], lambda stamp: split_stamp(stamp)[1])
    given = texts.get("event_time")
    if given is None:
        texts["event_time"] = of_date
    else:
        # Beside a column of times, 00:00 behind a date is how systems write a date.
        real = by_distinct(of_date, lambda clock: clock if parse_clock(clock) else "")
        texts["event_time"] = given.where(without_blanks(given).notna(), real)


def _read_columns(draft: Draft, source: Source, export: TextTable, texts: Texts, reading: Reading) -> None:
    for column in draft.table.columns:
        origin = source.columns.get(column.name)
        if column.name not in texts:
            draft.frame[column.name] = missing_column(column, len(draft.frame))
            if column.kind == "datetime":
                draft.frame[f"{column.name}_time_known"] = False
        elif origin is not None and origin.time is not None and origin.time not in export.absent:
            read_dates(draft, column, texts[column.name], reading, export.cells[origin.time])
        elif column.name == "harm":
            continue
        else:
            read_column(draft, column, texts[column.name], reading)
    if draft.table.name == "safety_event":
        _read_harm(draft, texts["harm"], reading)
    if draft.table.name == "staffing_period":
        draft.frame[TITLE_COLUMN] = by_distinct(texts["role_group"], normalise_code)


def _read_harm(draft: Draft, text: pd.Series[str], reading: Reading) -> None:
    """Harm depends on the scale of the row: letters and numbers mean nothing on a local scale."""
    column = draft.table.column("harm")
    codes = reading.codes.get("harm", {})
    local = draft.frame["harm_source_scale"].eq("local")
    _remark_scales(draft, text)
    published = look_up(text, harm_lookup(column, codes, read_marks=True))
    values = published.mask(local, look_up(text, harm_lookup(column, codes, read_marks=False)))
    settle_codes(draft, column, text, values)


def _remark_scales(draft: Draft, text: pd.Series[str]) -> None:
    """Flag a column that holds marks of several scales, or marks beside the words of another scale."""
    words = {harm_form(value) for value in distinct_texts(without_blanks(text))[1]} - {None}
    if len(words) > 1:
        draft.remark("harm_scales_mixed", "harm", " and ".join(sorted(map(str, words))), draft.files[0].name)
