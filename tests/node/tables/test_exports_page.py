"""Every mapping on the page for owners of exports is valid, and there is one for every kind of source."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date
from pathlib import Path

from node.proposals import accepted, look_at, propose, to_toml
from node.sources.fhir import COLUMNS
from node.tables.importer import import_exports
from node.tables.keys import KeyHasher
from node.tables.mapping import Mapping, load_mapping

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


def _coded(code: str) -> dict[str, object]:
    return {"coding": [{"code": code}]}


def _write_adverse_events(folder: Path) -> None:
    """Thirty AdverseEvents in each of R4 and R5, with what either release requires."""
    for release in (4, 5):
        lines = []
        for n in range(1, 31):
            event = {
                "resourceType": "AdverseEvent",
                "actuality": "actual",
                "subject": {"reference": "Patient/1"},
                "recordedDate": f"2024-03-{n:02d}T10:00:00+01:00",
                "category": [_coded("medication-mishap" if n % 2 else "product-problem")],
                "outcome": _coded("resolved"),
            }
            value, when = {"value": f"R{release}-{n}"}, f"2024-03-{n:02d}T08:00:00+01:00"
            who = {"reference": f"Practitioner/{n}"}
            if release == 4:
                event |= {"identifier": value, "date": when, "severity": _coded("moderate"), "contributor": [who]}
            else:
                part = {"function": _coded("nurse"), "actor": who}
                event |= {"identifier": [value], "occurrenceDateTime": when, "status": "completed"}
                event |= {"outcome": [_coded("fatal")], "participant": [part]}
            lines.append(json.dumps(event))
        (folder / f"adverse-events-r{release}.ndjson").write_text("\n".join(lines) + "\n")


def _imported(folder: Path, text: str) -> dict[str, list[str]]:
    mapping = Mapping.model_validate(tomllib.loads(text))
    tables = import_exports(folder, mapping, KeyHasher(b"a secret of this test, 32 bytes or more"), date(2025, 1, 1))
    assert all(file.rows_quarantined == 0 for file in tables.quality.files)
    events = tables.tables["safety_event"]
    return {name: sorted(set(events[name].astype(str))) for name in ("harm", "status", "event_type", "event_class")}


SEEN = {
    "harm": ["death", "moderate_harm"],
    "status": ["closed"],
    "event_type": ["device_or_supply_incl_hit", "medication_or_other_substance"],
    "event_class": ["incident"],
}


def test_the_mapping_of_fhir_reads_both_releases(tmp_path: Path) -> None:
    _write_adverse_events(tmp_path)
    example = next(e for e in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "ndjson" in e)
    assert _imported(tmp_path, example) == SEEN


def test_a_proposal_for_fhir_reads_both_releases_unasked(tmp_path: Path) -> None:
    _write_adverse_events(tmp_path)
    proposal = propose(look_at(tmp_path))
    assert {source.table for source in proposal.sources} == {"safety_event", "event_involvement"}
    assert _imported(tmp_path, to_toml(accepted(proposal))) == SEEN


def test_every_column_of_fhir_is_explained() -> None:
    explained = PAGE.partition("## FHIR")[2].partition("```toml")[0]
    assert [name for name in COLUMNS if f"`{name}`" not in explained] == []
