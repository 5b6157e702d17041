"""The import: exports and a mapping in, canonical tables and a quality report out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from node.sources.database import read_url, read_view
from node.sources.door import export_files
from node.sources.reader import read_export
from node.sources.refused import FileRefused
from node.sources.table import TextTable
from node.tables.accounting import file_qualities, flags_of, table_quality
from node.tables.columns import missing_column
from node.tables.draft import Draft
from node.tables.drafting import draft_export
from node.tables.episodes import derive_episodes
from node.tables.inputs import input_qualities
from node.tables.keys import KeyHasher
from node.tables.links import table_flags
from node.tables.mapping import Mapping, Source
from node.tables.quality import QualityReport
from node.tables.row_rules import require_values
from node.tables.schema import TABLES, Table
from node.tables.versions import carry_missing_figures, keep_last_versions, sum_titles


@dataclass(frozen=True)
class Imported:
    """Every table of the schema (empty if nothing maps to it), and what happened to the rows."""

    tables: dict[str, pd.DataFrame]
    quality: QualityReport


def import_exports(folder: Path, mapping: Mapping, hasher: KeyHasher, today: date) -> Imported:
    """Read all exports of a site. Local identifiers are hashed on the way; no dates after `today` come in.

    Raises FileRefused for the first file that cannot be used; no row is lost without a count in the report.
    """
    tables: dict[str, pd.DataFrame] = {}
    finished: list[Draft] = []
    for table in TABLES.values():
        drafts = _drafts(folder, mapping, table, hasher, today)
        if not drafts:
            tables[table.name] = empty_table(table)
            continue
        draft = Draft.joined(drafts)
        tables[table.name] = _finish(draft)
        finished.append(draft)
    if not any(source.table == "support_episode" for source in mapping.sources):
        tables["support_episode"] = derive_episodes(tables, hasher, today)
    quality = QualityReport(
        files=tuple(file for draft in finished for file in file_qualities(draft)),
        tables=tuple(table_quality(table, tables[table.name]) for table in TABLES.values()),
        inputs=input_qualities(tables, finished),
        flags=(*(flag for draft in finished for flag in flags_of(draft)), *table_flags(tables)),
    )
    return Imported(tables, quality)


def empty_table(table: Table) -> pd.DataFrame:
    """A canonical table without rows, with its columns and types."""
    columns = {column.name: missing_column(column, 0) for column in table.columns}
    known = {name: pd.Series([], dtype="bool") for name in _time_known(table)}
    return pd.DataFrame({**columns, **known})


def _drafts(folder: Path, mapping: Mapping, table: Table, hasher: KeyHasher, today: date) -> list[Draft]:
    sources = [source for source in mapping.sources if source.table == table.name]
    _refuse_twice(folder, sources)
    return [
        draft_export(export, source, hasher, today) for source in sources for export in _read_exports(folder, source)
    ]


def _read_exports(folder: Path, source: Source) -> Iterator[TextTable]:
    if source.database is not None:
        url = read_url(source.database.url_file, source.database.url_env)
        yield read_view(url, source.database.view, source.wanted)
        return
    for path in export_files(folder, str(source.file)):
        yield read_export(path, source.wanted, source.sheet)


def _refuse_twice(folder: Path, sources: Sequence[Source]) -> None:
    """Raise FileRefused if two sources of a table take the same rows, with the same keys, of one file."""
    seen: set[object] = set()
    for source in sources:
        identity = [(name, source.columns.get(name)) for name in source.target.identity]
        rows = (source.sheet, repr((sorted(source.where.items()), source.explode, identity)))
        for path in export_files(folder, source.file) if source.file is not None else ():
            if (path, rows) in seen:
                raise FileRefused(
                    path.name, f"two sources of {source.table} take the same rows of it", "take one out of the mapping"
                )
            seen.add((path, rows))


def _finish(draft: Draft) -> pd.DataFrame:
    carry_missing_figures(draft)
    require_values(draft)
    keep_last_versions(draft)
    rows = sum_titles(draft)
    names = [*(column.name for column in draft.table.columns), *_time_known(draft.table)]
    return rows[names].reset_index(drop=True)


def _time_known(table: Table) -> list[str]:
    return [f"{column.name}_time_known" for column in table.columns if column.kind == "datetime"]
