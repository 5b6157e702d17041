"""Canonical tables as the text that exports hold: a site's date formats, words, ids and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from node.synthetic.frames import KNOWN
from node.synthetic.style import Style
from node.tables.schema import TABLES, Column

EXCEL_EPOCH = pd.Timestamp("1899-12-30")
_MINUTES_PER_DAY = 1440
_PERSON_COLUMNS = ("person_key", "supporter_key")


def as_text(table: str, frame: pd.DataFrame, style: Style, rng: np.random.Generator) -> pd.DataFrame:
    """Every canonical column of `frame` as text, "" where nothing is known; rows and column names as they were."""
    columns = {
        column.name: _column_text(table, column, frame, style, rng)
        for column in TABLES[table].columns
        if column.name in frame
    }
    return pd.DataFrame(columns, index=frame.index)


def _column_text(
    table: str, column: Column, frame: pd.DataFrame, style: Style, rng: np.random.Generator
) -> pd.Series[str]:
    values = frame[column.name]
    match column.kind:
        case "date":
            text = _days(values, style, rng)
        case "datetime":
            text = _stamps(values, frame[column.name + KNOWN], style, rng)
        case "month":
            text = values.dt.strftime("%Y-%m")
        case "time":
            text = (EXCEL_EPOCH + values).dt.strftime("%H:%M")
        case "code" | "flag":
            text = _words(column, values, style, rng)
        case "number":
            text = values.map("{:.10g}".format).str.replace(".", "," if style.decimal_comma else ".")
        case _:
            text = values.astype("str")
    if column.name in _PERSON_COLUMNS and table.startswith("support_"):
        text = text.mask(rng.random(len(text)) < style.bare_ids, text.str.lstrip("0"))
    return text.astype("object").where(values.notna(), "").astype("str")


def _days(values: pd.Series[Any], style: Style, rng: np.random.Generator) -> pd.Series[Any]:
    text = values.dt.strftime(style.day_format)
    if style.second_format is not None:
        text = text.mask(rng.random(len(values)) < 0.4, values.dt.strftime(style.second_format))
    serial = (values - EXCEL_EPOCH).dt.days.astype("Int64").astype("str")
    return pd.Series(text.mask(rng.random(len(values)) < style.serials, serial))


def _stamps(values: pd.Series[Any], known: pd.Series[bool], style: Style, rng: np.random.Generator) -> pd.Series[str]:
    """Date and clock time; a time nobody wrote down is left out, or is 00:00."""
    clock = known | (not style.date_only)
    day = values.dt.strftime(style.day_format)
    text = day.mask(clock, day + values.dt.strftime(" %H:%M"))
    minutes = (values - EXCEL_EPOCH).dt.total_seconds() / 60
    serial = (minutes / _MINUTES_PER_DAY).map("{:.6f}".format)
    return pd.Series(text.mask(clock & (rng.random(len(values)) < style.serials), serial))


def _words(column: Column, values: pd.Series[Any], style: Style, rng: np.random.Generator) -> pd.Series[str]:
    """A random one of the site's words for each code, some in another case or with a space too many."""
    if column.kind == "flag":
        values = values.map({True: "yes", False: "no"})
    text = values.astype("object")
    for code, words in style.vocabulary.words(column).items():
        rows = values.eq(code).fillna(False).to_numpy(dtype=bool)
        text[rows] = rng.choice(np.asarray(words, dtype=object), int(rows.sum()))
    sloppy = pd.Series(rng.random(len(text)) < 0.05, index=text.index)
    return pd.Series(text.mask(sloppy, text.str.upper() + " "))
