from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from node.measures.cases import Cases, VocabularyError, cases, check_vocabulary, protected_unit
from node.measures.counting import Contributions, admit_cases, count_slice
from node.measures.views import build_views
from protocols.catalogue import current_catalogue, parse_catalogue
from protocols.catalogue.model import Tally
from protocols.v1 import leadline_pb2 as pb
from tests.node.measures.canonical import tables
from tests.protocols.extended import extended
from tests.protocols.extended import tally as plain_tally

CATALOGUE, _ = current_catalogue()
ROLES = ["nurse_midwife", "physician", "unknown"]


def tally(**changes: object) -> Tally:
    """Rows of `rows` by person, in the month of `day`, with changes."""
    own: dict[str, object] = {
        "view": "rows",
        "unit": "clinician",
        "key": "person_key",
        "entry": {"kind": "date", "column": "day", "lag_days": 0},
    }
    return Tally.model_validate(plain_tally("one_tally", **(own | changes)))


def view(*rows: dict[str, Any]) -> pd.DataFrame:
    """Rows with a person and a key each; columns that end in `day` or `at` are dates."""
    found = pd.DataFrame([{"person_key": f"p{n}", "row_key": f"r{n}"} | row for n, row in enumerate(rows)])
    for name in found.columns:
        if name.endswith(("day", "at")):
            found[name] = pd.to_datetime(found[name], format="ISO8601")
    return found


def placed(found: Cases) -> dict[str, tuple[str, int]]:
    """Day of entry and cell, by row key."""
    days = found.entry.astype("datetime64[D]").astype(str)
    return {key: (str(day), int(cell)) for key, day, cell in zip(found.row_key, days, found.cell, strict=True)}


def test_a_row_enters_on_its_day_plus_the_lag() -> None:
    rows = view({"day": "2024-01-31 23:00"}, {"day": "2023-12-31"}, {"day": None})
    assert placed(cases(tally(), rows)) == {"r0": ("2024-01-31", 0), "r1": ("2023-12-31", 0)}
    lagged = tally(entry={"kind": "date", "column": "day", "lag_days": 30})
    assert placed(cases(lagged, rows)) == {"r0": ("2024-03-01", 0), "r1": ("2024-01-30", 0)}


def test_every_condition_must_hold() -> None:
    rows = view(
        {"day": "2024-01-01", "tier": "2", "kind": "x"},
        {"day": "2024-01-01", "tier": "3", "kind": "y"},
        {"day": "2024-01-01", "tier": "1", "kind": "x"},
        {"day": "2024-01-01", "tier": None, "kind": "x"},
    )
    conditions = [{"column": "tier", "one_of": ["2", "3"]}, {"column": "kind", "one_of": ["x"]}]
    assert list(cases(tally(where=conditions), rows).row_key) == ["r0"]
    assert list(cases(tally(where=conditions[:1]), rows).row_key) == ["r0", "r1"]


def test_rows_without_a_person_do_not_count_where_people_are_protected() -> None:
    rows = view({"day": "2024-01-01"}, {"day": "2024-01-01", "person_key": None})
    assert list(cases(tally(), rows).unit_key) == ["p0"]


def test_without_person_keys_the_encounter_is_the_unit() -> None:
    rows = view({"day": "2024-01-01", "person_key": None}, {"day": "2024-01-01", "person_key": None})
    assert list(cases(tally(), rows, person_keys=False).unit_key) == ["r0", "r1"]
    assert protected_unit(tally(), person_keys=True) == "clinician"
    assert protected_unit(tally(), person_keys=False) == "encounter"
    records = tally(unit="record", key="event_key")
    assert protected_unit(records, person_keys=False) == protected_unit(records, person_keys=True) == "record"
    events = view({"day": "2024-01-01", "event_key": "e"}, {"day": "2024-01-01", "event_key": None})
    assert list(cases(records, events, person_keys=False).unit_key) == ["e"]


def test_codes_that_nobody_knows_fall_into_the_fallback() -> None:
    codes = {"kind": "codes", "column": "answer", "codes": ["yes", "no", "other"], "other": "other"}
    rows = view(*({"day": "2024-01-01", "answer": answer} for answer in ("no", "yes", "maybe", None)))
    assert list(cases(tally(cells=codes), rows).cell) == [1, 0, 2, 2]


def test_strata_that_nobody_knows_are_unknown() -> None:
    by_role = tally(strata={"role": ROLES})
    rows = view(*({"day": "2024-01-01", "role": role} for role in ("physician", "astronaut", None, "unknown")))
    found = admit_cases(by_role, cases(by_role, rows), Contributions.none(by_role), 2024, [1])
    by_key = dict(zip(found.frame["row_key"], found.frame["role"], strict=True))
    assert by_key == {"r0": 1, "r1": 2, "r2": 2, "r3": 2}
    table = pb.Table(grain=pb.GRAIN_QUARTER, stratum="role")
    assert count_slice(by_role, table, found, 1).tolist() == [0, 1, 3]


def outcome(**changes: object) -> Tally:
    entry = {"kind": "outcome", "start": "start_at", "end": "end_at", "horizon": 10, "unit": "days", "censor": None}
    return tally(entry=entry | changes, cells={"kind": "duration", "edges": [0, 3, 10]})


def waiting(start: str | None, end: str | None, last: str | None = None) -> dict[str, tuple[str, int]]:
    return placed(cases(outcome(censor="last_day"), view({"start_at": start, "end_at": end, "last_day": last})))


BEYOND = 4  # cells: 0-3, 3-10, open 0-3, open 3-10, beyond


@pytest.mark.parametrize(
    ("end", "entry", "cell"),
    [
        ("2024-03-01", "2024-03-01", 0),  # at once
        ("2024-03-03", "2024-03-03", 0),
        ("2024-03-04", "2024-03-04", 1),  # a lower edge belongs to the bin above
        ("2024-03-11", "2024-03-11", 1),  # the horizon belongs to the last bin
        ("2024-03-12", "2024-03-11", BEYOND),  # enters when the horizon passes, not when it ends
        ("2025-03-12", "2024-03-11", BEYOND),
        (None, "2024-03-11", BEYOND),
    ],
)
def test_an_outcome_enters_when_its_follow_up_ends(end: str | None, entry: str, cell: int) -> None:
    assert waiting("2024-03-01", end) == {"r0": (entry, cell)}


@pytest.mark.parametrize(
    ("last", "cell"),
    [
        ("2024-03-01", 2),
        ("2024-03-03", 2),
        ("2024-03-04", 3),
        ("2024-03-10", 3),
        ("2024-03-11", BEYOND),  # followed to the horizon: known not to have happened
        ("2024-06-01", BEYOND),
        ("2024-02-01", BEYOND),  # a contact before the start follows nothing
        (None, BEYOND),
    ],
)
def test_an_open_case_is_censored_at_its_last_contact_and_enters_at_the_horizon(last: str | None, cell: int) -> None:
    assert waiting("2024-03-01", None, last) == {"r0": ("2024-03-11", cell)}


def test_a_case_that_ended_is_not_censored_by_an_earlier_contact() -> None:
    assert waiting("2024-03-01", "2024-03-09", "2024-03-02") == {"r0": ("2024-03-09", 1)}
    assert waiting("2024-03-01", "2024-04-09", "2024-03-02") == {"r0": ("2024-03-11", BEYOND)}


def test_an_outcome_without_start_or_before_it_does_not_count() -> None:
    assert waiting(None, "2024-03-02") == {}
    assert waiting(None, None, "2024-03-02") == {}
    assert waiting("2024-03-02", "2024-03-01") == {}


def test_hours_are_hours() -> None:
    hourly = outcome(unit="hours")
    rows = view(
        {"start_at": "2024-03-31 22:30", "end_at": "2024-04-01 01:29"},
        {"start_at": "2024-03-31 22:30", "end_at": "2024-04-01 01:30"},
        {"start_at": "2024-03-31 22:30", "end_at": "2024-04-01 08:30"},
        {"start_at": "2024-03-31 22:30", "end_at": "2024-04-01 08:31"},
        {"start_at": "2024-03-31 12:00", "end_at": None},
    )
    found = placed(cases(hourly, rows))
    assert [found[f"r{n}"] for n in range(4)] == [("2024-04-01", cell) for cell in (0, 1, 1, 2)]
    assert found["r4"] == ("2024-03-31", 2)


def test_an_outcome_without_duration_bins_waits_and_then_counts_in_its_own_cells() -> None:
    entry = {"kind": "outcome", "start": "start_at", "end": "end_at", "horizon": 10, "unit": "days", "censor": None}
    rows = view(
        {"start_at": "2024-03-25", "end_at": "2024-03-27", "answer": "no"},
        {"start_at": "2024-03-25", "end_at": None, "answer": "yes"},
        {"start_at": "2024-03-25", "end_at": "2024-03-20", "answer": "yes"},
    )
    assert placed(cases(tally(entry=entry), rows)) == {"r0": ("2024-03-27", 0), "r1": ("2024-04-04", 0)}
    codes = {"kind": "codes", "column": "answer", "codes": ["yes", "no"], "other": "no"}
    assert placed(cases(tally(entry=entry, cells=codes), rows)) == {"r0": ("2024-03-27", 1), "r1": ("2024-04-04", 0)}


def test_the_shipped_catalogue_speaks_the_vocabulary_of_the_views() -> None:
    views = build_views(tables())
    check_vocabulary(CATALOGUE, views)
    for each in CATALOGUE.tallies:
        assert len(cases(each, views[each.view]).unit_key) == 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"view": "salaries"}, "no view 'salaries'"),
        ({"key": "passport"}, "passport"),
        ({"where": [{"column": "colour", "one_of": ["red"]}]}, "colour"),
        ({"entry": {"kind": "date", "column": "birthday", "lag_days": 0}}, "birthday"),
        ({"cells": {"kind": "codes", "column": "mood", "codes": ["a"], "other": "a"}}, "mood"),
        ({"strata": {"team": ["a", "unknown"]}}, "team"),
        (
            {
                "entry": {
                    "kind": "outcome",
                    "start": "event_date",
                    "end": "wedding",
                    "horizon": 5,
                    "unit": "days",
                    "censor": "funeral",
                }
            },
            r"\['funeral', 'wedding'\]",
        ),
    ],
)
def test_a_catalogue_with_words_that_the_views_lack_is_refused(changes: dict[str, object], words: str) -> None:
    raw = extended()
    raw["tallies"].append(plain_tally("spoken", **changes))
    catalogue, _ = parse_catalogue(json.dumps(raw))
    with pytest.raises(VocabularyError, match=words) as caught:
        check_vocabulary(catalogue, build_views(tables()))
    assert "tally spoken" in str(caught.value)


def test_new_measures_count_without_new_code() -> None:
    """A proportion over events of the night shift, and the share of them that was mended within 30 days."""
    catalogue, _ = parse_catalogue(json.dumps(extended()))
    nights = [("e1", "night"), ("e2", "night"), ("e3", "day"), ("e4", None), ("e5", "night")]
    views = build_views(
        tables(
            unit=[{"unit_key": "u1", "unit_type": "icu"}, {"unit_key": "u2", "unit_type": "newborn"}],
            safety_event=[
                {"event_key": k, "shift": shift, "unit_key": "u1" if k == "e1" else "u2"} for k, shift in nights
            ],
            support_activation=[{"activation_key": "a", "event_key": "e1"}, {"activation_key": "b", "event_key": "e3"}],
            rca=[{"rca_key": "r", "event_key": "e1"}],
            rca_action=[{"rca_key": "r", "action_no": "1", "strength": "strong", "completed_date": "2024-03-01"}],
        )
    )
    check_vocabulary(catalogue, views)

    def year(tally_id: str, stratum: str = "") -> list[int]:
        one = catalogue.tally(tally_id)
        found = admit_cases(one, cases(one, views["events"]), Contributions.none(one), 2024, range(1, 13))
        return count_slice(one, pb.Table(grain=pb.GRAIN_YEAR, by_cell=True, stratum=stratum), found, 4).tolist()

    assert year("night_offers") == [1, 2]
    assert year("night_offers", "unit_type") == [1, 0, 0, 0, 0, 2]  # icu, emergency, unknown: yes and no of each
    assert year("night_events") == [3]
    assert year("night_fixes") == [1, 0, 2]
