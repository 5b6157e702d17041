from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from node.measures.views import TABLES_BEHIND_COLUMN, TABLES_BEHIND_VIEW, build_views
from node.tables.schema import TABLES
from tests.node.measures.canonical import Row, tables

DAY = pd.Timestamp


def column(view: pd.DataFrame, name: str, key: str) -> dict[str, Any]:
    """Values of a column by the key of their row; what is missing is None."""
    assert view["row_key"].is_unique
    return {k: None if pd.isna(v) else v for k, v in zip(view[key], view[name], strict=True)}


def events(*rows: Row, **others: list[Row]) -> pd.DataFrame:
    return build_views(tables(safety_event=list(rows), **others))["events"]


def test_without_any_row_every_view_is_there_and_empty() -> None:
    views = build_views(tables())
    assert set(views) == set(TABLES_BEHIND_VIEW)
    assert all(view.empty and {"row_key", "recorded_date"} <= set(view.columns) for view in views.values())


def test_what_stands_behind_views_and_columns_is_in_the_schema() -> None:
    behind = [*TABLES_BEHIND_VIEW.values(), *TABLES_BEHIND_COLUMN.values()]
    assert frozenset().union(*behind) <= set(TABLES)
    columns = {name for view in build_views(tables()).values() for name in view.columns}
    assert set(TABLES_BEHIND_COLUMN) <= columns


def test_void_events_leave_every_view() -> None:
    views = build_views(
        tables(
            safety_event=[
                {"event_key": "e1"},
                {"event_key": "e2", "status": "void"},
                {"event_key": "e3", "status": "open"},
            ],
            event_involvement=[{"event_key": key, "person_key": "p"} for key in ("e1", "e2")],
            jc_review=[{"event_key": key, "person_key": "p"} for key in ("e1", "e2")],
            rca=[{"rca_key": f"r-{key}", "event_key": key, "completed_date": "2024-05-01"} for key in ("e1", "e2")],
            rca_action=[{"rca_key": f"r-{key}", "action_no": "1"} for key in ("e1", "e2")],
        )
    )
    assert views["events"]["event_key"].tolist() == ["e1", "e3"]
    for name in ("involvements", "reviews", "rcas", "actions"):
        assert views[name]["event_key"].tolist() == ["e1"], name


def test_serious_is_severe_harm_or_death() -> None:
    harms = ("death", "severe_harm", "moderate_harm", "mild_harm", "no_harm", "unknown")
    view = events(*({"event_key": harm, "harm": harm} for harm in harms))
    assert column(view, "serious", "event_key") == dict.fromkeys(harms, "no") | {"death": "yes", "severe_harm": "yes"}


def test_a_trigger_is_what_is_flagged_else_what_is_serious_or_violent() -> None:
    view = events(
        {"event_key": "flagged", "trigger": True},
        {"event_key": "flagged off", "trigger": False, "harm": "death"},
        {"event_key": "serious", "harm": "severe_harm"},
        {"event_key": "moderate", "harm": "moderate_harm"},
        {"event_key": "violence", "event_type": "workplace_violence"},
        {"event_key": "staff", "event_type": "staff_safety"},
        {"event_key": "violence off", "event_type": "workplace_violence", "trigger": False},
    )
    yes = {key for key, value in column(view, "trigger", "event_key").items() if value == "yes"}
    assert yes == {"flagged", "serious", "violence", "staff"}
    assert set(view["trigger"]) == {"yes", "no"}


OFFERS = {
    "the same day": ({"activation_datetime": "2024-03-01 22:00"}, "yes"),
    "on the thirtieth day": ({"activation_datetime": "2024-03-31 22:00"}, "yes"),
    "on the thirty-first day": ({"activation_datetime": "2024-04-01 00:30"}, "no"),
    "before the event was reported": ({"activation_datetime": "2024-02-20 10:00"}, "yes"),
    "an offer that was declined": ({"activation_datetime": "2024-03-02 10:00", "offered": True}, "yes"),
    "a note that none was offered": ({"activation_datetime": "2024-03-02 10:00", "offered": False}, "no"),
    "of another event": ({"activation_datetime": "2024-03-02 10:00", "event_key": "other"}, "no"),
}


@pytest.mark.parametrize("case", OFFERS)
def test_an_offer_is_documented_within_30_days(case: str) -> None:
    activation, offered = OFFERS[case]
    linked = {"activation_key": "a", "event_key": "e"} | activation
    view = events({"event_key": "e", "reported_date": "2024-03-01"}, support_activation=[linked])
    assert column(view, "offered", "event_key") == {"e": offered}


def test_an_event_is_supported_by_an_encounter_of_tier_2_or_3() -> None:
    links = {"e1": ["1", "2"], "e2": ["1"], "e3": ["3"], "e4": []}
    view = events(
        *({"event_key": key} for key in links),
        support_activation=[{"activation_key": f"a-{key}", "event_key": key} for key in links]
        + [{"activation_key": "without event"}],
        support_encounter=[
            {"encounter_key": f"{key}-{tier}", "activation_key": f"a-{key}", "tier": tier}
            for key, tiers in links.items()
            for tier in tiers
        ]
        + [{"encounter_key": "x", "activation_key": "without event"}],
    )
    assert column(view, "supported", "event_key") == {"e1": "yes", "e2": "no", "e3": "yes", "e4": "no"}


def test_the_fix_date_is_the_earliest_completed_action_of_at_least_intermediate_strength() -> None:
    actions = [
        ("r1", "weak", "2024-03-01"),
        ("r1", "strong", "2024-05-02"),
        ("r1", "intermediate", "2024-05-01"),
        ("r1b", "strong", "2024-04-30"),
        ("r2", "weak", "2024-03-01"),
        ("r3", "strong", None),
    ]
    view = events(
        *({"event_key": f"e{number}"} for number in (1, 2, 3, 4)),
        rca=[{"rca_key": key, "event_key": f"e{key[1]}"} for key in ("r1", "r1b", "r2", "r3")],
        rca_action=[
            {"rca_key": rca, "action_no": str(number), "strength": strength, "completed_date": done}
            for number, (rca, strength, done) in enumerate(actions)
        ],
    )
    assert column(view, "fix_date", "event_key") == {"e1": DAY("2024-04-30"), "e2": None, "e3": None, "e4": None}


def test_an_event_is_recorded_when_it_was_reported_else_when_it_happened() -> None:
    view = events(
        {"event_key": "late", "reported_date": "2024-04-01"},
        {"event_key": "plain"},
        {"event_key": "odd", "unit_key": "u9"},
        {"event_key": "icu", "unit_key": "u1"},
        unit=[{"unit_key": "u1", "unit_type": "icu"}],
    )
    recorded = column(view, "recorded_date", "event_key")
    assert (recorded["late"], recorded["plain"]) == (DAY("2024-04-01"), DAY("2024-02-10"))
    assert column(view, "unit_type", "event_key") == {"late": None, "plain": None, "odd": None, "icu": "icu"}
    assert view["row_key"].tolist() == view["event_key"].tolist()


def test_a_unit_that_is_listed_twice_is_what_it_was_first() -> None:
    units = [{"unit_key": "u1", "unit_type": "icu"}, {"unit_key": "u1", "unit_type": "emergency"}]
    assert events({"event_key": "e", "unit_key": "u1"}, unit=units)["unit_type"].tolist() == ["icu"]


def test_involvements_carry_what_is_known_of_their_event() -> None:
    views = build_views(
        tables(
            unit=[{"unit_key": "u1", "unit_type": "icu"}],
            safety_event=[
                {"event_key": "e1", "harm": "death", "reported_date": "2024-03-09", "unit_key": "u1"},
                {"event_key": "e2"},
            ],
            event_involvement=[
                {"event_key": "e1", "person_key": "p1", "role_group": "physician"},
                {"event_key": "e1", "person_key": "p2"},
                {"event_key": "e2", "person_key": "p1"},
                {"event_key": "no such event", "person_key": "p1"},
            ],
        )
    )
    view = views["involvements"].set_index("row_key")
    assert view.index.tolist() == ["e1|p1", "e1|p2", "e2|p1"]
    first = view.loc["e1|p1"]
    wanted = ["trigger", "serious", "harm", "event_type", "unit_type", "role_group"]
    assert first[wanted].tolist() == ["yes", "yes", "death", "fall", "icu", "physician"]
    assert first["recorded_date"] == DAY("2024-03-09")
    assert view.loc["e2|p1", ["trigger", "serious"]].tolist() == ["no", "no"]


def test_activations_are_recorded_on_their_day() -> None:
    view = build_views(
        tables(
            unit=[{"unit_key": "u1", "unit_type": "emergency"}],
            support_activation=[
                {"activation_key": "a1", "activation_datetime": "2024-03-31 23:59", "unit_key": "u1"},
                {"activation_key": "a2"},
            ],
        )
    )["activations"]
    assert column(view, "recorded_date", "row_key") == {"a1": DAY("2024-03-31"), "a2": DAY("2024-02-11")}
    assert column(view, "unit_type", "activation_key") == {"a1": "emergency", "a2": None}


def test_encounters_are_support_only_and_know_their_activation_s_role() -> None:
    night = "2024-04-01 00:10"
    view = build_views(
        tables(
            unit=[{"unit_key": "u1", "unit_type": "emergency"}],
            support_activation=[{"activation_key": "a1", "role_group": "group", "unit_key": "u1"}],
            support_encounter=[
                {
                    "encounter_key": "c1",
                    "activation_key": "a1",
                    "person_key": "p1",
                    "encounter_date": night,
                },
                {"encounter_key": "c1", "activation_key": "a1", "person_key": "p2"},
                {"encounter_key": "c2", "activation_key": "a1", "person_key": "p1", "mode": "leaflet_only"},
                {"encounter_key": "c3", "activation_key": "lost", "person_key": "p3"},
                {"encounter_key": "c4", "activation_key": "a1"},
            ],
        )
    )["encounters"]
    roles = column(view, "role_group", "row_key")
    assert roles == {"c1|p1": "group", "c1|p2": "group", "c3|p3": None, "c4|": "group"}
    assert column(view, "unit_type", "row_key")["c1|p1"] == "emergency"
    assert column(view, "recorded_date", "row_key")["c1|p1"] == DAY("2024-04-01")


@pytest.mark.parametrize(
    ("event_timed", "contact", "contact_timed", "expected"),
    [
        (True, "2024-02-10 11:00", True, "yes"),
        (True, None, False, "yes"),
        (True, "2024-02-10 11:00", False, "no"),
        (False, "2024-02-10 11:00", True, "no"),
        (False, None, True, "no"),
    ],
)
def test_a_contact_is_timed_if_both_clocks_are_known(
    event_timed: bool, contact: str | None, contact_timed: bool, expected: str
) -> None:
    episode = {
        "episode_key": "x",
        "event_date_time_known": event_timed,
        "first_contact_datetime": contact,
        "first_contact_datetime_time_known": contact_timed,
    }
    view = build_views(tables(support_episode=[episode]))["episodes"]
    assert view["contact_timed"].tolist() == [expected]


def test_episodes_keep_the_hour_and_the_day_of_their_event_apart() -> None:
    view = build_views(
        tables(
            unit=[{"unit_key": "u1", "unit_type": "emergency"}],
            support_episode=[
                {"episode_key": "x", "first_contact_datetime": "2024-03-01 07:00", "unit_key": "u1"},
                {"episode_key": "y"},
            ],
        )
    )["episodes"].set_index("episode_key")
    assert view.loc["x", "event_datetime"] == DAY("2024-02-10 09:15")
    assert view.loc["x", "event_date"] == DAY("2024-02-10")
    assert view["recorded_date"].tolist() == [DAY("2024-03-01"), DAY("2024-02-10")]
    assert view.loc["x", "unit_type"] == "emergency"


MATCHES = {
    ("human_error", "console"): "yes",
    ("at_risk", "coach"): "yes",
    ("reckless", "discipline"): "yes",
    ("human_error", "discipline"): "no",
    ("at_risk", "console"): "no",
    ("reckless", "none"): "no",
    ("undetermined", "console"): None,
    ("not_reviewed", "none"): None,
}


def test_a_response_matches_the_behaviour_or_was_not_judged() -> None:
    cases = list(MATCHES)
    view = build_views(
        tables(
            safety_event=[{"event_key": "e", "reported_date": "2024-03-01", "harm": "mild_harm"}],
            jc_review=[
                {"event_key": "e", "person_key": f"p{n}", "behaviour": behaviour, "response": response}
                for n, (behaviour, response) in enumerate(cases)
            ],
        )
    )["reviews"]
    found = column(view, "matched", "person_key")
    assert {case: found[f"p{n}"] for n, case in enumerate(cases)} == MATCHES
    assert view[["harm", "event_type"]].drop_duplicates().to_numpy().tolist() == [["mild_harm", "fall"]]


def test_a_review_is_recorded_on_its_day_else_on_its_event_s() -> None:
    view = build_views(
        tables(
            safety_event=[{"event_key": "e", "reported_date": "2024-03-01"}],
            jc_review=[
                {"event_key": "e", "person_key": "dated", "review_date": "2024-04-04"},
                {"event_key": "e", "person_key": "undated"},
            ],
        )
    )["reviews"]
    dates = column(view, "recorded_date", "person_key")
    assert dates == {"dated": DAY("2024-04-04"), "undated": DAY("2024-03-01")}
    assert view["row_key"].tolist() == ["e|dated", "e|undated"]


def test_a_completed_rca_is_as_strong_as_its_strongest_action() -> None:
    strengths = {"r1": ["weak", "strong", "intermediate"], "r2": ["weak", "intermediate"], "r3": ["weak"], "r4": []}
    view = build_views(
        tables(
            safety_event=[{"event_key": "e", "event_type": "perinatal"}],
            rca=[{"rca_key": key, "event_key": "e", "completed_date": "2024-05-05"} for key in strengths]
            + [{"rca_key": "open", "event_key": "e"}],
            rca_action=[
                {"rca_key": key, "action_no": str(number), "strength": strength}
                for key, found in strengths.items()
                for number, strength in enumerate(found)
            ],
        )
    )["rcas"]
    assert column(view, "best_strength", "rca_key") == {
        "r1": "strong",
        "r2": "intermediate",
        "r3": "weak_or_none",
        "r4": "weak_or_none",
    }
    assert set(view["event_type"]) == {"perinatal"}
    assert set(view["recorded_date"]) == {DAY("2024-05-05")}


def test_an_action_is_on_time_if_completed_by_its_due_date() -> None:
    view = build_views(
        tables(
            safety_event=[{"event_key": "e"}],
            rca=[{"rca_key": "r", "event_key": "e"}],
            rca_action=[
                {"rca_key": "r", "action_no": "early", "completed_date": "2024-06-01"},
                {"rca_key": "r", "action_no": "on the day", "completed_date": "2024-06-30"},
                {"rca_key": "r", "action_no": "late", "completed_date": "2024-07-01"},
                {"rca_key": "r", "action_no": "open"},
                {"rca_key": "of no rca", "action_no": "x"},
            ],
        )
    )["actions"]
    assert column(view, "on_time", "action_no") == {"early": "yes", "on the day": "yes", "late": "no", "open": "no"}
    assert set(view["event_key"]) == {"e"}
    assert set(view["recorded_date"]) == {DAY("2024-06-30")}
    assert view["row_key"].tolist()[0] == "r|early"
