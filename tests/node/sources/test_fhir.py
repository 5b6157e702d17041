"""FHIR AdverseEvent: R4, R5, bundles and NDJSON give the same columns; nothing about a patient is ever read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.sources.fhir import COLUMNS, read_fhir
from node.sources.reader import read_export
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted

EVERYTHING = Wanted(tuple(COLUMNS))
R4: dict[str, Any] = {
    "resourceType": "AdverseEvent",
    "id": "ae-1",
    "meta": {"lastUpdated": "2025-03-09T08:00:00Z"},
    "text": {"status": "generated", "div": "<div>SECRET narrative</div>"},
    "identifier": {"system": "urn:incidents", "value": "0101"},
    "actuality": "actual",
    "category": [{"coding": [{"code": "medication-mishap", "display": "SECRET"}], "text": "SECRET"}],
    "event": {"coding": [{"system": "http://snomed.info/sct", "code": "304386008"}]},
    "subject": {"reference": "Patient/SECRET", "display": "SECRET"},
    "date": "2025-03-04T14:30:00+01:00",
    "detected": "2025-03-05",
    "recordedDate": "2025-03-06",
    "location": {"reference": "Location/4-West", "display": "SECRET"},
    "severity": {"coding": [{"code": "moderate"}]},
    "outcome": {"coding": [{"code": "recovering"}]},
    "recorder": {"reference": "Practitioner/SECRET"},
    "contributor": [
        {"reference": "Practitioner/231"},
        {"reference": "Patient/SECRET"},
        {"reference": "https://ehr.example/fhir/Practitioner/44;10/_history/2", "display": "SECRET"},
        {"reference": "urn:uuid:SECRET"},
    ],
    "suspectEntity": [{"instance": {"reference": "Medication/SECRET"}}],
}
R5: dict[str, Any] = {
    "resourceType": "AdverseEvent",
    "identifier": [{"value": "0102"}, {"value": "SECRET"}],
    "status": "completed",
    "actuality": "potential",
    "category": [{"coding": [{"code": "product-use-error"}]}, {"coding": [{"code": "other"}]}],
    "code": {"coding": [{"code": "fall"}], "text": "SECRET"},
    "subject": {"reference": "Group/protected"},
    "occurrencePeriod": {"start": "2025-03-07T09:00:00Z", "end": "2025-03-07T10:00:00Z"},
    "recordedDate": "2025-03-08",
    "seriousness": {"coding": [{"code": "SeriousResultsInDeath"}]},
    "outcome": [{"coding": [{"code": "fatal"}]}],
    "participant": [
        {
            "function": {"coding": [{"code": "INF"}]},
            "actor": {"type": "Practitioner", "identifier": {"value": "77"}, "display": "SECRET"},
        },
        {"function": {"text": "SECRET"}, "actor": {"reference": "PractitionerRole/9"}},
        {"actor": {"reference": "RelatedPerson/SECRET"}},
    ],
    "contributingFactor": [
        {"itemCodeableConcept": {"coding": [{"code": "fatigue"}]}},
        {"itemReference": {"reference": "Condition/SECRET"}},
        {"itemCodeableConcept": {"coding": [{"display": "Staffing"}]}},
    ],
    "note": [{"text": "SECRET"}],
}
PATIENT = {"resourceType": "Patient", "id": "SECRET", "name": [{"family": "SECRET"}]}


def bundle(*resources: object) -> bytes:
    entries = [{"fullUrl": "urn:uuid:SECRET", "resource": resource} for resource in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def lines(*resources: object) -> bytes:
    return b"\n".join(json.dumps(resource).encode() for resource in resources) + b"\n"


def read(content: bytes, wanted: Wanted = EVERYTHING) -> TextTable:
    return read_fhir(content, wanted, "events.json")


@pytest.mark.parametrize("form", [bundle, lines])
def test_both_releases_in_both_forms(form: Any, tmp_path: Path) -> None:
    path = tmp_path / "events.txt"
    path.write_bytes(b"\xef\xbb\xbf" + form(R4, PATIENT, R5))
    table = read_export(path, EVERYTHING)
    first, second = (row.to_dict() for _, row in table.cells.iterrows())
    assert first == {
        "identifier": "0101",
        "status": "completed",
        "actuality": "actual",
        "category": "medication-mishap",
        "code": "304386008",
        "date": "2025-03-04T14:30:00+01:00",
        "detected": "2025-03-05",
        "recordedDate": "2025-03-06",
        "lastUpdated": "2025-03-09T08:00:00Z",
        "location": "4-West",
        "severity": "moderate",
        "seriousness": "",
        "outcome": "recovering",
        "harm": "moderate",
        "participant": "231;44,10",
        "participantFunction": ";",
        "contributingFactor": "",
    }
    assert (second["status"], second["category"], second["code"]) == ("completed", "product-use-error", "fall")
    assert (second["date"], second["harm"]) == ("2025-03-07T09:00:00Z", "death")
    assert (second["participant"], second["participantFunction"]) == ("77;9", "INF;")
    assert second["contributingFactor"] == "fatigue;Staffing"
    assert (table.numbers.tolist(), table.left, table.rows_read) == ([1, 3], {"other_resource": (2,)}, 3)


def test_nothing_personal_is_read() -> None:
    assert "SECRET" not in read(bundle(R4, PATIENT, R5)).cells.to_csv()


def test_one_resource_alone_and_coded_extensions() -> None:
    harm = {"url": "https://example.org/level-of-physical-harm", "valueCodeableConcept": {"coding": [{"code": "2"}]}}
    inner = {"url": "location-known", "valueCode": "yes"}
    event = {
        **R4,
        "extension": [harm, {"url": "https://example.org/where", "extension": [inner]}, {"valueString": "S"}],
    }
    wanted = Wanted(("identifier", "extension:Level-of-physical-harm"), ("extension:location-known", "extension:none"))
    table = read(json.dumps(event).encode(), wanted)
    assert table.cells.iloc[0].tolist() == ["0101", "2", "yes", ""]


def test_lines_that_are_no_resource_are_counted() -> None:
    table = read(lines(R4) + b'{"resourceType": "Adv\n\n[1]\n' + lines(R5))
    assert (table.left, table.rows_read) == ({"broken_line": (2, 4)}, 4)


def test_an_empty_bundle_is_an_export_without_rows() -> None:
    assert read(bundle()).rows_read == 0


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "neither valid JSON nor NDJSON"),
        (b'{"a": 1}', "JSON, but no FHIR resource"),
        (b"[1, 2]", "JSON, but no FHIR resource"),
        (b"[" * 100_000, "neither valid JSON nor NDJSON"),
        (b'{"resourceType": "Bundle", "x": ' + b"9" * 10_000 + b"}", "neither valid JSON nor NDJSON"),
        (bundle(PATIENT), "holds no AdverseEvent"),
        (b'{"resourceType": "Bundle"}\n\x00', "zero bytes"),
    ],
)
def test_refusals(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        read(content)


def test_a_column_that_no_resource_has_is_named() -> None:
    with pytest.raises(FileRefused, match=r"no column 'recorded' .nearest found: 'recordedDate'."):
        read(bundle(R4), Wanted(("identifier", "recorded")))


NAMES = st.sampled_from(["coding", "code", "reference", "value", "start", "resource"])
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4), st.just("\ud800")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["coding", "code", "reference", "value", "start", "resource"]), inner, max_size=3
        ),
    ),
    max_leaves=8,
)
ELEMENTS = sorted({*R4, *R5} - {"resourceType"} | {"extension", "occurrenceTiming", "entry"})


@settings(max_examples=40)
@given(st.lists(st.one_of(JSON, st.dictionaries(st.sampled_from(ELEMENTS), JSON)), max_size=4))
def test_elements_of_any_shape_are_read_or_left_blank(elements: list[Any]) -> None:
    events = [{**e, "resourceType": "AdverseEvent"} if isinstance(e, dict) else e for e in elements]
    table = read(bundle(R4, *events), Wanted((*COLUMNS, "extension:x")))
    assert table.rows_read == len(events) + 1
    assert table.cells.map(lambda cell: isinstance(cell, str)).all().all()
