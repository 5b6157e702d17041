from __future__ import annotations

import pytest

from node.measures.cases import answerable, tables_behind
from node.tables.schema import TABLES
from protocols.catalogue.model import Tally
from tests.node.measures.counted import CATALOGUE

ALL = frozenset(TABLES)
TABLES_OF_TALLIES = {
    "reported_events": {"safety_event"},
    "serious_events": {"safety_event"},
    "trigger_offers": {"safety_event", "support_activation"},
    "fixes_after_support": {"safety_event", "support_activation", "support_encounter", "rca", "rca_action"},
    "exposed": {"safety_event", "event_involvement"},
    "repeat_exposure": {"safety_event", "event_involvement"},
    "reviews_held": {"safety_event", "jc_review"},
    "responses": {"safety_event", "jc_review"},
    "punitive_responses": {"safety_event", "jc_review"},
    "system_fixes": {"safety_event", "jc_review", "rca", "rca_action"},
    "rca_strength": {"safety_event", "rca", "rca_action"},
    "actions_on_time": {"safety_event", "rca", "rca_action"},
    "action_strength": {"safety_event", "rca", "rca_action"},
    "staffing_cited": {"safety_event", "contributing_factor"},
    "lessons_shared": {"safety_event", "debrief"},
    "debriefs": {"debrief"},
    "activations": {"support_activation"},
    "activation_reasons": {"support_activation"},
    "supported": {"support_encounter"},
    "needs_met": {"support_encounter"},
    "reinforced_care": {"support_encounter"},
    "contact_time": {"support_episode"},
    "recovery": {"support_episode"},
    "trajectories": {"support_episode"},
    "departures": {"support_episode"},
    "open_days": {"support_episode"},
    "episode_path": {"support_episode", "support_encounter"},
    "shifts": {"shift_staffing"},
    **{t.id: {"survey_wave", "survey_response"} for t in CATALOGUE.tallies if t.view == "answers"},
}


def test_every_tally_says_which_exports_it_rests_on() -> None:
    assert {tally.id: set(tables_behind(tally)) for tally in CATALOGUE.tallies} == TABLES_OF_TALLIES


@pytest.mark.parametrize("tally", CATALOGUE.tallies, ids=lambda tally: tally.id)
def test_a_site_that_lacks_an_export_does_not_answer_as_nobody(tally: Tally) -> None:
    needed = tables_behind(tally)
    assert answerable(tally, ALL)
    assert answerable(tally, needed)
    derived = {"support_episode"} if tally.id in ("contact_time", "episode_path") else set()
    for table in needed:
        assert answerable(tally, ALL - {table}) == (table in derived), table


@pytest.mark.parametrize("tally", ["recovery", "trajectories", "departures", "open_days"])
def test_how_an_episode_ended_is_not_derived_from_encounters(tally: str) -> None:
    """Derived episodes have nobody who recovered or left: to count them would say that nobody did."""
    assert not answerable(CATALOGUE.tally(tally), ALL - {"support_episode"})
    assert answerable(CATALOGUE.tally(tally), frozenset({"support_episode"}))
