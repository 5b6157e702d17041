"""Every rule of the public list, by name, on the smallest exports that call for it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import openpyxl
import pandas as pd
import pytest

from node.sources.refused import FileRefused
from node.tables.importer import Imported
from node.tables.rules import RULES
from tests.node.tables.site import (
    ACTIVATION_HEADER,
    ACTIVATIONS,
    ENCOUNTER_HEADER,
    ENCOUNTERS,
    EVENT_HEADER,
    EVENTS,
    HASHER,
    STAFFING,
    STAFFING_HEADER,
    causes,
    csv,
    encounter_row,
    event_row,
    run,
)

EPISODES = """
[[source]]
table = "support_episode"
file = "episodes.csv"
[source.columns]
episode_key = "Id"
event_date = "Event"
highest_tier = "Tier"
recovered_date = "Recovered"
last_contact_date = "Last"
outcome = "Outcome"
"""
FHIR = """
[[source]]
table = "safety_event"
file = "events.json"
[source.columns]
event_key = "identifier"
event_date = "date"
event_class = "actuality"
event_type = "category"
harm = "harm"
harm_source_scale = { constant = "nrls" }
source_system = { constant = "test" }
status = { constant = "closed" }
"""
INVOLVED = """
[[source]]
table = "event_involvement"
file = "involved.csv"
[source.columns]
event_key = "Ref"
person_key = "Staff"
role_group = "Role"
"""
INVOLVEMENTS = """
[[source]]
table = "event_involvement"
file = "events.csv"
explode = { columns = ["Type", "Class"], separator = "/" }
[source.columns]
event_key = "Ref"
person_key = "Type"
role_group = "Class"
"""
REVIEWS = """
[[source]]
table = "jc_review"
file = "reviews.csv"
[source.columns]
event_key = "Ref"
behaviour = "Behaviour"
response = "Response"
"""


def events(*special: str, sound: int = 30) -> dict[str, str]:
    """An event export whose first rows (from row 2) are special and whose others are sound."""
    return {"events.csv": csv(EVENT_HEADER, [*special, *(event_row(100 + n) for n in range(sound))])}


def encounters(*special: str, sound: int = 30) -> dict[str, str]:
    return {"encounters.csv": csv(ENCOUNTER_HEADER, [*special, *(encounter_row(100 + n) for n in range(sound))])}


def staffing(*rows: str) -> dict[str, str]:
    return {"staffing.csv": csv(STAFFING_HEADER, list(rows))}


def resources(*special: str) -> dict[str, str]:
    sound = [f'{{"resourceType": "AdverseEvent", "id": "{n}", "actuality": "actual"}}' for n in range(20)]
    return {"events.json": "\n".join([*special, *(line[:-1] + ', "date": "2025-03-01"}' for line in sound)])}


def event(imported: Imported, ref: str) -> pd.Series:
    """The imported row of one event."""
    table = imported.tables["safety_event"]
    (row,) = table.index[table["event_key"] == HASHER.key("event_key", ref)]
    return cast("pd.Series", table.loc[row])


def encounter(imported: Imported, name: str) -> pd.Series:
    table = imported.tables["support_encounter"]
    (row,) = table.index[table["encounter_key"] == HASHER.key("encounter_key", name)]
    return cast("pd.Series", table.loc[row])


def gone(ref: str) -> Callable[[Imported], bool]:
    return lambda got: not got.tables["safety_event"]["event_key"].isin([HASHER.key("event_key", ref)]).any()


@dataclass(frozen=True)
class Case:
    """Exports, the rows that the rule must name ([] for a flag), and what must hold of the tables."""

    mapping: str
    files: Mapping[str, str | bytes]
    rows: list[int]
    holds: Callable[[Imported], object] = field(default=lambda got: True)


DATED = "2025-03-{:02d}"
CASES: dict[str, Case] = {
    "blank_row": Case(EVENTS, events(",,,,,,,"), [2]),
    "repeated_header": Case(EVENTS, events(EVENT_HEADER), [2]),
    "totals_row": Case(EVENTS, {"events.csv": csv(EVENT_HEADER, [event_row(1), "Total,1,,,,,,"])}, [3]),
    "trailing_note": Case(EVENTS, {"events.csv": csv(EVENT_HEADER, [event_row(1), "End of report,,,,,,,"])}, [3]),
    "filtered": Case(
        EVENTS.replace('file = "events*.csv"', 'file = "events.csv"\nwhere = { Type = [" fall"] }'),
        events(event_row(1, type="Complaint")),
        [2],
        gone("E1"),
    ),
    "where_matches_none": Case(
        EVENTS.replace('file = "events*.csv"', 'file = "events.csv"\nwhere = { Type = ["Falls", "Slips"] }'),
        events(),
        [],
        lambda got: (
            "\nTo look at\n  safety_event, events.csv: No row of the file holds" in got.quality.to_text()
            and "('Type' is none of Falls, Slips)" in got.quality.to_text()
        ),
    ),
    "nothing_listed": Case(
        INVOLVEMENTS,
        {
            "events.csv": csv(
                EVENT_HEADER,
                [event_row(1, type=" / ", **{"class": ""}), event_row(2, type="7/8", **{"class": "RN/MD"})],
            )
        },
        [2],
        lambda got: got.tables["event_involvement"]["role_group"].tolist() == ["nurse_midwife", "physician"],
    ),
    "leaflet_only": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, mode="Brochure")),
        [2],
        lambda got: len(got.tables["support_encounter"]) == 30,
    ),
    "older_version": Case(
        EVENTS,
        events(
            event_row(1, harm="Death", changed="2025-05-01 08:30"),
            event_row(1, changed="2025-04-05 08:30"),
            event_row(1, changed=""),
        ),
        [3, 4],
        lambda got: event(got, "E1")["harm"] == "death",
    ),
    "other_resource": Case(FHIR, resources('{"resourceType": "Patient", "id": "p"}'), [1]),
    "broken_line": Case(FHIR, resources('{"resourceType": "AdverseEvent", "id"'), [1]),
    "not_a_code": Case(
        EVENTS.replace('{ constant = "test" }', '"Type"'), events(event_row(1, type="a.b@c.org"), sound=9), [2]
    ),
    "damaged_characters": Case(EVENTS, {"events.csv": csv(EVENT_HEADER, [event_row(1, type="f\ufffdll")])}, []),
    "harm_scales_mixed": Case(EVENTS, events(event_row(1, harm="F"), event_row(2, harm="B")), []),
    "without_involvement": Case(EVENTS + INVOLVED, {**events(), "involved.csv": "Ref,Staff,Role\nE101,7,RN\n"}, []),
    "group_by_person": Case(
        ENCOUNTERS,
        encounters(*(encounter_row(1, staff=str(n), mode="group", group="3") for n in range(3))),
        [],
    ),
    "unit_changed": Case(
        STAFFING + 'unit_key = "Unit"\n',
        {"staffing.csv": f"{STAFFING_HEADER},Unit\n2025-01,RN,9,9,A\n2025-02,RN,9,9,A\n2025-02,RN,9,9,B\n"},
        [],
    ),
    "ragged_row": Case(EVENTS, events("E1,2025-03-01,,incident"), [2], gone("E1")),
    "parts_do_not_match": Case(
        INVOLVEMENTS,
        {
            "events.csv": csv(
                EVENT_HEADER,
                [event_row(n, type="7/8", **{"class": roles}) for n, roles in enumerate(["RN/MD/RN", *["RN/MD"] * 9])],
            )
        },
        [2],
    ),
    "required_missing": Case(EVENTS, events(event_row(1, date="n/a")), [2], gone("E1")),
    "unreadable": Case(EVENTS, events(event_row(1, date="last week")), [2], gone("E1")),
    "future_date": Case(EVENTS, events(event_row(1, date="2025-06-11", reported="")), [2], gone("E1")),
    "damaged_key": Case(EVENTS, events(event_row(1, ref="1.23457E+11")), [2]),
    "code_unknown": Case(EVENTS, events(event_row(1, **{"class": "gossip"})), [2], gone("E1")),
    "event_after_report": Case(EVENTS, events(event_row(1, date="2025-04-20")), [2], gone("E1")),
    "sentinel_date": Case(
        EVENTS, events(event_row(1, reported="1900-01-01")), [2], lambda got: pd.isna(event(got, "E1")["reported_date"])
    ),
    "excel_serial": Case(
        EVENTS,
        events(event_row(1, date="45736.604167")),
        [2],
        lambda got: (
            (event(got, "E1")["event_date"], event(got, "E1")["event_time"])
            == (pd.Timestamp("2025-03-20"), pd.Timedelta("14:30:00"))
        ),
    ),
    "two_digit_year": Case(
        EVENTS,
        events(event_row(1, date="20 Mar 25")),
        [2],
        lambda got: event(got, "E1")["event_date"] == pd.Timestamp("2025-03-20"),
    ),
    "other_date_order": Case(
        EVENTS,
        events(*(event_row(n, reported=f"{n}/04/2025") for n in range(13, 20)), event_row(1, reported="04/25/2025")),
        [9],
        lambda got: event(got, "E1")["reported_date"] == pd.Timestamp("2025-04-25"),
    ),
    "event_day_month_swapped": Case(
        EVENTS,
        events(event_row(1, date="2025-05-03", reported="2025-03-20")),
        [2],
        lambda got: event(got, "E1")["event_date"] == pd.Timestamp("2025-03-05"),
    ),
    "unreadable_optional": Case(
        EVENTS, events(event_row(1, reported="soon")), [2], lambda got: pd.isna(event(got, "E1")["reported_date"])
    ),
    "future_optional": Case(
        EVENTS, events(event_row(1, reported="2026-01-01")), [2], lambda got: pd.isna(event(got, "E1")["reported_date"])
    ),
    "damaged_key_optional": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, staff="4.4E+12")),
        [2],
        lambda got: pd.isna(encounter(got, "N1")["person_key"]),
    ),
    "midnight": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, when="2025-03-09 00:00"), sound=500),
        [2],
        lambda got: (
            (encounter(got, "N1")["encounter_date_time_known"], encounter(got, "N100")["encounter_date_time_known"])
            == (False, True)
        ),
    ),
    "code_fallback": Case(
        EVENTS,
        events(event_row(1, type="gossip"), event_row(2, harm="")),
        [2, 3],
        lambda got: (event(got, "E1")["event_type"], event(got, "E2")["harm"]) == ("other", "unknown"),
    ),
    "code_missing": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, who="a cat")),
        [2],
        lambda got: pd.isna(encounter(got, "N1")["support_resource"]),
    ),
    "text_too_long": Case(
        EVENTS.replace('{ constant = "test" }', '"Type"'), events(event_row(1, type="t" * 25), sound=9), [2]
    ),
    "negative": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, minutes="-30")),
        [2],
        lambda got: pd.isna(encounter(got, "N1")["minutes"]),
    ),
    "too_many_digits": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, minutes="1430")),
        [2],
        lambda got: pd.isna(encounter(got, "N1")["minutes"]),
    ),
    "clipped": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, minutes="4 h", group="55")),
        [2, 2],
        lambda got: (encounter(got, "N1")["minutes"], encounter(got, "N1")["persons_in_group"]) == (180, 40),
    ),
    "harm_is_class": Case(
        EVENTS,
        events(event_row(1, harm="B")),
        [2],
        lambda got: (event(got, "E1")["harm"], event(got, "E1")["event_class"]) == ("no_harm", "near_miss"),
    ),
    "tier_from_resource": Case(
        ENCOUNTERS,
        encounters(encounter_row(1, tier="", who="colleague")),
        [2],
        lambda got: encounter(got, "N1")["tier"] == "1",
    ),
    "professional_is_tier_3": Case(
        ENCOUNTERS, encounters(encounter_row(1, who="EAP")), [2], lambda got: encounter(got, "N1")["tier"] == "3"
    ),
    "recovered_before_event": Case(
        EPISODES,
        {"episodes.csv": "Id,Event,Tier,Recovered,Last,Outcome\n1,2025-03-05,2,2025-03-04,2025-04-01,thriving\n"},
        [2],
        lambda got: got.tables["support_episode"]["recovered_date"].isna().all(),
    ),
    "carried_value": Case(
        STAFFING,
        staffing("2025-01,RN,100,90", "2025-02,RN,,91"),
        [3],
        lambda got: got.tables["staffing_period"]["headcount"].tolist() == [100, 100],
    ),
    "summed": Case(
        STAFFING,
        staffing("2025-01,RN,100,90", "2025-01,Midwife,20,18.5", "2025-01,MD,30,30"),
        [2, 3],
        lambda got: got.tables["staffing_period"]["fte"].tolist() == [108.5, 30],
    ),
    "column_absent": Case(
        EVENTS, {"events.csv": "Ref,Date,Class,Type,Harm,State\nE1,2025-03-01,incident,fall,Low,closed\n"}, []
    ),
    "date_order_guessed": Case(
        EVENTS,
        {"events.csv": csv(EVENT_HEADER, [event_row(1, date="05/04/2025", reported="06/04/2025", changed="")])},
        [],
        lambda got: event(got, "E1")["event_date"] == pd.Timestamp("2025-04-05"),
    ),
    "date_orders_mixed": Case(
        EVENTS, events(event_row(1, reported="04/13/2025"), event_row(2, reported="14/04/2025")), []
    ),
    "names_as_keys": Case(
        ENCOUNTERS, encounters(*(encounter_row(n, staff=s) for n, s in enumerate(["AB", "Jo K"])), sound=1), []
    ),
    "midnight_share": Case(EVENTS, events(event_row(1, date="2025-03-01 00:00")), []),
    "fractional_headcount": Case(
        STAFFING,
        staffing("2025-01,RN,1.020,990"),
        [],
        lambda got: got.tables["staffing_period"]["headcount"].tolist() == [1.02],
    ),
    "mostly_fallback": Case(EVENTS, events(*(event_row(n, type="") for n in range(9))), []),
    "many_on_one_date": Case(
        ENCOUNTERS, encounters(*(encounter_row(n, when="2025-01-01") for n in range(8)), sound=20), []
    ),
    "conflicting_versions": Case(STAFFING, staffing("2025-01,RN,100,90", "2025-01,RN,20,18"), []),
    "carried_month": Case(
        STAFFING,
        staffing("2025-01,RN,100,90", "2025-03,RN,110,91", "2024-06,MD,1,1", "2025-01,MD,2,2"),
        [],
        lambda got: len(got.tables["staffing_period"]) == 3 + 5,
    ),
    "unlinked": Case(ACTIVATIONS, {"calls.csv": csv(ACTIVATION_HEADER, ["C1,E9,2025-03-01 09:15,self,other,RN"])}, []),
}


def workbook(header: str, *rows: str) -> bytes:
    book = openpyxl.Workbook()
    for row in (header, *rows):
        book.worksheets[0].append(row.split(","))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


CASES["formula_without_value"] = Case(
    EVENTS.replace("events*.csv", "events.xlsx"),
    {"events.xlsx": workbook(EVENT_HEADER, event_row(1), event_row(2, reported="=TODAY()"))},
    [3],
    lambda got: (pd.isna(event(got, "E2")["reported_date"]), got.quality.files[0].repaired) == (True, 1),
)


def test_every_rule_has_its_case() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("rule", CASES)
def test_rule(rule: str, tmp_path: Path) -> None:
    case = CASES[rule]
    imported = run(tmp_path, case.mapping, case.files)
    assert causes(imported).get(rule) == case.rows
    assert case.holds(imported)


def test_sound_rows_call_for_no_rule(tmp_path: Path) -> None:
    imported = run(tmp_path, EVENTS, events())
    (file,) = imported.quality.files
    assert (file.accepted, causes(imported)) == (30, {})


def test_a_filter_over_an_export_without_rows_is_not_questioned(tmp_path: Path) -> None:
    mapping = EVENTS.replace('file = "events*.csv"', 'file = "events.csv"\nwhere = { Type = ["Falls"] }')
    assert causes(run(tmp_path, mapping, {"events.csv": EVENT_HEADER})) == {}


def test_void_events_are_kept_as_void(tmp_path: Path) -> None:
    imported = run(tmp_path, EVENTS, events(event_row(1, state="Test record"), event_row(2, state="merged")))
    assert [event(imported, ref)["status"] for ref in ("E1", "E2")] == ["void", "void"]


def test_a_due_date_may_lie_ahead_but_a_completion_may_not(tmp_path: Path) -> None:
    mapping = """
[[source]]
table = "rca_action"
file = "a.csv"
[source.columns]
rca_key = "Rca"
action_no = "No"
action_type = "Type"
due_date = "Due"
completed_date = "Done"
"""
    rows = "Rca,No,Type,Due,Done\n1,1,Forcing function,2026-01-31,2026-01-15\n1,2,Training,2025-03-31,2025-04-15\n"
    actions = run(tmp_path, mapping, {"a.csv": rows}).tables["rca_action"]
    assert actions["strength"].tolist() == ["strong", "weak"]
    assert actions["due_date"].notna().all()
    assert actions["completed_date"].isna().tolist() == [True, False]


def test_a_datetime_may_have_its_clock_in_a_column_of_its_own(tmp_path: Path) -> None:
    mapping = ACTIVATIONS.replace('"When"', '{ column = "Day", time = "Clock" }')
    rows = ["C1,,2025-03-01,9.15 pm,self,other,RN", "C2,,2025-03-02,,self,other,RN"]
    calls = run(tmp_path, mapping, {"calls.csv": csv("Call,Ref,Day,Clock,Source,Reason,Role", rows)}).tables[
        "support_activation"
    ]
    assert calls["activation_datetime"].tolist() == [pd.Timestamp("2025-03-01 21:15"), pd.Timestamp("2025-03-02")]
    assert calls["activation_datetime_time_known"].tolist() == [True, False]


def test_where_the_column_of_times_is_blank_the_dates_own_clock_counts(tmp_path: Path) -> None:
    mapping = ENCOUNTERS.replace('"When"', '{ column = "When", time = "Clock" }')
    stamps = [
        ("2024-01-12 08:00", ""),
        ("45301.75", "n/a"),
        ("2024-01-12 08:00", "9:30"),
        ("2024-01-12 00:00", ""),
        ("2024-01-12 08:00", "noonish"),
    ]
    rows = [encounter_row(n, when=when) + f",{clock}" for n, (when, clock) in enumerate(stamps)]
    imported = run(tmp_path, mapping, {"encounters.csv": csv(ENCOUNTER_HEADER + ",Clock", rows)})
    got = imported.tables["support_encounter"]
    days = ["2024-01-12 08:00", "2024-01-10 18:00", "2024-01-12 09:30", "2024-01-12", "2024-01-12"]
    assert got["encounter_date"].tolist() == [pd.Timestamp(day) for day in days]
    assert got["encounter_date_time_known"].tolist() == [True, True, True, False, False]
    assert causes(imported) == {"excel_serial": [3], "unreadable_optional": [6], "unlinked": []}


def test_an_events_blank_time_is_that_behind_its_date(tmp_path: Path) -> None:
    stamps = [("2025-03-12 08:00", ""), ("2025-03-12 08:00", "9:30"), ("2025-03-12 00:00", "n/a"), ("2025-03-12", "")]
    rows = [event_row(n, date=day) + f",{clock}" for n, (day, clock) in enumerate(stamps)]
    files = {"events.csv": csv(EVENT_HEADER + ",Clock", rows)}
    imported = run(tmp_path, EVENTS + 'event_time = "Clock"\n', files)
    times = imported.tables["safety_event"]["event_time"]
    assert times.dropna().tolist() == [pd.Timedelta("08:00:00"), pd.Timedelta("09:30:00")]
    assert (len(times), causes(imported)) == (4, {})


def test_one_person_has_one_key_in_all_tables_and_forms(tmp_path: Path) -> None:
    files = encounters(*(encounter_row(n, staff=s) for n, s in enumerate(["00123", "123", " 123.0", "123"])), sound=0)
    assert run(tmp_path, ENCOUNTERS, files).tables["support_encounter"]["person_key"].unique().tolist() == [
        HASHER.key("person_key", "123")
    ]


def test_encounters_of_a_group(tmp_path: Path) -> None:
    exploded = [encounter_row(1, staff=staff, mode="group") for staff in ("11", "12", "13")]
    single = encounter_row(2, staff="", mode="group", group="9")
    got = run(tmp_path, ENCOUNTERS, encounters(*exploded, single, sound=0)).tables["support_encounter"]
    assert got["person_key"].notna().tolist() == [True, True, True, False]
    assert got["persons_in_group"].iloc[-1] == 9


def test_files_of_one_source_are_one_table_and_the_last_version_wins(tmp_path: Path) -> None:
    files = {
        "events-2024.csv": csv(EVENT_HEADER, [event_row(1, state="open", changed=""), event_row(2)]),
        "events-2025.csv": csv(EVENT_HEADER, [event_row(1, changed="")]).replace(",", ";"),
    }
    imported = run(tmp_path, EVENTS, files)
    assert event(imported, "E1")["status"] == "closed"
    assert [(file.accepted, file.rows_dropped) for file in imported.quality.files] == [(1, 1), (1, 0)]


def test_a_given_date_order_is_not_questioned(tmp_path: Path) -> None:
    mapping = EVENTS.replace('file = "events*.csv"', 'file = "events*.csv"\ndate_order = "month_first"')
    files = {"events.csv": csv(EVENT_HEADER, [event_row(1, date="05/04/2025", reported="05/06/2025", changed="")])}
    imported = run(tmp_path, mapping, files)
    assert event(imported, "E1")["event_date"] == pd.Timestamp("2025-05-04")
    assert causes(imported) == {}


@pytest.mark.parametrize(
    ("row", "setting", "figures"),
    [
        ("2025-01;RN;1.020;1.012,75", "", (1020, 1012.75)),
        ("2025-01;RN;1.020;990", "", (1020, 990)),
        ("2025-01;RN;1.020;990", 'decimal = "."', (1.02, 990)),
        ("2025-01;RN;1,020;990", "", (1020, 990)),
        ("2025-01;RN;1,020;990", 'decimal = ","', (1.02, 990)),
    ],
)
def test_one_decimal_mark_holds_for_a_whole_file(
    tmp_path: Path, row: str, setting: str, figures: tuple[float, float]
) -> None:
    mapping = STAFFING.replace('file = "staffing*.csv"', f'file = "staffing*.csv"\n{setting}')
    imported = run(tmp_path, mapping, {"staffing.csv": f"Month;Title;Heads;FTE\n{row}\n"})
    (staff,) = imported.tables["staffing_period"].to_dict("records")
    assert (staff["headcount"], staff["fte"]) == figures
    assert ("fractional_headcount" in causes(imported)) == (figures[0] == 1.02)


def test_a_constant_keeps_its_decimal_point(tmp_path: Path) -> None:
    mapping = STAFFING.replace('"FTE"', "{ constant = 1.125 }")
    imported = run(tmp_path, mapping, {"staffing.csv": "Month;Title;Heads\n2025-01;RN;12,5\n"})
    assert imported.tables["staffing_period"]["fte"].tolist() == [1.125]


def test_a_count_with_a_fraction_is_missing_and_not_rounded(tmp_path: Path) -> None:
    rows = [encounter_row(1, minutes="7.5"), encounter_row(2, minutes="30.0"), encounter_row(3, minutes="1.1 h")]
    imported = run(tmp_path, ENCOUNTERS, encounters(*rows))
    assert causes(imported) == {"unreadable_optional": [2], "unlinked": []}
    assert pd.isna(encounter(imported, "N1")["minutes"])
    assert [encounter(imported, name)["minutes"] for name in ("N2", "N3")] == [30, 66]


def test_a_column_without_proof_takes_the_order_of_the_files_other_dates(tmp_path: Path) -> None:
    files = events(event_row(1, date="03/04/2025", reported="03/25/2025"), sound=0)
    assert event(run(tmp_path, EVENTS, files), "E1")["event_date"] == pd.Timestamp("2025-03-04")


def test_numbers_mean_nothing_on_a_local_scale(tmp_path: Path) -> None:
    files = events(event_row(1, harm="2"))
    assert event(run(tmp_path, EVENTS, files), "E1")["harm"] == "severe_harm"
    assert event(run(tmp_path, EVENTS.replace('"nrls"', '"local"'), files), "E1")["harm"] == "unknown"


@pytest.mark.parametrize(("bad", "refused"), [(2, False), (3, True)])
def test_a_file_of_which_more_than_a_fifth_is_unusable_is_refused(tmp_path: Path, bad: int, refused: bool) -> None:
    rows = [*(event_row(n, date="?") for n in range(bad)), *(event_row(100 + n) for n in range(10 - bad))]
    files = {"events.csv": csv(EVENT_HEADER, [*rows, ",,,,,,,", "Total,10,,,,,,"])}
    if not refused:
        assert len(run(tmp_path, EVENTS, files).tables["safety_event"]) == 8
        return
    with pytest.raises(FileRefused) as caught:
        run(tmp_path, EVENTS, files)
    assert "events.csv: more than 20% of its rows cannot be used for safety_event" in str(caught.value)
    assert "required_missing in 'event_date' (such as row 2, 3, 4)" in str(caught.value)
    assert caught.value.remedy


def test_resources_of_other_types_do_not_hide_that_the_events_cannot_be_used(tmp_path: Path) -> None:
    patients = ['{"resourceType": "Patient"}'] * 90
    events = ['{"resourceType": "AdverseEvent", "id": "1", "actuality": "actual"}'] * 10
    with pytest.raises(FileRefused, match="more than 20% of its rows cannot be used"):
        run(tmp_path, FHIR, {"events.json": "\n".join([*patients, *events])})


def test_an_export_with_a_header_alone_gives_an_empty_table(tmp_path: Path) -> None:
    mapping = EVENTS + ENCOUNTERS + ACTIVATIONS + STAFFING
    files = {
        "events.csv": EVENT_HEADER,
        "encounters.csv": ENCOUNTER_HEADER,
        "calls.csv": ACTIVATION_HEADER,
        "staffing.csv": STAFFING_HEADER,
    }
    imported = run(tmp_path, mapping, files)
    assert all(table.empty for table in imported.tables.values())
    assert all(file.read == 0 for file in imported.quality.files)
