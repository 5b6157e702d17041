"""Reading one export file, whatever its form: that is found from its content, never from its name."""

from __future__ import annotations

from pathlib import Path

from node.sources import workbook
from node.sources.delimited import read_delimited
from node.sources.door import read_guarded
from node.sources.fhir import looks_like_json, read_fhir
from node.sources.parquet import MAGIC, read_parquet
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted


def read_export(path: Path, wanted: Wanted, sheet: str | None = None) -> TextTable:
    """The wanted columns of an export as text; `sheet` names that of a workbook. Raises FileRefused."""
    content = read_guarded(path)
    if content.startswith(workbook.MAGIC):
        return workbook.read_workbook(content, wanted, path.name, sheet)
    if content.startswith(workbook.OLD_MAGIC):
        workbook.refuse_old_workbook(content, path.name)
    if sheet is not None:
        raise FileRefused(path.name, "it is no workbook, so it has no sheets", "take `sheet` out of the mapping")
    if content.startswith(MAGIC):
        return read_parquet(content, wanted, path.name)
    if looks_like_json(content):
        return read_fhir(content, wanted, path.name)
    return read_delimited(content, wanted, path.name)
