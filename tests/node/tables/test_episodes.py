"""Episodes derived from encounters: which belong together, and what is said of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd

from node.tables.importer import Imported
from node.tables.schema import TABLES
from tests.node.tables.site import (
    ACTIVATION_HEADER,
    ACTIVATIONS,
    ENCOUNTER_HEADER,
    ENCOUNTERS,
    EVENT_HEADER,
    EVENTS,
    HASHER,
    csv,
    encounter_row,
    event_row,
    run,
)

CALLS = [
    "C1,E1,2025-01-03 08:10,self,error_harm,RN",
    "C2,E1,2025-02-20 12:20,colleague,error_harm,RN",
    "C3,,2025-01-05 12:30,self,moral_distress,MD",
    "C4,,2025-03-20 12:40,self,moral_distress,MD",
    "C5,,2025-05-20 12:50,manager,moral_distress,group",
    "C6,E2,2025-05-01 13:10,manager,error_harm,MD",
]


def derive(folder: Path, *encounters: str, today: date = date(2025, 6, 10)) -> pd.DataFrame:
    return imported(folder, *encounters, today=today).tables["support_episode"]


def imported(folder: Path, *encounters: str, today: date = date(2025, 6, 10)) -> Imported:
    files = {
        "events.csv": csv(
            EVENT_HEADER,
            [
                event_row(1, date="2025-01-02 22:15", reported="2025-01-03"),
                event_row(2, date="2025-04-30 10:00", reported="2025-05-01", state="void"),
            ],
        ),
        "calls.csv": csv(ACTIVATION_HEADER, CALLS),
        "encounters.csv": csv(ENCOUNTER_HEADER, list(encounters)),
    }
    return run(folder, EVENTS + ACTIVATIONS + ENCOUNTERS, files, today)


def test_contacts_of_one_person_about_one_event_are_one_episode(tmp_path: Path) -> None:
    episodes = derive(
        tmp_path,
        encounter_row(1, call="C2", staff="7", when="2025-06-01 10:20", tier="3", who="EAP"),
        encounter_row(2, call="C1", staff="007", when="2025-01-03 09:05", tier="2"),
        encounter_row(3, call="C1", staff="8", when="2025-01-04 11:30", tier="1", who="manager"),
    )
    assert len(episodes) == 2
    first = episodes.set_index("person_key").loc[HASHER.key("person_key", "7")]
    assert first["event_date"] == pd.Timestamp("2025-01-02 22:15")
    assert first["event_date_time_known"]
    assert first["first_contact_datetime"] == pd.Timestamp("2025-01-03 09:05")
    assert first["first_contact_datetime_time_known"]
    assert first["last_contact_date"] == pd.Timestamp("2025-06-01")
    assert (first["highest_tier"], first["outcome"], first["role_group"]) == ("3", "open", "nurse_midwife")
    assert first["tier3_first_date"] == first["escalated_date"] == pd.Timestamp("2025-06-01")
    assert pd.isna(first["recovered_date"])


def test_without_an_event_a_gap_of_more_than_90_days_begins_a_new_episode(tmp_path: Path) -> None:
    episodes = derive(
        tmp_path,
        encounter_row(1, call="C3", staff="7", when="2025-01-05 14:10"),
        encounter_row(2, call="C4", staff="7", when="2025-04-05 14:10"),
        encounter_row(3, call="C3", staff="8", when="2025-01-05 15:20"),
        encounter_row(4, call="C4", staff="8", when="2025-04-06 14:10"),
    )
    by_person = episodes.groupby("person_key").size()
    assert by_person[HASHER.key("person_key", "7")] == 1
    assert by_person[HASHER.key("person_key", "8")] == 2
    second = episodes[episodes["episode_number"] == 2].iloc[0]
    assert second["event_date"] == pd.Timestamp("2025-03-20")
    assert not second["event_date_time_known"]


def test_contacts_without_a_person_belong_together_by_activation(tmp_path: Path) -> None:
    episodes = derive(
        tmp_path,
        encounter_row(1, call="C5", staff="", when="2025-05-20 14:10", mode="group", group="9"),
        encounter_row(2, call="C5", staff="", when="2025-05-25 14:10"),
        encounter_row(3, call="C3", staff="", when="2025-01-06 14:10"),
    )
    assert episodes["person_key"].isna().all()
    assert episodes["episode_number"].isna().all()
    assert episodes["role_group"].fillna("").tolist() == ["physician", ""]


def test_a_void_event_dates_nothing(tmp_path: Path) -> None:
    (event_date,) = derive(tmp_path, encounter_row(1, call="C6", staff="7", when="2025-05-02 09:15"))["event_date"]
    assert event_date == pd.Timestamp("2025-05-01")


def test_an_episode_is_open_for_less_than_30_days_after_the_last_contact(tmp_path: Path) -> None:
    contact = encounter_row(1, call="C1", staff="7", when="2025-05-11 10:20")
    assert derive(tmp_path, contact, today=date(2025, 6, 9))["outcome"].tolist() == ["open"]
    assert derive(tmp_path, contact, today=date(2025, 6, 10))["outcome"].tolist() == ["unknown"]


def test_professional_help_from_the_start_is_no_escalation(tmp_path: Path) -> None:
    (episode,) = derive(tmp_path, encounter_row(1, call="C1", staff="7", who="EAP")).to_dict("records")
    assert pd.notna(episode["tier3_first_date"])
    assert pd.isna(episode["escalated_date"])


def test_later_contacts_do_not_rename_an_episode(tmp_path: Path) -> None:
    early = [
        encounter_row(1, call="C3", staff="7", when="2025-01-05 14:10"),
        encounter_row(2, call="C1", staff="8", when="2025-01-05 15:10"),
    ]
    later = encounter_row(3, call="C4", staff="7", when="2025-03-21 14:10")
    assert set(derive(tmp_path, *early)["episode_key"]) == set(derive(tmp_path, *early, later)["episode_key"])


def test_derived_episodes_have_the_columns_and_types_of_the_schema(tmp_path: Path) -> None:
    tables = [derive(tmp_path, *rows) for rows in ([], [encounter_row(1, call="C1")])]
    names = [column.name for column in TABLES["support_episode"].columns]
    assert list(tables[0].columns)[: len(names)] == names
    assert tables[0].dtypes.to_dict() == tables[1].dtypes.to_dict()
