"""An export as a grid that can be broken, written as delimited text or as a workbook, and counted independently."""

from __future__ import annotations

import copy
import csv
import io
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq

from node.tables.importer import Imported, import_exports
from node.tables.keys import KeyHasher
from node.tables.mapping import Mapping
from node.tables.schema import TABLES, Column

HASHER = KeyHasher(b"a secret of this test, 32 bytes or more")
TODAY = date(2024, 6, 1)
ROWS = 90
RawSource = dict[str, Any]


@dataclass
class Sheet:
    """Title rows, header and rows of one file, with the sources of its mapping; `free` are rows not broken so far."""

    shape: str
    file: str
    titles: list[list[str]]
    header: list[str]
    rows: list[list[str]]
    sources: list[RawSource]
    free: list[int] = field(default_factory=list)
    appended: list[list[str]] = field(default_factory=list)
    footer: list[list[str]] = field(default_factory=list)
    inserted: list[tuple[int, list[str]]] = field(default_factory=list)

    def copy(self) -> Sheet:
        return copy.deepcopy(self)

    def body(self) -> list[list[str]]:
        """Every row below the header, in the order in which it is written."""
        rows = [list(row) for row in self.rows]
        for at, row in sorted(self.inserted, key=lambda pair: -pair[0]):
            rows.insert(at, row)
        return rows + self.appended + self.footer

    def place(self, column: str) -> int:
        return [name.strip() for name in self.header].index(column)

    def cell(self, row: int, column: str) -> str:
        return self.rows[row][self.place(column)].strip()

    def put(self, row: int, column: str, value: str) -> None:
        self.rows[row][self.place(column)] = value

    def columns(self) -> Iterator[tuple[RawSource, Column, str]]:
        """The mapped canonical columns with the source column of each (those made of one column)."""
        for source in self.sources:
            for name, origin in source["columns"].items():
                column = origin if isinstance(origin, str) else origin.get("column")
                if column is not None:
                    yield source, TABLES[source["table"]].column(name), column

    def write(self, folder: Path, form: str) -> Mapping:
        """Write the file in a form (";" and the like, or "xlsx") and give the mapping of its sources."""
        name = "broken.xlsx" if form == "xlsx" else "broken.csv"
        lines = [*self.titles, self.header, *self.body()]
        if form == "xlsx":
            book = openpyxl.Workbook()
            page = book.worksheets[0]
            for number, row in enumerate(lines, start=1):
                for place, cell in enumerate(row, start=1):
                    if cell != "":
                        page.cell(number, place, cell)
            book.save(folder / name)
        else:
            text = io.StringIO()
            csv.writer(text, delimiter=form, lineterminator="\n").writerows(lines)
            (folder / name).write_text(text.getvalue(), encoding="utf-8")
        sources = [{**source, "file": name} for source in self.sources]
        return Mapping.model_validate({"version": 1, "source": sources})

    def run(self, folder: Path, form: str) -> Imported:
        return import_exports(folder, self.write(folder, form), HASHER, TODAY)

    def parts_added(self, source: RawSource) -> int:
        """How many rows splitting adds, counted without the import."""
        explode = source.get("explode")
        if explode is None:
            return 0
        added = 0
        for row in self.body():
            lists = [self._parts(row, column, explode["separator"]) for column in explode["columns"]]
            even = all(len(other) in (0, len(lists[0])) for other in lists[1:])
            if lists[0] and even and self._is_data(row):
                added += len(lists[0]) - 1
        return added

    def _parts(self, row: list[str], column: str, separator: str) -> list[str]:
        cell = row[self.place(column)] if self.place(column) < len(row) else ""
        parts = [part.strip() for part in cell.split(separator)]
        return parts if any(parts) else []

    def _is_data(self, row: list[str]) -> bool:
        return len(row) == len(self.header) and row != self.header


def sheets(shape: str, folder: Path) -> list[Sheet]:
    """The exports of a folder that its mapping names, the first ROWS of each, without rows that a rule touches."""
    mapping = tomllib.loads((folder / "mapping.toml").read_text(encoding="utf-8"))
    found = []
    for path in sorted(folder.iterdir()):
        sources = [source for source in mapping["source"] if fnmatch(path.name, source["file"])]
        if sources:
            found.append(_load(shape, path, copy.deepcopy(sources)))
    return found


def _load(shape: str, path: Path, sources: list[RawSource]) -> Sheet:
    if path.suffix == ".parquet":
        table = pq.read_table(path).to_pylist()
        header = list(table[0])
        lines = [header, *([_text(row[name]) for name in header] for row in table)]
    else:
        content = path.read_bytes()
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252")
        tables = [list(csv.reader(io.StringIO(text), delimiter=mark)) for mark in ";,\t"]
        lines = max(tables, key=lambda table: max(map(len, table[:10])))
    needed = {column for source in sources for column in _names(source)}
    at = next(n for n, row in enumerate(lines) if needed <= {cell.strip() for cell in row})
    rows = [row for row in lines[at + 1 :] if len(row) == len(lines[at])]
    return Sheet(shape, path.name, lines[:at], lines[at], rows, sources)


def _names(source: RawSource) -> list[str]:
    origins = source["columns"].values()
    return [origin if isinstance(origin, str) else origin["column"] for origin in origins if _single(origin)]


def _single(origin: Any) -> bool:
    return isinstance(origin, str) or "column" in origin


def _text(value: object) -> str:
    return "" if value is None else re.sub(r"^(\d+)\.0$", r"\1", str(value))


def sound(sheet: Sheet, folder: Path) -> Sheet:
    """The sheet without the rows that any rule touches, at most ROWS long; rows of every source are kept."""
    sheet.rows = _spread(sheet)
    for _ in range(30):
        offset = len(sheet.titles) + 2
        touched = {number - offset for number in _touched(sheet.run(folder, ";"))}
        if not touched:
            break
        sheet.rows = [row for n, row in enumerate(sheet.rows) if n not in touched]
    sheet.free = list(range(len(sheet.rows)))
    return sheet


def _spread(sheet: Sheet) -> list[list[str]]:
    """The first rows, and for every source the first that its filter keeps or its lists fill."""
    chosen = set(range(min(ROWS, len(sheet.rows))))
    for source in sheet.sources:
        chosen |= set(list(data_rows(sheet, source))[:ROWS])
    return [sheet.rows[n] for n in sorted(chosen)]


def data_rows(sheet: Sheet, source: RawSource) -> Iterator[int]:
    """The rows that are data of a source: those its filter keeps and its list splits into parts."""
    for n, row in enumerate(sheet.rows):
        kept = all(row[sheet.place(column)].strip() in values for column, values in source.get("where", {}).items())
        lists = source.get("explode", {}).get("columns", [])
        if kept and (not lists or row[sheet.place(lists[0])].strip(" ;")):
            yield n


def _touched(imported: Imported) -> set[int]:
    kept = {"filtered", "nothing_listed", "summed"}
    return {
        row
        for file in imported.quality.files
        for finding in (*file.repairs, *file.quarantined, *file.dropped)
        if finding.rule not in kept
        for row in finding.rows
    }
