"""The mapping of FHIR AdverseEvents: their form says what each element means, so that nothing needs to be guessed.

Codes of the elements are the site's own choice: what the form's standard terminologies do not say is asked about.
"""

from __future__ import annotations

from collections.abc import Mapping

from node.proposals.codes import read_codes
from node.proposals.drafting import missing_column
from node.proposals.look import Seen
from node.proposals.model import CODES_SHOWN, Choice, ProposedSource
from node.sources.fhir import COLUMNS, SEPARATOR
from node.tables.mapping import Explode, Origin
from node.tables.schema import TABLES, Column, Table

_SUBSTANCE, _DEVICE = "medication_or_other_substance", "device_or_supply_incl_hit"
# http://terminology.hl7.org/CodeSystem/adverse-event-category
_CATEGORIES = {
    "medication-mishap": _SUBSTANCE,
    "product-use-error": _SUBSTANCE,
    "wrong-dose": _SUBSTANCE,
    "incorrect-prescribing-information": _SUBSTANCE,
    "wrong-technique": _SUBSTANCE,
    "wrong-route-of-administration": _SUBSTANCE,
    "wrong-rate": _SUBSTANCE,
    "wrong-duration": _SUBSTANCE,
    "wrong-time": _SUBSTANCE,
    "expired-drug": _SUBSTANCE,
    "product-quality": _SUBSTANCE,
    "product-problem": _DEVICE,
    "medical-device-use-error": _DEVICE,
    "problem-different-manufacturer": _DEVICE,
    "unsafe-physical-environment": "other",
}
_STATES = {"in-progress": "open", "unknown": "open", "completed": "closed", "entered-in-error": "void"}
_CODES: Mapping[str, Mapping[str, str]] = {
    "event_class": {"actual": "incident", "potential": "near_miss"},
    "event_type": _CATEGORIES,
    "status": _STATES,
}
_ELEMENTS: Mapping[str, Mapping[str, str]] = {
    "safety_event": {
        "event_key": "identifier",
        "event_date": "date",
        "reported_date": "recordedDate",
        "event_class": "actuality",
        "event_type": "category",
        "harm": "harm",
        "unit_key": "location",
        "status": "status",
        "modified_date": "lastUpdated",
    },
    "event_involvement": {"event_key": "identifier", "person_key": "participant", "role_group": "participantFunction"},
    "contributing_factor": {"event_key": "identifier", "factor": "contributingFactor"},
}
_CONSTANTS = {"harm_source_scale": "local", "source_system": "fhir"}
_LISTS = {"event_involvement": ("participant", "participantFunction"), "contributing_factor": ("contributingFactor",)}
_SURE, _ASK = 0.95, 0.6
_MOST_UNREAD = 0.2


def is_fhir(seen: Seen) -> bool:
    """Whether an export's columns are those that AdverseEvents are read into."""
    return {"identifier", "actuality"} <= set(seen.columns) and set(seen.columns) <= COLUMNS.keys()


def fhir_sources(seen: Seen) -> list[ProposedSource]:
    """The tables that a file of AdverseEvents fills: events, and who took part and why where it says so."""
    tables = ["safety_event", *(name for name, columns in _LISTS.items() if columns[0] in seen.columns)]
    return [_source(TABLES[name], seen) for name in tables]


def _source(table: Table, seen: Seen) -> ProposedSource:
    elements, lists = _ELEMENTS[table.name], _LISTS.get(table.name, ())
    columns = [c for c in table.columns if elements.get(c.name) in seen.columns or c.required]
    choices = [choice for column in columns if (choice := _choice(table, column, seen)) is not None]
    have = {choice.column for choice in choices}
    return ProposedSource(
        table=table.name,
        file=seen.file,
        explode=Explode(columns=lists, separator=SEPARATOR) if lists else None,
        confidence=min(choice.confidence for choice in choices),
        why=f"{seen.file} holds FHIR AdverseEvents, whose form says what is where",
        choices=tuple(choices),
        missing=tuple(missing_column(c, table) for c in table.columns if c.name not in have),
    )


def _choice(table: Table, column: Column, seen: Seen) -> Choice | None:
    if column.name in _CONSTANTS:
        constant = Origin(constant=_CONSTANTS[column.name])
        return Choice(column=column.name, origin=constant, confidence=_SURE, why="it is so of all AdverseEvents")
    element = _ELEMENTS[table.name].get(column.name)
    if element is None or (element not in seen.columns and column.kind != "code"):
        return None
    why = f"it is the element {element} as it is read (docs/exports.md)"
    if column.kind != "code":
        return Choice(column=column.name, origin=Origin(column=element), confidence=_SURE, why=why)
    return _coded(table, column, element, seen, why)


def _coded(table: Table, column: Column, element: str, seen: Seen, why: str) -> Choice:
    """A column of codes, of which the standard ones are known; an element that nobody filled is asked about."""
    looked = seen.parts.get(element, seen.profiles.get(element))
    values = looked.values if looked is not None else ()
    fixed = {word: code for word, code in _CODES.get(column.name, {}).items() if code in column.codes}
    rest = [(word, rows) for word, rows in values if word.casefold() not in fixed]
    reading = read_codes(table.name, column, rest, numbered=False)
    question = ""
    if not values:
        question = f"no event says {element}: is {column.name} to be unknown for all of them?"
    elif sum(rows for word, rows in rest if word not in reading.known) > _MOST_UNREAD * sum(n for _, n in values):
        question = f"what do these codes of {element} mean: {', '.join(reading.unread[:8])}?"
    return Choice(
        column=column.name,
        origin=Origin(column=element, codes={**fixed, **reading.codes}),
        confidence=_ASK if question else _SURE,
        why=why,
        question=question,
        unread=reading.unread[:CODES_SHOWN],
    )
