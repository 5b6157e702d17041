"""Two whole sites as strangers would send them: a REDCap tracker, and a spreadsheet kept by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import cast

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


@pytest.mark.parametrize("name", ["redcap", "spreadsheet"])
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
    for name in ("redcap", "spreadsheet"):
        imported = import_example(name)
        everything = "".join(table.to_csv() for table in imported.tables.values()) + imported.quality.to_json()
        for secret in ("RL-2231", "8120", "0231", "4410", "Dupr", "very upset", "Wrong dose", "S12"):
            assert secret not in everything, secret
