"""Faults that only one form of file, or one table, can have: FHIR, formulas in workbooks, job titles of staffing."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pytest

from node.tables.importer import Imported, import_exports
from node.tables.mapping import Mapping
from tests.node.broken.sheet import HASHER, TODAY

EVENTS = {
    "event_key": "identifier",
    "event_date": "date",
    "event_class": "actuality",
    "event_type": "category",
    "harm": "harm",
    "harm_source_scale": {"constant": "nrls"},
    "source_system": {"constant": "reporting"},
    "status": {"constant": "closed"},
}
STAFFING = {"period": "Month", "role_group": "Title", "headcount": "Heads", "fte": "FTE"}


def _run(folder: Path, table: str, file: str, columns: dict[str, Any]) -> Imported:
    source = {"table": table, "file": file, "columns": columns}
    return import_exports(folder, Mapping.model_validate({"version": 1, "source": [source]}), HASHER, TODAY)


def _check(imported: Imported, read: int, **expected: int) -> None:
    (file,) = imported.quality.files
    assert file.read == read
    assert file.read == file.accepted + file.repaired + file.rows_quarantined + file.rows_dropped
    counts = {finding.rule: finding.count for finding in (*file.repairs, *file.quarantined, *file.dropped)}
    assert counts == expected


@pytest.mark.parametrize("seed", range(5))
def test_lines_of_fhir_that_are_no_events_are_counted(tmp_path: Path, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - a test that can be repeated
    others, broken = random.randrange(1, 8), random.randrange(1, 8)
    lines = [
        json.dumps(
            {"resourceType": "AdverseEvent", "id": f"e{n}", "actuality": "actual", "date": f"2024-03-{n % 28 + 1:02d}",
             "category": [{"coding": [{"code": "fall"}]}], "severity": {"coding": [{"code": "mild"}]}}
        )
        for n in range(60)
    ]  # fmt: skip
    lines += ['{"resourceType": "Patient", "id": "p"}'] * others + ['{"resourceType": "Adver'] * broken
    random.shuffle(lines)
    (tmp_path / "events.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    imported = _run(tmp_path, "safety_event", "events.ndjson", EVENTS)
    _check(imported, 60 + others + broken, other_resource=others, broken_line=broken)


@pytest.mark.parametrize("formulas", [1, 3])
def test_formulas_without_a_result_are_counted(tmp_path: Path, formulas: int) -> None:
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.append(["Month", "Title", "Heads", "FTE"])
    for month in range(1, 13):
        for title in ("RN", "Physician", "Porter"):
            page.append([f"2023-{month:02d}", title, 40, 36.5])
    for row in range(20, 20 + formulas):
        page.cell(row, 4, "=C2*0.9")
    book.save(tmp_path / "staff.xlsx")
    imported = _run(tmp_path, "staffing_period", "staff.xlsx", STAFFING)
    _check(imported, 36, formula_without_value=formulas, carried_value=formulas)


def test_titles_of_one_role_group_are_added_up_and_counted(tmp_path: Path) -> None:
    lines = [f"2023-{month:02d},{title},10,9" for month in range(1, 13) for title in ("RN", "Staff nurse", "Porter")]
    (tmp_path / "staff.csv").write_text("\n".join(["Month,Title,Heads,FTE", *lines]) + "\n", encoding="utf-8")
    imported = _run(tmp_path, "staffing_period", "staff.csv", STAFFING)
    _check(imported, 36, summed=24)
    assert len(imported.tables["staffing_period"]) == 24
