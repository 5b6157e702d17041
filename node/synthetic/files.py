"""Writing exports: CSV and Parquet files, and the mapping file that tells the import how to read them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from node.synthetic.style import Layout, Style

Origin: TypeAlias = str | Mapping[str, str | Mapping[str, str]]
"""A source column, or a table of the mapping format: column with codes, constant, checkbox."""


@dataclass(frozen=True)
class Source:
    """One [[source]] of a mapping file; `columns` maps canonical columns to their origins."""

    table: str
    file: str
    columns: Mapping[str, Origin]
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    explode: Sequence[str] = ()
    date_order: str | None = None


def named(table: str, names: Mapping[str, str], style: Style) -> dict[str, Origin]:
    """Origins of the columns of `table` under a site's own column names, with the site's words for codes."""
    origins: dict[str, Origin] = {}
    for canonical_name, local_name in names.items():
        codes = style.vocabulary.codes(table, canonical_name)
        origins[canonical_name] = {"column": local_name, "codes": codes} if codes else local_name
    return origins


def write_csv(path: Path, sheet: pd.DataFrame, layout: Layout) -> None:
    """A CSV file with the layout's titles, delimiter, encoding and last row."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=layout.delimiter)
    width = len(sheet.columns)
    for title in layout.titles:
        writer.writerow([title] + [""] * (width - 1))
    writer.writerow(sheet.columns)
    writer.writerows(sheet.itertuples(index=False, name=None))
    if layout.totals:
        writer.writerow(["Total", str(len(sheet))] + [""] * (width - 2))
    path.write_bytes(text.getvalue().encode(layout.encoding))


def mapping_text(sources: Sequence[Source]) -> str:
    """The TOML of a mapping file. JSON's strings are TOML's basic strings, so json quotes them."""
    blocks = ["version = 1"]
    for source in sources:
        lines = ["", "[[source]]", f"table = {_quoted(source.table)}", f"file = {_quoted(source.file)}"]
        if source.where:
            lines.append(f"where = {_inline(source.where)}")
        if source.explode:
            lines.append(f"explode = {_inline({'columns': list(source.explode), 'separator': ';'})}")
        if source.date_order:
            lines.append(f"date_order = {_quoted(source.date_order)}")
        lines.append("[source.columns]")
        lines += [f"{name} = {_inline(origin)}" for name, origin in source.columns.items()]
        blocks.append("\n".join(lines))
    return "\n".join(blocks) + "\n"


def _inline(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_quoted(key)} = {_inline(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(_inline(inner) for inner in value) + "]"
    raise TypeError(f"a mapping file holds texts, lists and tables, not {value!r}")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
