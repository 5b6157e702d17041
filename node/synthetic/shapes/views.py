"""One file per canonical table under the site's own column names, as CSV or Parquet: what a database view gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from node.synthetic.files import Origin, Source, named, write_csv
from node.synthetic.frames import KNOWN
from node.synthetic.style import Style
from node.synthetic.text import as_text
from node.tables.schema import TABLES

Dialect = Callable[[str], str]


def _shouting(name: str) -> str:
    return name.upper()


def _titled(name: str) -> str:
    return name.replace("_key", "_no").replace("_", " ").title()


def _camel(name: str) -> str:
    first, *rest = name.replace("_key", "_id").split("_")
    return first + "".join(word.capitalize() for word in rest)


_DIALECTS: tuple[Dialect, ...] = (_shouting, _titled, _camel)
_OFTEN_PARQUET = ("unit", "staffing_period", "activity_period", "support_episode", "rca")


def write(tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator) -> list[Source]:
    """Write each table to a file of its own; half of the smaller tables as Parquet. Gives their sources."""
    dialect = _DIALECTS[int(rng.integers(len(_DIALECTS)))]
    sources = []
    for table, frame in tables.items():
        if table in _OFTEN_PARQUET and rng.random() < 0.5:
            sources.append(_write_parquet(table, frame, style, dialect, folder, rng))
        else:
            sources.append(_write_csv(table, frame, style, dialect, folder, rng))
    return sources


def _names(table: str, frame: pd.DataFrame, dialect: Dialect) -> dict[str, str]:
    """Local names of the columns that hold anything."""
    required = {column.name for column in TABLES[table].columns if column.required}
    names = [column.name for column in TABLES[table].columns]
    return {name: dialect(name) for name in names if name in required or frame[name].notna().any()}


def _write_csv(
    table: str, frame: pd.DataFrame, style: Style, dialect: Dialect, folder: Path, rng: np.random.Generator
) -> Source:
    names = _names(table, frame, dialect)
    sheet = as_text(table, frame, style, rng)[list(names)].rename(columns=names)
    write_csv(folder / f"v_{table}.csv", sheet, style.layout)
    return Source(table, f"v_{table}.csv", named(table, names, style), date_order=style.date_order)


def _write_parquet(
    table: str, frame: pd.DataFrame, style: Style, dialect: Dialect, folder: Path, rng: np.random.Generator
) -> Source:
    """Dates, times and numbers keep their types; a clock time nobody wrote down is 00:00."""
    names = _names(table, frame, dialect)
    typed = frame.drop(columns=[name for name in frame if str(name).endswith(KNOWN)])
    text = as_text(table, frame, style, rng)
    for column in TABLES[table].columns:
        if column.kind in ("code", "flag", "time", "key"):
            typed[column.name] = text[column.name].replace("", None)
    typed[list(names)].rename(columns=names).to_parquet(folder / f"v_{table}.parquet", index=False)
    origins: dict[str, Origin] = named(table, names, style)
    return Source(table, f"v_{table}.parquet", origins)
