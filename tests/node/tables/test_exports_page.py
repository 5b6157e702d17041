"""Every mapping on the page for owners of exports is valid, and there is one for every kind of source."""

from __future__ import annotations

import re
from pathlib import Path

from node.sources.fhir import COLUMNS
from node.tables.mapping import load_mapping

PAGE = (Path(__file__).parents[3] / "docs" / "exports.md").read_text(encoding="utf-8")


def test_the_mappings_of_the_page_are_valid(tmp_path: Path) -> None:
    tables = []
    for number, example in enumerate(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)):
        path = tmp_path / f"{number}.toml"
        path.write_text(example, encoding="utf-8")
        tables.append([source.table for source in load_mapping(path).sources])
    assert tables == [
        ["safety_event", "event_involvement"],
        ["support_encounter"],
        ["support_activation", "support_encounter"],
        ["safety_event", "event_involvement"],
        ["staffing_period"],
    ]


def test_every_column_of_fhir_is_explained() -> None:
    explained = PAGE.partition("## FHIR")[2].partition("```toml")[0]
    assert [name for name in COLUMNS if f"`{name}`" not in explained] == []
