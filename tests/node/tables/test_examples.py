"""Whole sites as strangers would send them: REDCap with codes and with labels, FHIR, and a spreadsheet kept by hand."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import cast

import openpyxl
import pandas as pd
import pytest

from node.tables.importer import Imported, import_exports
from node.tables.mapping import load_mapping
from tests.node.tables.site import HASHER

EXAMPLES = Path(__file__).parent / "examples"
TODAY = date(2025, 4, 10)


def import_example(name: str) -> Imported:
    folder = EXAMPLES / name
    return import_exports(folder, load_mapping(folder / "mapping.toml"), HASHER, TODAY)


NAMES = sorted(folder.name for folder in EXAMPLES.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_the_report_is_as_it_was(name: str) -> None:
    expected = (EXAMPLES / name / "quality.txt").read_text(encoding="utf-8")
    assert import_example(name).quality.to_text() == expected


def test_redcap_repeats_and_checkboxes() -> None:
    tables = import_example("redcap").tables
    encounters = tables["support_encounter"]
    assert len(tables["support_activation"]) == 5
    assert encounters["encounter_key"].is_unique
    assert encounters["support_resource"].tolist() == [
        "peer_supporter",
        "eap",
        "peer_supporter",
        "psychologist",
        "psychologist",
    ]
    assert encounters["tier"].tolist() == ["2", "3", "2", "3", "3"]
    assert encounters["minutes"].tolist() == [35, 20, 60, pd.NA, 45]
    staff = HASHER.key("person_key", "4417")
    assert encounters["person_key"].eq(staff).sum() == 2
    assert tables["support_episode"]["person_key"].eq(staff).sum() == 1


def test_spreadsheet_in_windows_1252_with_titles_totals_and_three_forms_of_dates() -> None:
    tables = import_example("spreadsheet").tables
    events = tables["safety_event"].set_index("event_key")

    def event(ref: str) -> pd.Series:
        return cast("pd.Series", events.loc[HASHER.key("event_key", ref)])

    assert event("101")["event_date"] == pd.Timestamp("2025-01-13")
    assert event("101")["event_time"] == pd.Timedelta("14:30:00")
    assert (event("102")["harm"], event("102")["event_class"]) == ("no_harm", "near_miss")
    assert (event("103")["harm"], event("103")["status"]) == ("moderate_harm", "closed")
    assert event("104")["status"] == "void"
    assert event("106")["event_date"] == pd.Timestamp("2025-03-12")
    assert HASHER.key("event_key", "105") not in events.index
    involved = tables["event_involvement"]
    assert involved["person_key"].eq(HASHER.key("person_key", "231")).sum() == 2
    staffing = tables["staffing_period"].set_index(["role_group", "period"])
    assert staffing.loc[("nurse_midwife", pd.Timestamp("2025-02-01")), "fte"] == 381.75
    assert staffing.loc[("physician", pd.Timestamp("2025-03-01")), "headcount"] == 96


def test_no_identifier_or_free_text_comes_through() -> None:
    for name in NAMES:
        imported = import_example(name)
        everything = "".join(table.to_csv() for table in imported.tables.values()) + imported.quality.to_json()
        for secret in (
            "RL-2231",
            "8120",
            "0231",
            "4410",
            "Dupr",
            "very upset",
            "Wrong dose",
            "S12",
            "cried",
            "night nu",
        ):
            assert secret not in everything, secret


def test_redcap_with_labels_gives_what_codes_would() -> None:
    tables = import_example("redcap_labels").tables
    calls, encounters = tables["support_activation"], tables["support_encounter"]
    assert calls["referral_source"].tolist() == ["self", "manager"]
    assert calls["role_group"].tolist() == ["nurse_midwife", "group"]
    assert encounters["support_resource"].tolist() == ["peer_supporter", "eap", "peer_supporter"]
    assert encounters["person_key"].tolist()[:2] == [HASHER.key("person_key", "4417")] * 2


def test_fhir_events_with_who_took_part_and_why() -> None:
    tables = import_example("fhir").tables
    events = tables["safety_event"]
    assert events["event_class"].tolist() == ["incident", "near_miss", *["incident"] * 4]
    assert events["harm"].tolist() == ["moderate_harm", "unknown", "unknown", "death", "unknown", "mild_harm"]
    assert events["status"].tolist() == ["closed", "closed", "void", "closed", "open", "closed"]
    involved = tables["event_involvement"]
    assert involved["person_key"].eq(HASHER.key("person_key", "44")).tolist() == [False, True, True]
    assert involved["role_group"].tolist() == ["nurse_midwife", "physician", "physician"]
    assert tables["contributing_factor"]["factor"].tolist() == ["staffing_ratio", "fatigue_hours"]


def test_the_same_sheet_as_workbook_and_as_text_gives_the_same_tables(tmp_path: Path) -> None:
    source = EXAMPLES / "spreadsheet"
    book = openpyxl.Workbook()
    book.worksheets[0].title = "Tracker"
    with (source / "Ereignisse 2025.csv").open(encoding="cp1252", newline="") as file:
        for row in csv.reader(file, delimiter=";"):
            book.worksheets[0].append(row)
    book.save(tmp_path / "Ereignisse 2025.xlsx")
    (tmp_path / "personnel.tsv").write_bytes((source / "personnel.tsv").read_bytes())
    mapping = (source / "mapping.toml").read_text(encoding="utf-8")
    (tmp_path / "mapping.toml").write_text(
        mapping.replace('file = "Ereignisse*.csv"', 'file = "Ereignisse*.xlsx"\nsheet = "tracker"'), encoding="utf-8"
    )
    imported = import_exports(tmp_path, load_mapping(tmp_path / "mapping.toml"), HASHER, TODAY)
    expected = import_example("spreadsheet")
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(imported.tables[name], table)
    assert [file.repairs for file in imported.quality.files] == [file.repairs for file in expected.quality.files]
