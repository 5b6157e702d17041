"""One text column into canonical values, by the kind of the column; every doubt is settled by a named rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from node.tables.codes import FALLBACKS, Lookup, code_lookup, words_for_missing
from node.tables.dates import Order
from node.tables.distinct import by_distinct, distinct_texts
from node.tables.draft import Draft
from node.tables.keys import KeyHasher, is_damaged, key_namespace
from node.tables.numbers import parse_number
from node.tables.personal import has_email
from node.tables.schema import Column
from node.tables.stamps import NO_CLOCK, Stamps, read_clocks, read_stamps

FALLBACK_SHARE = 0.2
NAME_SHARE = 0.5
MIDNIGHT_SHARE = 0.02
WHOLE_WITHIN = 1e-6  # 1.1 h is 66 minutes only up to the rounding of floats
DATE_UNIT: Final = "datetime64[us]"
TIME_UNIT: Final = "timedelta64[us]"
# A later rule can still supply these required values, so a doubt about them does not yet decide about the row.
_SUPPLIED_LATER = frozenset(
    (
        ("safety_event", "event_class"),
        ("support_encounter", "tier"),
        ("staffing_period", "headcount"),
        ("staffing_period", "fte"),
    )
)
# An event's date is judged after its day and month were compared with the report.
_JUDGED_LATER = frozenset((("safety_event", "event_date"),))


@dataclass(frozen=True)
class Reading:
    """What reading a column needs to know besides its text; `decimal_commas` are the columns with that mark."""

    hasher: KeyHasher
    today: date
    orders: Mapping[str, Order]
    codes: Mapping[str, Mapping[str, str]]
    decimal_commas: frozenset[str]


def without_blanks(text: pd.Series[str], kind: Literal["value", "identifier"] = "value") -> pd.Series[str]:
    """The column with words that mean "nothing" (or, for identifiers, "nobody") as missing."""
    words = words_for_missing(kind)
    return by_distinct(text, lambda value: None if value.strip().casefold() in words else value)


def read_column(draft: Draft, column: Column, text: pd.Series[str], reading: Reading) -> None:
    """Parse `text` (one value per row of the draft) into `draft.frame[column.name]`."""
    if column.kind == "key":
        _read_key(draft, column, text, reading.hasher)
    elif column.kind in ("date", "datetime", "month"):
        read_dates(draft, column, text, reading)
    elif column.kind == "time":
        _read_time(draft, column, text)
    elif column.kind in ("count", "number"):
        _read_number(draft, column, text, column.name in reading.decimal_commas)
    elif column.kind == "plain":
        plain = without_blanks(text)
        too_long = plain.str.len().gt(column.max_chars)
        draft.apply("text_too_long", too_long, column.name)
        draft.apply("not_a_code", by_distinct(plain, has_email, "bool"), column.name)
        draft.frame[column.name] = plain.mask(too_long)
    else:
        lookup = code_lookup(draft.table.name, column, reading.codes.get(column.name, {}))
        settle_codes(draft, column, text, look_up(text, lookup))


def missing_column(column: Column, rows: int) -> pd.Series[Any]:
    """A canonical column without a value."""
    dtype = {
        "date": DATE_UNIT,
        "datetime": DATE_UNIT,
        "month": DATE_UNIT,
        "time": TIME_UNIT,
        "count": "Int64",
        "number": "float64",
        "flag": "boolean",
    }.get(column.kind, "str")
    return pd.Series([None] * rows, dtype=dtype)


def look_up(text: pd.Series[str], lookup: Lookup) -> pd.Series[str]:
    """The codes of a text column, missing where it is blank or not recognised."""
    return by_distinct(text, lambda value: lookup(value) if value else None)


def settle_codes(draft: Draft, column: Column, text: pd.Series[str], values: pd.Series[str]) -> None:
    """Put codes or flags into the draft; what is blank or not recognised goes by the rules for codes."""
    unknown = np.asarray(values.isna() & without_blanks(text).notna(), dtype=bool)
    if (draft.table.name, column.name) in _SUPPLIED_LATER:
        draft.doubt("code_unknown", unknown, column.name)
    elif not column.required:
        draft.apply("code_missing", unknown, column.name)
    elif column.name in FALLBACKS:
        values = _fall_back(draft, column, values, unknown)
    else:
        draft.apply("code_unknown", unknown, column.name)
    if column.kind == "flag":
        draft.frame[column.name] = values.eq("yes").astype("boolean").mask(values.isna())
    else:
        draft.frame[column.name] = values


def _fall_back(draft: Draft, column: Column, values: pd.Series[str], unknown: NDArray[np.bool_]) -> pd.Series[str]:
    blank_code, unknown_code = FALLBACKS[column.name]
    mended = np.asarray(values.isna(), dtype=bool)
    draft.apply("code_fallback", mended, column.name)
    if mended.sum() > FALLBACK_SHARE * len(values):
        words = f"{mended.mean():.0%} of '{column.name}'"
        draft.remark("mostly_fallback", column.name, words, draft.files[0].name)
    return values.mask(unknown, unknown_code).fillna(blank_code)


def _read_key(draft: Draft, column: Column, text: pd.Series[str], hasher: KeyHasher) -> None:
    given = without_blanks(text, "identifier")
    distinct = distinct_texts(given)[1]
    damaged = by_distinct(given, is_damaged, "bool")
    draft.apply("damaged_key" if column.required else "damaged_key_optional", damaged, column.name)
    if column.name == "person_key" and len(distinct):
        named = sum(value.replace(" ", "").isalpha() for value in distinct) / len(distinct)
        if named > NAME_SHARE:
            draft.remark("names_as_keys", column.name, f"{named:.0%} are letters only", draft.files[0].name)
    draft.frame[column.name] = hasher.keys(key_namespace(column.name), given.mask(damaged))


def read_dates(
    draft: Draft, column: Column, text: pd.Series[str], reading: Reading, time_text: pd.Series[str] | None = None
) -> None:
    """Parse dates, datetimes or months; `time_text` is a datetime's clock time if it has a column of its own.

    Where that is blank, the clock time behind the date counts.
    """
    order = reading.orders.get(column.name, "day_first")
    stamps = read_stamps(without_blanks(text), order, months=column.kind == "month")
    draft.apply("unreadable" if column.required else "unreadable_optional", stamps.unreadable, column.name)
    draft.apply("sentinel_date", stamps.sentinel, column.name)
    draft.apply("excel_serial", stamps.serial, column.name)
    draft.apply("two_digit_year", stamps.two_digit_year, column.name)
    draft.apply("other_date_order", stamps.swapped, column.name)
    days = _without_future(draft, column, stamps.days, reading.today)
    if column.kind != "datetime":
        draft.frame[column.name] = pd.Series(days).astype(DATE_UNIT)
        return
    clock_s = _clock_of(draft, column, stamps, time_text)
    known = (clock_s != NO_CLOCK) & ~np.isnat(days)
    seconds = np.where(known, clock_s, 0).astype("timedelta64[s]")
    draft.frame[column.name] = pd.Series(days.astype("datetime64[s]") + seconds).astype(DATE_UNIT)
    draft.frame[f"{column.name}_time_known"] = known


def _without_future(draft: Draft, column: Column, days: NDArray[np.datetime64], today: date) -> NDArray[np.datetime64]:
    if column.may_lie_ahead or (draft.table.name, column.name) in _JUDGED_LATER:
        return days
    future = days > np.datetime64(today)
    draft.apply("future_date" if column.required else "future_optional", future, column.name)
    return np.where(future, np.datetime64("NaT"), days)


def _clock_of(draft: Draft, column: Column, stamps: Stamps, time_text: pd.Series[str] | None) -> NDArray[np.int64]:
    if time_text is None:
        return without_midnights(draft, column, stamps.clock_s)
    given = without_blanks(time_text)
    clock_s, unreadable = read_clocks(given)
    draft.apply("unreadable_optional", unreadable, column.name)
    # Beside a column of times, 00:00 behind a date is how systems write a date: it was never a time to be mended.
    of_date = np.where(stamps.clock_s == 0, NO_CLOCK, stamps.clock_s)
    return without_midnights(draft, column, np.where(given.isna(), of_date, clock_s))


def without_midnights(draft: Draft, column: Column, clock_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """Clock times without those of exactly 00:00, which mostly stand for "not recorded".

    Always, and not only where they are many: the share of a column depends on everyone's rows, so a rule that looks at
    it could change how many people's times are read when one person's rows come or go, and no cap would bound that. The
    price is 1 true time in 1440.
    """
    midnight = np.asarray(clock_s == 0, dtype=bool)
    if midnight.any():
        known = int((clock_s != NO_CLOCK).sum())
        if midnight.sum() < known:  # a column of midnights alone holds dates: nothing was lost, nothing to mend
            draft.apply("midnight", midnight, column.name)
        if midnight.sum() > MIDNIGHT_SHARE * known:
            share = f"{midnight.sum() / known:.0%} of clock times"
            draft.remark("midnight_share", column.name, share, draft.files[0].name)
    return np.where(midnight, NO_CLOCK, clock_s)


def _read_time(draft: Draft, column: Column, text: pd.Series[str]) -> None:
    clock_s, unreadable = read_clocks(without_blanks(text))
    draft.apply("unreadable" if column.required else "unreadable_optional", unreadable, column.name)
    clock_s = without_midnights(draft, column, clock_s)
    known = clock_s != NO_CLOCK
    times = np.where(known, clock_s.astype("timedelta64[s]"), np.timedelta64("NaT", "s"))
    draft.frame[column.name] = pd.Series(times).astype(TIME_UNIT)


def _read_number(draft: Draft, column: Column, text: pd.Series[str], decimal_comma: bool) -> None:
    given = without_blanks(text)
    values = by_distinct(given, lambda value: parse_number(value, decimal_comma), "float64")
    fractional = (values - values.round()).abs() > WHOLE_WITHIN
    if column.kind == "count":
        values = values.mask(fractional)
    elif column.name == "headcount" and fractional.any():
        draft.remark("fractional_headcount", column.name, f"{int(fractional.sum())} rows", draft.files[0].name)
    unreadable = given.notna() & values.isna()
    if (draft.table.name, column.name) in _SUPPLIED_LATER:
        draft.doubt("unreadable", unreadable, column.name)
    else:
        draft.apply("unreadable" if column.required else "unreadable_optional", unreadable, column.name)
    values = _within_limits(draft, column, values)
    if column.kind == "count":
        draft.frame[column.name] = values.round().astype("Int64")
    else:
        draft.frame[column.name] = values


def _within_limits(draft: Draft, column: Column, values: pd.Series[float]) -> pd.Series[float]:
    upper = column.limits[1]
    negative = values < column.limits[0]
    too_long = values >= 10 ** len(str(int(upper)))
    draft.apply("negative", negative, column.name)
    draft.apply("too_many_digits", too_long, column.name)
    draft.apply("clipped", (values > upper) & ~too_long, column.name)
    return values.mask(negative | too_long).clip(upper=upper)
