"""A round from its opening to its end, over the real broker, intake and store; the clock is set by hand."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from coordinator.config import Rounds
from coordinator.rounds.asking import resend_at
from coordinator.rounds.conduct import advance_rounds, close_rounds, open_rounds
from coordinator.rounds.states import RequestState, RoundState
from coordinator.rounds.status import round_status, status_text
from coordinator.sites.register import disable_site
from coordinator.store.schema import Request
from protocols.operator.errors import InputError, RuleError
from protocols.refusals import Code
from protocols.statement import key_id, open_statement
from protocols.v1 import broker_pb2
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World

BENCHMARK = f"{YEAR}-benchmark-1"


def requests_in(world: World, delivery: broker_pb2.Delivery) -> list[pb.Request]:
    keys = {key_id(world.pso): world.pso}
    envelopes = pb.Batch.FromString(delivery.payload).envelopes
    return [open_statement(raw, pb.Request, keys).message for raw in envelopes]


def ended(world: World) -> dict[str, RoundState]:
    return {round_.round_id: round_.state for round_ in advance_rounds(world.store, world.clock)}


def stored(world: World, round_id: str = BENCHMARK, site_id: str = "site-01") -> list[Request]:
    with world.store.reading() as reader:
        return list(reader.requests(round_id, site_id))


def test_a_year_is_asked_in_one_batch_and_completes(world: World) -> None:
    opened = world.open()
    assert opened == [f"{YEAR}-benchmark-1", f"{YEAR}-trend-1"]
    deliveries = world.take()
    assert len(deliveries) == 5
    assert [request.quarter for request in requests_in(world, deliveries[0])] == [1, 2, 3, 4] * 2
    for delivery in deliveries:
        world.deliver(delivery.delivery_id, world.site_of(delivery).exchange(delivery.payload, world.pso))
    assert ended(world) == dict.fromkeys(opened, RoundState.COMPLETE)
    with world.store.reading() as reader:
        assert len(reader.releases_of_plan(f"{YEAR}-benchmark")) == 20
    assert world.take() == []


def test_a_quarter_is_asked_only_when_it_has_closed(world: World) -> None:
    world.clock.moment = datetime(YEAR, 6, 30, 23, 59, tzinfo=UTC)
    world.open()
    assert {request.quarter for request in requests_in(world, world.take()[0])} == {1}
    world.clock.moment = datetime(YEAR, 7, 1, 0, 2, tzinfo=UTC)
    assert [request.quarter for request in requests_in(world, world.take()[0])] == [1, 2] * 2
    assert ended(world) == {}
    assert world.pump() == 0, "what was handed out is not handed out again at once"


def test_a_round_of_a_year_that_goes_on_ends_after_the_year(world: World) -> None:
    world.clock.moment = datetime(YEAR, 5, 1, tzinfo=UTC)
    world.open(deadline_s=3600)
    with world.store.reading() as reader:
        assert reader.rounds()[0].deadline == datetime(YEAR + 1, 1, 1, 1, tzinfo=UTC)


def test_what_is_unanswered_is_sent_again_and_the_site_answers_with_the_same_bytes(world: World) -> None:
    world.open()
    lost = world.take(world.sites[0])[0]
    before = world.sites[0].exchange(lost.payload, world.pso)
    assert world.take(world.sites[0]) == []
    world.clock.forward(seconds=world.config.rounds.resend_s + 1)
    again = world.take(world.sites[0])[0]
    assert world.sites[0].exchange(again.payload, world.pso) == before
    world.deliver(again.delivery_id, before)
    world.deliver(lost.delivery_id, before)
    assert {request.state for request in stored(world)} == {RequestState.ANSWERED}
    assert [request.attempts for request in stored(world)] == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("attempts", "low_s", "high_s"), [(1, 0.5, 1), (2, 1, 2), (5, 8, 16), (6, 15, 30), (99, 15, 30)]
)
def test_the_wait_grows_from_1_to_30_s_with_jitter(attempts: int, low_s: float, high_s: float) -> None:
    now, rules, jitter = datetime(2026, 1, 1, tzinfo=UTC), Rounds(), random.Random(1)  # noqa: S311
    waits = [(resend_at(now, attempts, rules, jitter) - now).total_seconds() - rules.resend_s for _ in range(500)]
    assert low_s - 1e-5 <= min(waits) < low_s + 0.1 * high_s
    assert high_s + 1e-5 >= max(waits) > 0.9 * high_s


def test_a_later_quarter_is_never_asked_before_an_earlier_one_that_waits(world: World) -> None:
    site = world.sites[0]
    world.clock.moment = datetime(YEAR, 6, 30, 23, 58, tzinfo=UTC)
    world.open()
    site.refusing = Code.DATA_NOT_READY
    world.pump(site)
    site.refusing = None
    world.clock.moment = datetime(YEAR, 7, 1, 0, 0, tzinfo=UTC)
    assert world.take(site) == [], "Q2 has closed, but Q1 is to be asked again only later"
    world.clock.forward(minutes=10)
    assert [request.quarter for request in requests_in(world, world.take(site)[0])] == [1, 2] * 2


def test_at_the_deadline_a_round_with_enough_complete_sites_closes_short(world: World) -> None:
    world.enrol("site-06")
    world.open(deadline_s=3600)
    world.pump(*world.sites[:5])
    assert ended(world) == {}
    world.clock.forward(seconds=3599)
    assert ended(world) == {}
    world.clock.forward(seconds=1)
    assert set(ended(world).values()) == {RoundState.CLOSED_SHORT}
    with world.store.reading() as reader:
        assert "5 of 6 sites complete" in reader.rounds()[0].reason


def test_at_the_deadline_a_round_with_too_few_complete_sites_fails(world: World) -> None:
    world.open(deadline_s=3600)
    world.pump(*world.sites[:4])
    world.clock.forward(seconds=3600)
    assert set(ended(world).values()) == {RoundState.FAILED}
    assert world.take() == []


def test_a_refusal_for_good_settles_a_request_and_a_round_can_complete_without_that_site(world: World) -> None:
    world.enrol("site-06").refusing = Code.BUDGET_EXHAUSTED
    world.open()
    world.pump()
    assert set(ended(world).values()) == {RoundState.COMPLETE}
    with world.store.reading() as reader:
        text = status_text(round_status(reader))
    assert "site-06  refused  refused  refused  refused  budget_exhausted (because of a test): Ask for less" in text
    assert "5 of 6 sites complete" in text


def test_a_round_that_is_settled_with_too_few_sites_fails(world: World) -> None:
    world.sites[0].refusing = Code.TALLY_NOT_ALLOWED
    world.open()
    world.pump()
    assert set(ended(world).values()) == {RoundState.FAILED}


def test_a_refusal_that_asking_again_can_mend_is_asked_again_later(world: World) -> None:
    site = world.sites[0]
    site.refusing = Code.PAUSED
    world.open()
    world.pump()
    assert [request.refusal_code for request in stored(world)] == ["paused"] * 4
    site.refusing = None
    world.clock.forward(seconds=world.config.rounds.reask_s - 1)
    assert world.pump() == 0
    world.clock.forward(seconds=1)
    assert world.pump() == 1
    assert set(ended(world).values()) == {RoundState.COMPLETE}


def test_asking_again_is_bounded(world: World) -> None:
    world.sites[0].refusing = Code.PAUSED
    rules = world.config.rounds.model_copy(update={"max_reasks": 2})
    world.broker._rules = rules
    world.open()
    for turn in range(3):
        assert {request.state for request in stored(world)} == {RequestState.WAITING}, turn
        world.pump(world.sites[0])
        world.clock.forward(seconds=rules.reask_s)
    assert {request.state for request in stored(world)} == {RequestState.REFUSED}


def test_a_second_round_of_a_year_uses_the_same_plan_and_asks_only_what_is_missing(world: World) -> None:
    world.open(deadline_s=3600)
    world.pump(*world.sites[:4])
    world.clock.forward(seconds=3600)
    assert set(ended(world).values()) == {RoundState.FAILED}
    assert world.open() == [f"{YEAR}-benchmark-2", f"{YEAR}-trend-2"]
    assert [world.site_of(delivery).site_id for delivery in world.take()] == ["site-05"]
    world.clock.forward(seconds=100)
    world.pump()
    assert set(ended(world).values()) == {RoundState.COMPLETE}
    with world.store.reading() as reader:
        assert len(reader.plans()) == 2


def test_a_round_is_opened_once_for_a_year_that_has_begun_and_for_enough_sites(world: World) -> None:
    with pytest.raises(InputError, match="not begun"):
        open_rounds(world.store, world.clock, world.config, world.key, world.clock.now().year + 1)
    world.open()
    with pytest.raises(RuleError, match="is open"):
        world.open()
    close_rounds(world.store)
    disable_site(world.store, "site-01")
    with pytest.raises(RuleError, match="4 sites are enabled"):
        world.open()


def test_closing_by_hand_ends_a_round_as_the_deadline_would(world: World) -> None:
    world.enrol("site-06")
    world.open()
    world.pump(*world.sites[:5])
    assert [round_.state for round_ in close_rounds(world.store, BENCHMARK)] == [RoundState.CLOSED_SHORT]
    assert [round_.state for round_ in close_rounds(world.store)] == [RoundState.CLOSED_SHORT]
    with pytest.raises(InputError):
        close_rounds(world.store)


def test_one_silent_site_does_not_delay_the_others(world: World) -> None:
    world.open()
    world.take(world.sites[0])
    assert world.pump(*world.sites[1:]) == 4
    with world.store.reading() as reader:
        assert reader.progress(BENCHMARK).complete_sites == 4
