"""FHIR AdverseEvent (R4, R5) as a table of text: a Bundle, one resource, or NDJSON with a resource on each line.

Read are the coded elements, dates and references listed in COLUMNS, and coded extensions. Never read are `subject`,
every other reference to a patient, displays of references, and any free text (`text`, `note`, `CodeableConcept.text`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from node.sources.decoding import decode
from node.sources.layout import missing_from, no_columns
from node.sources.refused import FileRefused
from node.sources.table import TextTable, Wanted, header_name, text_frame

RESOURCE = "AdverseEvent"
EXTENSION = "extension:"
"""Prefix of the columns that hold coded extensions, followed by the last part of the extension's address."""
SEPARATOR = ";"
_PATIENTS = frozenset(("Patient", "RelatedPerson", "Group", "ResearchSubject"))
_STAFF = frozenset(("Practitioner", "PractitionerRole"))

Resource = dict[str, Any]


def looks_like_json(content: bytes) -> bool:
    """Whether a file begins as a JSON document does."""
    return content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def read_fhir(content: bytes, wanted: Wanted, file: str) -> TextTable:
    """One row per AdverseEvent; row numbers are the positions of the resources in the file, counted from 1.

    Raises FileRefused for documents that are no FHIR, hold no AdverseEvent, or for columns that there are none of.
    """
    text, _ = decode(content, file)
    resources, lines_unread = _resources(text, file)
    known = [*COLUMNS, *(column for column in wanted.all if header_name(column).startswith(EXTENSION))]
    missing = missing_from(list(map(header_name, known)), wanted.all)
    if missing:
        raise no_columns(known, missing, file)
    events = {number: found for number, found in resources if found.get("resourceType") == RESOURCE}
    if resources and not events:
        raise FileRefused(file, f"it holds no {RESOURCE} resources", f"export resources of the type {RESOURCE}")
    others = tuple(number for number, _ in resources if number not in events)
    left = {"other_resource": others, "broken_line": lines_unread}
    return TextTable(
        file=file,
        cells=text_frame({c: [_value(e, header_name(c)) for e in events.values()] for c in wanted.all}, len(events)),
        numbers=np.array(list(events), dtype=np.int64),
        left={rule: numbers for rule, numbers in left.items() if numbers},
        absent=(),
        encoding="FHIR",
        delimiter="",
        header_row=0,
    )


def _resources(text: str, file: str) -> tuple[list[tuple[int, Resource]], tuple[int, ...]]:
    """The resources with their numbers, and the numbers of NDJSON lines that are no resource."""
    try:
        document = _parse(text)
    except ValueError:
        return _from_lines(text, file)
    if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
        raise FileRefused(file, "it is JSON, but no FHIR resource", "export a FHIR Bundle or NDJSON")
    if document["resourceType"] != "Bundle":
        return [(1, document)], ()
    entries = [_dict(entry).get("resource") for entry in _list(document.get("entry"))]
    return [(number, _dict(resource)) for number, resource in enumerate(entries, start=1)], ()


def _from_lines(text: str, file: str) -> tuple[list[tuple[int, Resource]], tuple[int, ...]]:
    resources, broken = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = _parse(line)
        except ValueError:
            found = None
        if isinstance(found, dict) and isinstance(found.get("resourceType"), str):
            resources.append((number, found))
        else:
            broken.append(number)
    if not resources:
        raise FileRefused(file, "it is neither valid JSON nor NDJSON", "export a FHIR Bundle or NDJSON again")
    return resources, tuple(broken)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _value(event: Resource, column: str) -> str:
    if column.startswith(EXTENSION):
        return _extension(event, column.removeprefix(EXTENSION))
    return COLUMNS[_BY_NAME[column]](event)


def _identifier(event: Resource) -> str:
    found = event.get("identifier")
    first = found if isinstance(found, dict) else next(iter(_list(found)), None)
    return _text(_dict(first).get("value")) or _text(event.get("id"))


def _of_code(*names: str) -> Callable[[Resource], str]:
    """The first coded value of the first of these elements that has one."""
    return lambda event: next((code for name in names for code in _codes(event.get(name))), "")


def _of_text(*names: str) -> Callable[[Resource], str]:
    return lambda event: next((text for name in names if (text := _text(event.get(name)))), "")


def _occurrence(event: Resource) -> str:
    for name in ("date", "occurrenceDateTime", "effectDateTime", "causeDateTime"):
        if _text(event.get(name)):
            return _text(event[name])
    for name in ("occurrencePeriod", "effectPeriod", "causePeriod"):
        if _text(_dict(event.get(name)).get("start")):
            return _text(event[name]["start"])
    return next(filter(None, map(_text, _list(_dict(event.get("occurrenceTiming")).get("event")))), "")


def _status(event: Resource) -> str:
    """R5 requires a status. R4 has none: what is served there is on record, and what was withdrawn is not served."""
    return _text(event.get("status")) or "completed"


def _harm(event: Resource) -> str:
    """Death where the outcome is fatal or the seriousness says so, else the severity (R4)."""
    outcomes = _codes(event.get("outcome"))
    seriousness = _codes(event.get("seriousness"))
    if any(
        code.casefold() in ("fatal", "death") or code.casefold().endswith("death") for code in outcomes + seriousness
    ):
        return "death"
    return next(iter(_codes(event.get("severity"))), "")


def _staff(event: Resource) -> list[tuple[str, str]]:
    """Clinicians who took part, with their function: `contributor` in R4, `participant` in R5; never a patient."""
    found = [(_reference(actor, _STAFF), "") for actor in _list(event.get("contributor"))]
    for part in map(_dict, _list(event.get("participant"))):
        function = next(iter(_codes(part.get("function"))), "")
        found.append((_reference(part.get("actor"), _STAFF), function))
    return [(who, function) for who, function in found if who]


def _factors(event: Resource) -> list[str]:
    items = [_dict(part).get("itemCodeableConcept") for part in _list(event.get("contributingFactor"))]
    return [code for item in items for code in _codes(item)[:1]]


COLUMNS: dict[str, Callable[[Resource], str]] = {
    "identifier": _identifier,
    "status": _status,
    "actuality": _of_text("actuality"),
    "category": _of_code("category"),
    "code": _of_code("code", "event"),
    "date": _occurrence,
    "detected": _of_text("detected"),
    "recordedDate": _of_text("recordedDate"),
    "lastUpdated": lambda event: _text(_dict(event.get("meta")).get("lastUpdated")),
    "location": lambda event: _reference(event.get("location"), frozenset(("Location",))),
    "severity": _of_code("severity"),
    "seriousness": _of_code("seriousness"),
    "outcome": _of_code("outcome"),
    "harm": _harm,
    "participant": lambda event: _joined([who for who, _ in _staff(event)]),
    "participantFunction": lambda event: _joined([function for _, function in _staff(event)]),
    "contributingFactor": lambda event: _joined(_factors(event)),
}
"""The columns of an AdverseEvent and how each is read; those with several values join them by SEPARATOR."""

_BY_NAME = {header_name(name): name for name in COLUMNS}


def _joined(parts: list[str]) -> str:
    return SEPARATOR.join(part.replace(SEPARATOR, ",") for part in parts)


def _extension(event: Resource, name: str) -> str:
    """The coded value of a top-level extension, or of one within it, whose address ends with `name`."""
    stack = [_dict(found) for found in _list(event.get("extension"))]
    for found in [*stack, *(_dict(inner) for outer in stack for inner in _list(outer.get("extension")))]:
        if header_name(_text(found.get("url")).rstrip("/").rpartition("/")[2]) == name:
            values = (found.get("valueCode"), found.get("valueCoding"), found.get("valueCodeableConcept"))
            return next((code for value in values for code in _codes(value)), "")
    return ""


def _codes(value: object) -> list[str]:
    """The codes of a code, Coding, CodeableConcept, or list of them; a display stands in for a missing code."""
    if isinstance(value, str):
        return [_text(value)] if value.strip() else []
    if isinstance(value, list):
        return [code for part in value if not isinstance(part, list) for code in _codes(part)[:1]]
    codings = _list(_dict(value).get("coding")) or [value]
    texts = [_text(_dict(coding).get("code")) or _text(_dict(coding).get("display")) for coding in codings]
    return [text for text in texts if text]


def _reference(value: object, kinds: frozenset[str]) -> str:
    """What a reference to one of these types points to: its identifier, else the last part of its address."""
    found = _dict(value)
    address = _text(found.get("reference"))
    parts = address.partition("/_history/")[0].split("/")
    kind = _text(found.get("type")) or (parts[-2] if len(parts) > 1 else "")
    if kind in _PATIENTS or (kind and kind not in kinds):
        return ""
    # An address that names no type ("#p1", "urn:uuid:...") may be anyone's: only an identifier with a type counts.
    number = _text(_dict(found.get("identifier")).get("value")) if kind else ""
    return number or (parts[-1] if kind and len(parts) > 1 else "")


def _text(value: object) -> str:
    """A text, with half surrogates replaced: JSON may hold them, and no table can."""
    return value.encode("utf-8", "replace").decode().strip() if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
