"""Columns named like what is never read, or that hold it, are refused; ordinary columns are not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from node.sources.refused import FileRefused
from node.tables.mapping import MappingError
from node.tables.personal import personal_header, personal_values
from node.tables.schema import TABLES
from tests.node.tables.site import (
    ENCOUNTER_HEADER,
    ENCOUNTERS,
    EVENT_HEADER,
    EVENTS,
    csv,
    encounter_row,
    event_row,
    run,
)

REFUSED = {
    "a patient's identity": """Patient|Patient ID|patient_no|PatientName|Patient's name|Patient Initials|MRN|mrn_no
        |NHS number|NHS No.|nhsNumber|Medical Record Number|Hospital number|DOB|Date of Birth|Birth date|patient age
        |pt_id|Social security no|Geburtsdatum|Patientennummer|Patienten-ID|Date de naissance|Nom du patient
        |Numéro patient|Fecha de nacimiento|Historia clínica|Data di nascita|Codice fiscale|Data de nascimento
        |Número do utente|Geboortedatum|Patiëntnummer|BSN|Versichertennr|KVNR|PatNr|Pat.-Nr.|Hospital no.|Hosp No|MR#|Pt
        |NIR|Numéro de séjour|NHC|Tarjeta sanitaria""",
    "a diagnosis": """Diagnosis|Primary diagnosis|Diagnosis code|Diagnosis 1|ICD-10|ICD10|icd_code|DX|Diagnose
        |Hauptdiagnose|Hauptdiagnosecode|Diagnose-Text|Diagnóstico|Diagnosi|CIM-10""",
    "free text": """Comment|Comments|Additional comments|Comments 2|Harm comments|Narrative|Event narrative|Description
        |Incident description|Brief description of the event|Notes|Case notes|Details|Event details|Free text
        |Comments (free text)|Remarks|Kommentar|Bemerkungen|Beschreibung|Freitext|Commentaires
        |Observaciones|Descripción|Descrizione|Osservazioni|Descrição|Observações|Opmerkingen|Toelichting
        |Sachverhalt|Hergang|Déroulement""",
    "a person's name": "Name|Full name|Staff name|Caller's name|Surname|Vorname|Nom|Apellidos|Cognome|Achternaam",
    "contact details": "Email|E-mail address|Staff email|Phone|Mobile number|Home address|Postcode",
}
AS_TEXT = ("a person's name", "contact details")
ORDINARY = """"Staff ids|Staff id|Reference no|Ref|Réf. n°|Record ID|record_id|redcap_repeat_instance|Incident number
    |Event ID|Patient days|PatientDays|patient_days|Patients|Patients on shift|Number of patients
    |Patient safety event no|Patient harm level|Harm to patient|Category description|Type description
    |Severity description|Event type|Event code|Unit name|Ward name|Drug name|Event name|Instrument name
    |Note date|Date noted|Detailed category|Location detail code|Role|Job title|Caller role|Entered date
    |Date reported|Diagnostic imaging events|Births|Birthing unit|Phone calls|Contact mode|Means of contact
    |Support given (choice=Missed diagnosis)|Minutes|Shift|Phone/in person|Text messages|Ward|Service
    |Name of unit|Type de l'événement|Datum|Rolle|Numéro|Nombre de contacts|What happened|Data evento|Ruolo|Funzione
    |Descriptor|Annotated|Summary code|Status|Last change|identifier|recordedDate|participantFunction
    |Sex offence|日付"""


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split("|")]


@pytest.mark.parametrize(("what", "name"), [(what, name) for what, text in REFUSED.items() for name in names(text)])
def test_columns_that_are_refused_by_their_name(what: str, name: str) -> None:
    assert personal_header(name, keeps_text=True) == what
    assert personal_header(name, keeps_text=False) == (None if what in AS_TEXT else what)


@pytest.mark.parametrize("name", names(ORDINARY))
def test_ordinary_names_are_read(name: str) -> None:
    assert personal_header(name, keeps_text=True) is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('person_key = "Staff"', 'person_key = "MRN"', "column 'MRN' is named like a patient's identity"),
        ('mode = "Mode"', 'mode = "Comments"', "column 'Comments' is named like free text, which is never read"),
        ('"Id"', '{ columns = ["Id", "Patient ID"] }', "column 'Patient ID'"),
        ('"When"', '{ column = "When", time = "DOB" }', "column 'DOB'"),
        ('minutes = "Minutes"', 'met_needs = { checkbox = { "Notes" = "yes" } }', "column 'Notes'"),
        ('table = "support_encounter"', 'table = "support_encounter"\nwhere = { Diagnosis = ["x"] }', "'Diagnosis'"),
    ],
)
def test_a_mapping_that_names_them_is_refused_before_any_file_is_read(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(MappingError) as caught:
        run(tmp_path, ENCOUNTERS.replace(old, new), {})
    assert "source 1 (encounters*.csv)" in str(caught.value)
    assert message in str(caught.value)


def test_names_of_staff_may_become_keys(tmp_path: Path) -> None:
    files = {"encounters.csv": csv(ENCOUNTER_HEADER.replace("Staff", "Staff name"), [encounter_row(1, staff="Jo Doe")])}
    imported = run(tmp_path, ENCOUNTERS.replace('"Staff"', '"Staff name"'), files)
    assert "names_as_keys" in {flag.rule for flag in imported.quality.flags}


def nhs(stem: int) -> str:
    digits = f"{stem:09d}"
    check = 11 - sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
    return f"{digits}{check % 11}" if check != 10 else nhs(stem + 1)


SENTENCE = "The nurse gave the wrong dose because the two packages look the same and nobody checked it, case {}"
EVENT = TABLES["safety_event"].column


@pytest.mark.parametrize(
    ("column", "values", "what"),
    [
        ("event_key", [nhs(943476590 + 3 * n) for n in range(10)], "NHS numbers"),
        (
            "event_key",
            [f"{nhs(n)[:3]} {nhs(n)[3:6]} {nhs(n)[6:]}" for n in range(943476590, 943476690, 7)],
            "NHS numbers",
        ),
        ("event_type", [SENTENCE.format(n) for n in range(10)] + ["fall"] * 20, "free text"),
        ("event_key", [SENTENCE.format(n) for n in range(10)], "free text"),
        ("event_type", ["I21.4", "J18.9", "E11", "F32.1", "S72.00", "fall"], "diagnoses (ICD codes)"),
        ("source_system", [f"a.b{n}@hospital.org" for n in range(9)], "e-mail addresses"),
    ],
)
def test_columns_that_hold_them(column: str, values: list[str], what: str) -> None:
    assert personal_values(EVENT(column), pd.Series(values, dtype="str"), ()) == what


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("event_key", [f"{4417000000 + 37 * n}" for n in range(200)]),  # 10-digit references: one in eleven fits
        ("event_key", [nhs(943476590)] * 100),
        ("event_type", [SENTENCE.format(n % 4) for n in range(100)]),  # long names of a few categories
        ("event_type", [SENTENCE.format(n) for n in range(10)] + ["fall"] * 200),
        ("event_type", ["I21.4", "J18.9", "fall", "", "medication"]),
        ("unit_key", [f"C{n}" for n in range(10, 99)]),
        ("event_key", []),
        ("harm", ["A", "B", "C", "D", "E", "F"]),
    ],
)
def test_ordinary_values_are_read(column: str, values: list[str]) -> None:
    assert personal_values(EVENT(column), pd.Series(values, dtype="str"), ()) is None


def test_codes_of_the_mapping_are_no_diagnoses() -> None:
    codes = ["M10", "M20", "M30", "F10", "F20", "F30"]
    assert personal_values(EVENT("event_type"), pd.Series(codes, dtype="str"), codes) is None


def test_the_refusal_names_file_column_and_reason_and_no_value(tmp_path: Path) -> None:
    files = {
        "events.csv": csv(EVENT_HEADER, [event_row(n, type=SENTENCE.format(n).replace(",", "")) for n in range(9)])
    }
    with pytest.raises(FileRefused, match=r"events\.csv: column 'Type' seems to hold free text") as caught:
        run(tmp_path, EVENTS, files)
    assert "nurse" not in str(caught.value)
