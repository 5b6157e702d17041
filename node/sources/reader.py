"""Reading one export file, whatever its form."""

from __future__ import annotations

from pathlib import Path

from node.sources.delimited import read_delimited
from node.sources.parquet import MAGIC, read_parquet
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted


def export_files(folder: Path, pattern: str) -> list[Path]:
    """The files in `folder` that match a glob, in name order; lock and hidden files are passed over."""
    files = sorted(path for path in folder.glob(pattern) if path.is_file() and path.name[0] not in "~.")
    if not files:
        raise FileRefused(
            pattern, f"no file of this name in {folder}", "put the export there, or correct `file` in the mapping"
        )
    return files


def read_export(path: Path, wanted: Wanted) -> TextTable:
    """The wanted columns of an export as text; raises FileRefused, which names the file."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileRefused(path.name, f"it cannot be read ({error.strerror})", "check its permissions") from error
    if content.startswith(MAGIC):
        return read_parquet(content, wanted, path.name)
    return read_delimited(content, wanted, path.name)
