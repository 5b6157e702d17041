"""More than a hundred broken exports: no crash, every row accounted for, and the rule that must speak speaks.

Every rule about rows is broken singly in every shape that has a place for it; then several at once.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from node.synthetic.exports import write_exports
from node.synthetic.network import synthesize
from node.tables.importer import Imported
from node.tables.quality import FileQuality
from node.tables.rules import RULES
from tests.node.broken.breaks import BREAKS
from tests.node.broken.sheet import Sheet, sheets, sound

SHAPES = ("incident system", "redcap", "spreadsheet", "views")
FORMS = (",", ";", "\t", "xlsx")
# A row of a workbook has no cells too many, and its empty rows at the end are not stored.
NOT_IN_WORKBOOKS = {"ragged_row"}
ELSEWHERE = {"other_resource", "broken_line", "formula_without_value", "summed"}  # see test_forms.py
COMBINED = 40
TOGETHER = 5


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Sheet]]:
    """The sound exports of one synthetic site of each shape."""
    found = {}
    for shape, site in zip(SHAPES, synthesize(4, 5, 2023, 1), strict=True):
        folder, scratch = tmp_path_factory.mktemp("exports"), tmp_path_factory.mktemp("scratch")
        write_exports(site, folder)
        found[shape] = [sound(sheet, scratch) for sheet in sheets(shape, folder)]
    return found


def rules_that_spoke(imported: Imported) -> set[tuple[str, str]]:
    return {
        (finding.rule, table)
        for file in imported.quality.files
        for finding in (*file.repairs, *file.quarantined, *file.dropped)
        for table in (file.table, "")
    }


def check_every_row(sheet: Sheet, imported: Imported) -> None:
    """The rows that the generator wrote are the rows that the report accounts for, in every source of the file."""
    by_table = {file.table: file for file in imported.quality.files}
    assert len(by_table) == len(sheet.sources)
    for source in sheet.sources:
        file: FileQuality = by_table[source["table"]]
        out = file.accepted + file.repaired + file.rows_quarantined + file.rows_dropped
        assert file.read == len(sheet.body())
        assert out == len(sheet.body()) + file.added
        assert min(file.accepted, file.repaired) >= 0
        if "where" not in source:
            assert file.added == sheet.parts_added(source)


def test_every_rule_about_rows_can_be_broken() -> None:
    rules = {rule for rule, known in RULES.items() if known.effect != "flagged"}
    assert rules - ELSEWHERE == set(BREAKS)


@pytest.mark.parametrize("rule", BREAKS)
def test_a_single_fault_is_named_and_nothing_is_lost(base: dict[str, list[Sheet]], tmp_path: Path, rule: str) -> None:
    """In every shape that has a place for the fault, each time in another form of file."""
    broken = 0
    for number, shape in enumerate(SHAPES):
        random = Random(f"{rule} {shape}")  # noqa: S311 - a test that can be repeated
        form = FORMS[(number + list(BREAKS).index(rule)) % len(FORMS)]
        form = ";" if form == "xlsx" and rule in NOT_IN_WORKBOOKS else form
        made = _break_one(base[shape], rule, random)
        if made is not None:
            sheet, table = made
            imported = sheet.run(tmp_path, form)
            check_every_row(sheet, imported)
            assert (rule, table) in rules_that_spoke(imported), shape
            broken += 1
    assert broken, "no shape has a place for this fault"


def _break_one(whole: list[Sheet], rule: str, random: Random) -> tuple[Sheet, str] | None:
    """The first export, in a random order, that has a place for a fault."""
    for sheet in random.sample(whole, len(whole)):
        broken = sheet.copy()
        table = BREAKS[rule](broken, random)
        if table is not None:
            return broken, table
    return None


@pytest.mark.parametrize("seed", range(COMBINED))
def test_several_faults_at_once_are_all_named_and_nothing_is_lost(
    base: dict[str, list[Sheet]], tmp_path: Path, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - a test that can be repeated
    form = random.choice(FORMS)
    sheet = random.choice([s for s in base[random.choice(SHAPES)] if len(s.rows) >= 40]).copy()
    allowed = [rule for rule in BREAKS if form != "xlsx" or rule not in NOT_IN_WORKBOOKS]
    made = {}
    for rule in random.sample(allowed, len(allowed)):
        table = BREAKS[rule](sheet, random)
        if table is not None:
            made[rule] = table
        if len(made) == TOGETHER:
            break
    imported = sheet.run(tmp_path, form)
    check_every_row(sheet, imported)
    spoke = rules_that_spoke(imported)
    assert set(made.items()) <= spoke
