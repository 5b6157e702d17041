from __future__ import annotations

from typing import Any

import pytest

from tests.node.measures.canonical import Row
from tests.node.measures.counted import counted, split

TRIGGER = {"harm": "death"}


def test_reports_count_in_the_month_in_which_they_were_recorded() -> None:
    events = [
        {"event_key": "e1", "event_date": "2024-01-31", "event_class": "near_miss"},
        {"event_key": "late", "event_date": "2024-01-02", "reported_date": "2024-05-20"},
        {"event_key": "void", "event_date": "2024-01-03", "status": "void"},
        {"event_key": "last year", "event_date": "2023-12-31", "reported_date": "2024-01-01"},
        {"event_key": "next year", "event_date": "2024-12-31", "reported_date": "2025-01-01"},
    ]
    # e1 and what was reported on 1 January in January, the late report in May; the others are void or of 2025.
    assert counted("reported_events", safety_event=events) == {(1, "all"): 2, (5, "all"): 1}
    assert counted("reported_events", 2025, safety_event=events) == {(1, "all"): 1}


def test_reports_can_be_split_by_harm_type_and_unit() -> None:
    site: dict[str, list[Row]] = {
        "unit": [{"unit_key": "u1", "unit_type": "icu"}],
        "safety_event": [
            {"event_key": "e1", "unit_key": "u1", "harm": "death", "event_type": "fall"},
            {"event_key": "e2", "unit_key": "nowhere", "harm": "no_harm", "event_type": "other"},
        ],
    }
    assert split("reported_events", "unit_type", **site) == {"icu": 1, "unknown": 1}
    assert split("reported_events", "harm", **site) == {"death": 1, "no_harm": 1}
    assert split("reported_events", "event_type", **site) == {"fall": 1, "other": 1}


def exposures(*days: str, person: str = "p", **event: object) -> dict[str, list[Row]]:
    """One clinician in a trigger event on each of these days."""
    return {
        "safety_event": [{"event_key": f"e{n}", "event_date": day} | TRIGGER | event for n, day in enumerate(days)],
        "event_involvement": [{"event_key": f"e{n}", "person_key": person} for n in range(len(days))],
    }


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        # 90 days after 10 January 2024 is 9 April: there the first exposure enters.
        (("2024-01-10",), {(4, "no"): 1}),
        (("2024-01-10", "2024-04-09"), {(4, "yes"): 1}),  # on the last day of the window
        (("2024-01-10", "2024-04-10"), {(4, "no"): 1}),  # a day too late; and the clinician counts once
        (("2024-01-10", "2024-01-10"), {(4, "yes"): 1}),  # twice on one day
        (("2024-01-10", "2024-02-01", "2024-03-01"), {(4, "yes"): 1}),
        (("2024-01-10", "2024-06-01", "2024-06-02"), {(4, "no"): 1}),  # the first exposure of the year decides
        (("2024-11-20",), {}),  # its window ends in 2025
        # The exposure of November 2023 enters on 18 February 2024 and uses the year's one place.
        (("2023-11-20", "2024-03-01"), {(2, "no"): 1}),
    ],
)
def test_a_repeated_exposure_follows_the_first_within_90_days(
    days: tuple[str, ...], expected: dict[tuple[int, str], int]
) -> None:
    assert counted("repeat_exposure", **exposures(*days)) == expected


def test_only_trigger_events_expose() -> None:
    assert counted("repeat_exposure", **exposures("2024-01-10", harm="mild_harm")) == {}
    mixed = exposures("2024-01-10", "2024-02-01")
    mixed["safety_event"][1]["harm"] = "mild_harm"
    assert counted("repeat_exposure", **mixed) == {(4, "no"): 1}


REVIEWED: dict[str, tuple[Row, Row | None, dict[tuple[int, str], int]]] = {
    # Recorded on 10 February 2024; 90 days later is 10 May.
    "no review": ({"harm": "moderate_harm"}, None, {(5, "no"): 1}),
    "a judged review": ({"harm": "moderate_harm"}, {"review_date": "2024-05-10"}, {(5, "yes"): 1}),
    "a review without a date": ({"harm": "severe_harm"}, {}, {(5, "yes"): 1}),
    "a review too late": ({"harm": "death"}, {"review_date": "2024-05-11"}, {(5, "no"): 1}),
    "an unfinished review": ({"harm": "death"}, {"behaviour": "undetermined"}, {(5, "no"): 1}),
    "marked for review": ({"jc_review_needed": True}, {}, {(5, "yes"): 1}),
    "little harm": ({"harm": "mild_harm"}, {}, {}),
    "marked as needing none, yet with harm": ({"harm": "death", "jc_review_needed": False}, None, {(5, "no"): 1}),
}


@pytest.mark.parametrize("case", REVIEWED)
def test_events_that_need_a_review_wait_90_days_for_one(case: str) -> None:
    event, review, expected = REVIEWED[case]
    reviews = [] if review is None else [{"event_key": "e", "person_key": "p"} | review]
    assert counted("reviews_held", safety_event=[{"event_key": "e"} | event], jc_review=reviews) == expected


def test_an_event_with_two_reviews_is_one_reviewed_event() -> None:
    reviews = [{"event_key": "e", "person_key": person} for person in ("p1", "p2")]
    event = [{"event_key": "e", "harm": "death"}]
    assert counted("reviews_held", safety_event=event, jc_review=reviews) == {(5, "yes"): 1}


def review(person: str, behaviour: str, response: str, event: str = "e") -> Row:
    return {
        "event_key": event,
        "person_key": person,
        "behaviour": behaviour,
        "response": response,
        "review_date": "2024-03-05",
    }


def test_a_response_to_error_or_drift_is_punitive_or_not() -> None:
    reviews = [
        review("p1", "human_error", "discipline"),
        review("p2", "at_risk", "termination"),
        review("p3", "human_error", "report_to_board"),
        review("p4", "human_error", "console"),
        review("p5", "at_risk", "monitoring"),
        review("p6", "reckless", "discipline"),  # neither error nor drift
        review("p7", "undetermined", "discipline"),
    ]
    found = counted("punitive_responses", safety_event=[{"event_key": "e"}], jc_review=reviews)
    assert found == {(3, "yes"): 3, (3, "no"): 2}


def test_a_clinician_counts_in_two_reviews_at_most() -> None:
    events = [{"event_key": f"e{n}"} for n in range(4)]
    reviews = [review("p", "human_error", "discipline", f"e{n}") for n in range(4)]
    assert counted("punitive_responses", safety_event=events, jc_review=reviews) == {(3, "yes"): 2}


def test_a_system_fix_is_any_action_of_the_events_analysis() -> None:
    site: dict[str, list[Row]] = {
        "safety_event": [{"event_key": key} for key in ("fixed", "analysed", "bare")],
        "rca": [{"rca_key": f"r-{key}", "event_key": key} for key in ("fixed", "analysed")],
        "rca_action": [{"rca_key": "r-fixed", "action_no": "1", "strength": "weak"}],
        "jc_review": [
            review("p1", "human_error", "console", "fixed"),
            review("p2", "at_risk", "coach", "analysed"),
            review("p3", "human_error", "console", "bare"),
            review("p4", "reckless", "discipline", "fixed"),
        ],
    }
    # Reviewed on 5 March, looked at 90 days later; the reckless one does not ask for a fix.
    assert counted("system_fixes", **site) == {(6, "yes"): 1, (6, "no"): 2}


def test_actions_count_by_strength_and_an_event_three_times_at_most() -> None:
    actions = [("1", "strong"), ("2", "intermediate"), ("3", "weak"), ("4", "strong")]
    site: dict[str, list[Row]] = {
        "safety_event": [{"event_key": "e"}],
        "rca": [{"rca_key": "r", "event_key": "e"}],
        "rca_action": [{"rca_key": "r", "action_no": number, "strength": strength} for number, strength in actions],
    }
    # All are due on the same day, so the first three by their number count.
    assert counted("action_strength", **site) == {(6, "strong"): 1, (6, "intermediate"): 1, (6, "weak"): 1}


def test_staffing_is_cited_where_any_factor_is_coded() -> None:
    factors = [
        ("ratio", "staffing_ratio"),
        ("load", "workload"),
        ("pace", "time_pressure_productivity"),
        ("tired", "fatigue_hours"),
        ("tired", "training"),
        ("other", "it_usability"),
    ]
    names = ("ratio", "load", "pace", "tired", "other", "uncoded")
    site: dict[str, list[Row]] = {
        "safety_event": [{"event_key": name} | TRIGGER for name in names] + [{"event_key": "no trigger"}],
        "contributing_factor": [{"event_key": key, "factor": factor} for key, factor in factors]
        + [{"event_key": "no trigger", "factor": "workload"}],
    }
    assert counted("staffing_cited", **site) == {(5, "yes"): 4, (5, "no"): 1}


LESSONS: dict[str, tuple[Row | None, str]] = {
    # Recorded on 10 February; 14 days later is the 24th.
    "no debrief": (None, "no"),
    "in time and shared": ({"debrief_date": "2024-02-24", "lesson_shared": True}, "yes"),
    "a day late": ({"debrief_date": "2024-02-25", "lesson_shared": True}, "no"),
    "not shared": ({"lesson_shared": False}, "no"),
    "nobody noted whether it was shared": ({}, "no"),
    "of another event": ({"event_key": "other", "lesson_shared": True}, "no"),
}


@pytest.mark.parametrize("case", LESSONS)
def test_lessons_are_shared_in_a_debrief_within_14_days(case: str) -> None:
    debrief, cell = LESSONS[case]
    debriefs = [] if debrief is None else [{"debrief_key": "d", "event_key": "e"} | debrief]
    site: dict[str, Any] = {"safety_event": [{"event_key": "e"} | TRIGGER], "debrief": debriefs}
    assert counted("lessons_shared", **site) == {(2, cell): 1}


def test_debriefs_count_with_or_without_an_event() -> None:
    debriefs = [
        {"debrief_key": "d1", "event_key": "e"},
        {"debrief_key": "d2", "debrief_date": "2024-07-01"},
        {"debrief_key": "d3", "debrief_date": "2023-07-01"},
    ]
    assert counted("debriefs", safety_event=[{"event_key": "e"}], debrief=debriefs) == {(2, "all"): 1, (7, "all"): 1}


def test_a_shift_is_over_the_line_beyond_its_ratio() -> None:
    shifts = [
        {"shift_date": "2024-01-01"},  # 12 patients, 3 nurses, 4 each: on the line
        {"shift_date": "2024-01-02", "patients": 13.0},
        {"shift_date": "2024-01-03", "rn_count": 0.0},
        {"shift_date": "2024-01-04", "rn_count": 0.0, "patients": 0.0},
        {"shift_date": "2024-01-02", "shift": "day"},
    ]
    units = [{"unit_key": "u1", "unit_type": "icu"}]
    assert counted("shifts", shift_staffing=shifts, unit=units) == {(1, "yes"): 2, (1, "no"): 3}
    assert split("shifts", "shift", shift_staffing=shifts) == {"night": 4, "day": 1}
    assert split("shifts", "unit_type", shift_staffing=shifts, unit=units) == {"icu": 5}
