from __future__ import annotations

import pytest

from node.measures.support import REASONS
from node.measures.views import build_views
from node.tables.schema import EVENT_REASON
from tests.node.measures.canonical import Row, tables
from tests.node.measures.counted import CATALOGUE, counted, split


def test_every_reason_belongs_to_one_of_nine() -> None:
    assert set(REASONS) == set(EVENT_REASON)
    activations = [{"activation_key": f"a{n}", "event_reason": reason} for n, reason in enumerate(EVENT_REASON)]
    assert counted("activation_reasons", support_activation=activations) == {
        (2, "patient_death"): 3,
        (2, "error"): 2,
        (2, "other"): 2,
        (2, "paediatric_or_maternal_death"): 1,
        (2, "unexpected_outcome"): 1,
        (2, "violence_aggression"): 1,
        (2, "complaint_litigation"): 1,
        (2, "moral_distress"): 1,
        (2, "colleague_illness_death"): 1,
    }
    assert len(CATALOGUE.tally("activation_reasons").cell_names) == 9


def encounter(number: int, **changes: object) -> Row:
    return {"encounter_key": f"c{number}", "activation_key": "a", "person_key": "p"} | changes


def test_needs_met_counts_rated_encounters_twice_at_most_for_a_clinician() -> None:
    encounters = [
        encounter(1, met_needs=True),
        encounter(2, met_needs=None),
        encounter(3, met_needs=False, encounter_date="2024-03-01"),
        encounter(4, met_needs=False, encounter_date="2024-04-01"),  # the third rated one
        encounter(5, met_needs=True, person_key="q", mode="group_debrief"),
        encounter(6, met_needs=True, mode="leaflet_only", person_key="r"),
    ]
    site: dict[str, list[Row]] = {"support_activation": [{"activation_key": "a"}], "support_encounter": encounters}
    assert counted("needs_met", **site) == {(2, "yes"): 2, (3, "no"): 1}
    assert split("needs_met", "contact_form", **site) == {"one_to_one": 2, "group": 1}


def test_reinforced_care_counts_clinicians_once() -> None:
    encounters = [
        encounter(1, safety_escalation=True),
        encounter(2, safety_escalation=True, encounter_date="2024-06-01"),
        encounter(3, safety_escalation=False, person_key="q"),
        encounter(4, person_key="r"),
        encounter(5, safety_escalation=True, person_key=None),
    ]
    assert counted("reinforced_care", support_encounter=encounters) == {(2, "all"): 1}


def episode(**changes: object) -> Row:
    return {"episode_key": "x", "person_key": "p", "last_contact_date": "2024-04-10"} | changes


def contact(day: str, tier: str, resource: str | None = None, **changes: object) -> Row:
    key = f"{day}-{tier}-{resource}"
    return {
        "encounter_key": key,
        "activation_key": "a",
        "person_key": "p",
        "encounter_date": f"{day} 10:00",
        "tier": tier,
        "support_resource": resource,
    } | changes


PEER = contact("2024-02-12", "2", "peer_supporter")
EAP = contact("2024-03-01", "3", "eap")
PATHS: dict[str, tuple[Row, list[Row], str]] = {
    "nothing above the unit": ({"highest_tier": "1"}, [contact("2024-02-10", "1", "unit_manager")], "local"),
    "a peer": ({"highest_tier": "2"}, [PEER], "peer"),
    "a peer, then the EAP": ({"highest_tier": "3"}, [PEER, EAP], "peer_then_professional"),
    "peer and professional on one day": (
        {"highest_tier": "3"},
        [PEER, contact("2024-02-12", "3", "chaplain")],
        "peer_then_professional",
    ),
    "the EAP alone": ({"highest_tier": "3"}, [EAP, contact("2024-03-08", "3", "eap")], "eap_only"),
    "the EAP and a psychologist": (
        {"highest_tier": "3"},
        [EAP, contact("2024-03-08", "3", "psychologist")],
        "professional_only",
    ),
    "the EAP and nobody knows who": ({"highest_tier": "3"}, [EAP, contact("2024-03-08", "3")], "professional_only"),
    "a colleague, then the EAP": (
        {"highest_tier": "3"},
        [contact("2024-02-10", "1", "unit_colleague"), EAP],
        "professional_only",
    ),
    "the EAP, and a peer afterwards": (
        {"highest_tier": "3"},
        [EAP, contact("2024-03-05", "2", "peer_supporter")],
        "professional_only",
    ),
    "a peer before the event": (
        {"highest_tier": "3"},
        [contact("2024-02-09", "2", "peer_supporter"), EAP],
        "eap_only",
    ),
    "the peer of somebody else": ({"highest_tier": "3"}, [PEER | {"person_key": "q"}, EAP], "eap_only"),
    "no encounter is known": ({"highest_tier": "3"}, [], "professional_only"),
    "no encounter, but an escalation": (
        {"highest_tier": "3", "escalated_date": "2024-03-01"},
        [],
        "peer_then_professional",
    ),
    "nobody's name, but the activation": (
        {"highest_tier": "3", "person_key": None, "activation_key": "a"},
        [EAP | {"person_key": None}],
        "eap_only",
    ),
}


@pytest.mark.parametrize("case", PATHS)
def test_the_path_of_an_episode(case: str) -> None:
    found, encounters, path = PATHS[case]
    named = found.get("person_key", "p") is not None
    site: dict[str, list[Row]] = {"support_episode": [episode(**found)], "support_encounter": encounters}
    # The event was on 10 February 2024; the episode enters 90 days later, on 10 May. Without a name it has no unit.
    assert counted("episode_path", **site) == ({(5, path): 1} if named else {})
    if not named:
        assert build_paths(site) == [path]


def build_paths(site: dict[str, list[Row]]) -> list[str]:
    return [str(path) for path in build_views(tables(**site))["episodes"]["path"]]


ENDS: dict[str, tuple[Row, dict[tuple[int, str], int]]] = {
    # Closed on the day of recovery, else on the last contact of 10 April; a case enters 30 days after that.
    "recovered": ({"outcome": "thriving", "recovered_date": "2024-03-01"}, {(3, "thriving"): 1}),
    "surviving": ({"outcome": "surviving"}, {(5, "surviving"): 1}),
    "another unit": ({"outcome": "transferred_unit"}, {(5, "dropping_out"): 1}),
    "another employer": ({"outcome": "left_organisation"}, {(5, "dropping_out"): 1}),
    "unknown": ({"outcome": "unknown"}, {(5, "unknown"): 1}),
    "open": ({"outcome": "open"}, {}),
}


@pytest.mark.parametrize("case", ENDS)
def test_closed_episodes_count_by_how_they_ended(case: str) -> None:
    found, expected = ENDS[case]
    assert counted("trajectories", support_episode=[episode(**found)]) == expected


LEFT: dict[str, tuple[Row, dict[tuple[int, str], int]]] = {
    # The event was on 10 February 2024, so the year ends on 9 February 2025.
    "stayed": ({"outcome": "thriving"}, {(2, "no"): 1}),
    "left": ({"outcome": "left_organisation"}, {(2, "yes"): 1}),
    "left on the last day": ({"outcome": "left_organisation", "last_contact_date": "2025-02-09"}, {(2, "yes"): 1}),
    "left later": ({"outcome": "left_organisation", "last_contact_date": "2025-02-10"}, {(2, "no"): 1}),
    "not supported": ({"outcome": "left_organisation", "highest_tier": "1"}, {}),
}


@pytest.mark.parametrize("case", LEFT)
def test_who_left_within_a_year_is_known_a_year_after_the_event(case: str) -> None:
    found, expected = LEFT[case]
    episodes = [episode(**({"highest_tier": "2"} | found))]
    assert counted("departures", support_episode=episodes) == {}
    assert counted("departures", 2025, support_episode=episodes) == expected


def load(*spans: tuple[str, str | None, str | None], year: int = 2024) -> dict[tuple[int, str], int]:
    """Days of load of one clinician with episodes of these events, recoveries and last contacts."""
    episodes = [
        {
            "episode_key": f"x{number}",
            "person_key": "p",
            "event_date": start,
            "recovered_date": recovered,
            "last_contact_date": last or start,
            "outcome": "surviving" if last else "open",
        }
        for number, (start, recovered, last) in enumerate(spans)
    ]
    return counted("open_days", year, support_episode=episodes)


def test_days_of_load_end_with_recovery_closing_or_a_year() -> None:
    assert load(("2024-03-01", "2024-03-31", None)) == {(12, "1-30"): 1}  # 30 days
    assert load(("2024-03-01", "2024-04-01", None)) == {(12, "31-90"): 1}  # 31 days
    assert load(("2024-03-01", None, "2024-08-01")) == {(12, "91-180"): 1}  # closed after 153 days
    assert load(("2024-03-01", None, None)) == {(12, "181-366"): 1}  # open: 306 days of this year
    assert load(("2024-03-01", None, None), year=2025) == {(12, "31-90"): 1}  # and 59 of the next, to 365
    assert load(("2024-03-01", None, None), year=2026) == {}
    assert load(("2024-03-01", "2024-03-01", None)) == {}  # recovered at once: no load


def test_overlapping_episodes_of_a_clinician_are_not_added() -> None:
    assert load(("2024-03-01", "2024-03-21", None), ("2024-03-11", "2024-03-31", None)) == {(12, "1-30"): 1}  # 30
    assert load(("2024-03-01", "2024-03-21", None), ("2024-03-05", "2024-03-08", None)) == {(12, "1-30"): 1}  # 20
    # 20 and 20 days apart from each other are 40.
    assert load(("2024-03-01", "2024-03-21", None), ("2024-05-01", "2024-05-21", None)) == {(12, "31-90"): 1}
    # A long one that holds two short ones is as long as itself: 92 days.
    within = (
        ("2024-03-01", "2024-06-01", None),
        ("2024-03-05", "2024-03-08", None),
        ("2024-04-01", "2024-04-20", None),
    )
    assert load(*within) == {(12, "91-180"): 1}


def test_load_over_the_turn_of_the_year_counts_in_both_years() -> None:
    turn = ("2023-12-22", "2024-02-20", None)
    assert load(turn, year=2023) == {(12, "1-30"): 1}  # 22 to 31 December: 10 days
    assert load(turn) == {(12, "31-90"): 1}  # 31 days of January and 19 of February


def test_load_is_split_by_the_role_of_the_clinician() -> None:
    episodes = [
        {"episode_key": "x", "person_key": "p", "role_group": "physician"},
        {"episode_key": "y", "person_key": "q"},
        {"episode_key": "z", "person_key": None, "role_group": "physician"},
    ]
    assert split("open_days", "role_group", support_episode=episodes) == {"physician": 1, "unknown": 1}
