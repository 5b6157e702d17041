"""The import: exports and a mapping in, canonical tables and a quality report out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from node.sources.reader import export_files
from node.tables.accounting import file_qualities, flags_of, table_quality
from node.tables.columns import missing_column
from node.tables.draft import Draft
from node.tables.drafting import draft_file
from node.tables.episodes import derive_episodes
from node.tables.keys import KeyHasher
from node.tables.links import table_flags
from node.tables.mapping import Mapping
from node.tables.quality import FileQuality, Flag, QualityReport
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
    files: list[FileQuality] = []
    flags: list[Flag] = []
    for table in TABLES.values():
        drafts = _drafts(folder, mapping, table, hasher, today)
        if not drafts:
            tables[table.name] = empty_table(table)
            continue
        draft = Draft.joined(drafts)
        tables[table.name] = _finish(draft)
        files += file_qualities(draft)
        flags += flags_of(draft)
    if not any(source.table == "support_episode" for source in mapping.sources):
        tables["support_episode"] = derive_episodes(tables, hasher, today)
    quality = QualityReport(
        files=tuple(files),
        tables=tuple(table_quality(table, tables[table.name]) for table in TABLES.values()),
        flags=(*flags, *table_flags(tables)),
    )
    return Imported(tables, quality)


def empty_table(table: Table) -> pd.DataFrame:
    """A canonical table without rows, with its columns and types."""
    columns = {column.name: missing_column(column, 0) for column in table.columns}
    known = {name: pd.Series([], dtype="bool") for name in _time_known(table)}
    return pd.DataFrame({**columns, **known})


def _drafts(folder: Path, mapping: Mapping, table: Table, hasher: KeyHasher, today: date) -> list[Draft]:
    return [
        draft_file(path, source, hasher, today)
        for source in mapping.sources
        if source.table == table.name
        for path in export_files(folder, source.file)
    ]


def _finish(draft: Draft) -> pd.DataFrame:
    carry_missing_figures(draft)
    require_values(draft)
    keep_last_versions(draft)
    rows = sum_titles(draft)
    names = [*(column.name for column in draft.table.columns), *_time_known(draft.table)]
    return rows[names].reset_index(drop=True)


def _time_known(table: Table) -> list[str]:
    return [f"{column.name}_time_known" for column in table.columns if column.kind == "datetime"]
