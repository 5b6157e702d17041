"""Ways to break an export, one for each rule of the import that speaks about rows.

Each takes rows that nothing else has broken, and tells whether it found a place for its fault.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from node.tables.codes import FALLBACKS
from node.tables.schema import Column
from tests.node.broken.sheet import RawSource, Sheet, data_rows

FAULTS = 2
"""Rows that each break spoils."""
Value = Callable[[Sheet, int, str], str]
Fits = Callable[[str, Column], bool]


Break = Callable[[Sheet, Random], str | None]
"""Breaks a sheet and gives the table about which the rule must speak, or None if the sheet has no place for it."""


def _rows(sheet: Sheet, source: RawSource, random: Random, count: int = FAULTS) -> list[int]:
    possible = sorted(set(data_rows(sheet, source)) & set(sheet.free))
    # A fault in more than a fifth of the rows would have the file refused.
    if len(possible) < 20 * count:
        return []
    chosen = sorted(random.sample(possible, count))
    sheet.free = [row for row in sheet.free if row not in chosen]
    return chosen


def _values(fits: Fits, value: str | Value) -> Break:
    """Puts a value into a column that fits."""

    def break_sheet(sheet: Sheet, random: Random) -> str | None:
        places = [place for place in sheet.columns() if fits(place[0]["table"], place[1])]
        random.shuffle(places)
        for source, _, column in places:
            if column in source.get("explode", {}).get("columns", []) or column in source.get("where", {}):
                continue
            rows = _rows(sheet, source, random)
            for row in rows:
                sheet.put(row, column, value(sheet, row, column) if callable(value) else value)
            if rows:
                return str(source["table"])
        return None

    return break_sheet


def _kind(*kinds: str, required: bool | None = None) -> Fits:
    return lambda _, column: column.kind in kinds and required in (None, column.required)


def _named(table: str, *names: str) -> Fits:
    return lambda of, column: of == table and column.name in names


def _insert(make: Callable[[Sheet], list[str]]) -> Break:
    def break_sheet(sheet: Sheet, random: Random) -> str | None:
        for _ in range(FAULTS):
            sheet.inserted.append((random.randrange(1, len(sheet.rows)), make(sheet)))
        return ""

    return break_sheet


def _append(first: str) -> Break:
    def break_sheet(sheet: Sheet, _: Random) -> str | None:
        if len(sheet.header) < 3:
            return None
        sheet.footer.append([first, *[""] * (len(sheet.header) - 1)])
        return ""

    return break_sheet


def _filtered(sheet: Sheet, random: Random) -> str | None:
    for source in sheet.sources:
        for column in source.get("where", {}):
            rows = _rows(sheet, source, random)
            for row in rows:
                sheet.put(row, column, "neither")
            if rows:
                return str(source["table"])
    return None


def _lists(change: Callable[[Sheet, int, list[str]], None]) -> Break:
    def break_sheet(sheet: Sheet, random: Random) -> str | None:
        for source in sheet.sources:
            rows = _rows(sheet, source, random) if "explode" in source else []
            for row in rows:
                change(sheet, row, source["explode"]["columns"])
            if rows:
                return str(source["table"])
        return None

    return break_sheet


def _no_list(sheet: Sheet, row: int, columns: list[str]) -> None:
    for column in columns:
        sheet.put(row, column, " ; ")


def _uneven(sheet: Sheet, row: int, columns: list[str]) -> None:
    sheet.put(row, columns[0], sheet.cell(row, columns[0]) + ";91;92;93")


def _repeat(sheet: Sheet, random: Random) -> str | None:
    source = sheet.sources[0]
    for row in _rows(sheet, source, random):
        sheet.appended.append(list(sheet.rows[row]))
    return str(source["table"]) if sheet.appended else None


def _ragged(sheet: Sheet, random: Random) -> str | None:
    for row in _rows(sheet, sheet.sources[0], random):
        sheet.rows[row] = [*sheet.rows[row], "one", "more"]
        return ""
    return None


def _dated_after(sheet: Sheet, random: Random) -> str | None:
    dates = {column.name: name for s, column, name in sheet.columns() if s["table"] == "safety_event"}
    if not {"event_date", "reported_date"} <= dates.keys():
        return None
    source = next(source for source in sheet.sources if source["table"] == "safety_event")
    rows = _rows(sheet, source, random)
    for row in rows:
        sheet.put(row, dates["event_date"], "2024-05-28")
        sheet.put(row, dates["reported_date"], "2024-02-03")
    return "safety_event" if rows else None


def _swapped(sheet: Sheet, random: Random) -> str | None:
    table = _dated_after(sheet, random)
    dates = {column.name: name for s, column, name in sheet.columns() if s["table"] == "safety_event"}
    for row in range(len(sheet.rows)) if table else ():
        if sheet.cell(row, dates["event_date"]) == "2024-05-28" and row not in sheet.free:
            sheet.put(row, dates["event_date"], "2024-05-02")
            sheet.put(row, dates["reported_date"], "2024-02-10")
    return table


def _other_order(sheet: Sheet, row: int, column: str) -> str:
    """A date in the order that the column does not have."""
    shown = [sheet.cell(n, column) for n in range(len(sheet.rows))]
    month_first = any(text[:2].isdigit() and text[3:5].isdigit() and int(text[3:5]) > 12 for text in shown if text)
    return "25/01/2024" if month_first else "01/25/2024"


def _tier_without(sheet: Sheet, random: Random) -> str | None:
    return _tier(sheet, random, "")


def _tier_too_low(sheet: Sheet, random: Random) -> str | None:
    return _tier(sheet, random, "2")


def _tier(sheet: Sheet, random: Random, tier: str) -> str | None:
    of = {column.name: name for s, column, name in sheet.columns() if s["table"] == "support_encounter"}
    if not {"tier", "support_resource"} <= of.keys():
        return None
    source = next(source for source in sheet.sources if source["table"] == "support_encounter")
    rows = _rows(sheet, source, random)
    for row in rows:
        sheet.put(row, of["tier"], tier)
        sheet.put(row, of["support_resource"], "chaplain")
    return "support_encounter" if rows else None


def _blank_figure(sheet: Sheet, random: Random) -> str | None:
    heads = {column.name: name for s, column, name in sheet.columns() if s["table"] == "staffing_period"}
    if not heads:
        return None
    # Not in a line's first month, which has none before it.
    rows = [row for row in _rows(sheet, sheet.sources[0], random, 4) if row > len(sheet.rows) // 3]
    for row in rows:
        sheet.put(row, heads["headcount"], "")
    return "staffing_period" if rows else None


def _no_fallback(table: str, column: Column) -> bool:
    later = {("safety_event", "event_class"), ("support_encounter", "tier")}
    return (
        column.kind == "code" and column.required and column.name not in FALLBACKS and (table, column.name) not in later
    )


def _with_fallback(_: str, column: Column) -> bool:
    return column.kind == "code" and column.required and column.name in FALLBACKS


def _past_date(table: str, column: Column) -> bool:
    return column.kind in ("date", "datetime") and not column.required and not column.may_lie_ahead


def _required_date(table: str, column: Column) -> bool:
    """A required date; not that of an event, which is compared with its report before."""
    return (
        table != "safety_event" and column.kind in ("date", "datetime") and column.required and not column.may_lie_ahead
    )


def _plain_date(table: str, column: Column) -> bool:
    """A date that no other rule compares with another one."""
    return column.kind == "date" and column.name in ("review_date", "opened_date", "completed_date", "due_date")


_NUMERIC = _kind("count", "number", required=False)

BREAKS: dict[str, Break] = {
    "blank_row": _insert(lambda sheet: [""] * len(sheet.header)),
    "repeated_header": _insert(lambda sheet: list(sheet.header)),
    "totals_row": _append("Total: 90"),
    "trailing_note": _append("Printed by the quality office"),
    "filtered": _filtered,
    "nothing_listed": _lists(_no_list),
    "leaflet_only": _values(_named("support_encounter", "mode"), "leaflet"),
    "older_version": _repeat,
    "ragged_row": _ragged,
    "parts_do_not_match": _lists(_uneven),
    "required_missing": _values(_kind("key", "date", "datetime", "month", required=True), ""),
    "unreadable": _values(_kind("date", "datetime", "month", required=True), "some day"),
    "future_date": _values(_required_date, "2031-12-24"),
    "damaged_key": _values(_kind("key", required=True), "1.23457E+11"),
    "code_unknown": _values(_no_fallback, "zebra"),
    "text_too_long": _values(_kind("plain"), "a text that goes on for much longer than any code would " * 2),
    "not_a_code": _values(_kind("plain"), "a@b.co"),
    "event_after_report": _dated_after,
    "sentinel_date": _values(_past_date, "1900-01-01"),
    "excel_serial": _values(_plain_date, "45000"),
    "two_digit_year": _values(_plain_date, "5 Feb 24"),
    "other_date_order": _values(_plain_date, _other_order),
    "event_day_month_swapped": _swapped,
    "unreadable_optional": _values(_past_date, "last week"),
    "future_optional": _values(_past_date, "2031-12-24"),
    "damaged_key_optional": _values(_kind("key", required=False), "1.23457E+11"),
    "midnight": _values(_named("safety_event", "event_time"), "00:00"),
    "code_fallback": _values(_with_fallback, "zebra"),
    "code_missing": _values(_kind("code", "flag", required=False), "zebra"),
    "negative": _values(_NUMERIC, "-3"),
    "too_many_digits": _values(_NUMERIC, "99999999999"),
    "clipped": _values(_named("support_encounter", "minutes"), "500"),
    "harm_is_class": _values(_named("safety_event", "harm"), "near miss"),
    "tier_from_resource": _tier_without,
    "professional_is_tier_3": _tier_too_low,
    "recovered_before_event": _values(_named("support_episode", "recovered_date"), "1999-01-04"),
    "carried_value": _blank_figure,
}
"""Rule -> how to break an export so that it must speak."""
