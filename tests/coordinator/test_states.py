"""The tables of states, and the page that is drawn from them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from coordinator.rounds.diagram import page
from coordinator.rounds.states import (
    REQUEST_MACHINE,
    ROUND_MACHINE,
    RequestEvent,
    RequestState,
    RoundEvent,
    RoundState,
)


def test_the_page_is_current() -> None:
    written = Path(__file__).parents[2] / "docs" / "rounds.md"
    assert written.read_text(encoding="utf-8") == page(), "run: python -m coordinator.rounds.diagram docs/rounds.md"


def test_every_state_and_event_of_a_round_is_in_the_table() -> None:
    assert {RoundState.OPEN, *ROUND_MACHINE.transitions.values()} == set(RoundState)
    assert {event for _, event in ROUND_MACHINE.transitions} == set(RoundEvent)
    assert ROUND_MACHINE.final_states() == set(RoundState) - {RoundState.OPEN}


def test_every_state_and_event_of_a_request_is_in_the_table() -> None:
    assert set(REQUEST_MACHINE.transitions.values()) == set(RequestState)
    assert {event for _, event in REQUEST_MACHINE.transitions} == set(RequestEvent)
    assert REQUEST_MACHINE.final_states() == {RequestState.ANSWERED, RequestState.REFUSED}


@pytest.mark.parametrize(("state", "event"), [*product(sorted(ROUND_MACHINE.final_states()), RoundEvent)])
def test_nothing_moves_an_ended_round(state: RoundState, event: RoundEvent) -> None:
    with pytest.raises(LookupError):
        ROUND_MACHINE.after(state, event)
