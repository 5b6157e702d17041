"""Disabling, enabling and leaving touch one site; what an operator sees of each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from coordinator.publications.build import publish
from coordinator.rounds.conduct import advance_rounds
from coordinator.rounds.states import RequestState, RoundState
from coordinator.sites.register import (
    ago,
    disable_site,
    dismiss_site,
    enable_site,
    known_site,
    site_status,
)
from coordinator.store.schema import SiteState
from protocols.operator.errors import InputError, RuleError
from protocols.refusals import Code
from tests.coordinator.conftest import YEAR, World


def enable(world: World, site_id: str) -> None:
    enable_site(world.store, world.clock, world.config, world.key, site_id)


def test_disabling_and_enabling_are_audited_once_and_bring_a_fresh_approval(world: World) -> None:
    for _ in range(2):
        assert disable_site(world.store, "site-01").state is SiteState.DISABLED
    world.clock.forward(days=40)
    assert world.take(world.sites[0]) == [], "a disabled site gets no renewal"
    for _ in range(2):
        enable(world, "site-01")
    with world.store.reading() as reader:
        actions = [event.action for event in reader.audit_events() if event.object == "site-01"]
        status = site_status(reader, known_site(reader, "site-01"), world.clock.now())
    assert actions[-3:] == ["site.disable", "site.enable", "site.approve"]
    assert (status.site.approval_serial, status.is_approved, status.acknowledged_serial) == (2, True, 1)
    assert world.pump(world.sites[0]) == 1
    with world.store.reading() as reader:
        assert site_status(reader, known_site(reader, "site-01"), world.clock.now()).acknowledged_serial == 2


def test_a_site_that_is_not_there_is_named(world: World) -> None:
    with pytest.raises(InputError, match="no site nobody"):
        disable_site(world.store, "nobody")
    with pytest.raises(InputError, match="no site nobody"):
        enable(world, "nobody")
    with pytest.raises(InputError, match="no site nobody"):
        dismiss_site(world.store, "nobody")


def test_leaving_is_final_and_holds_up_no_round(world: World) -> None:
    world.enrol("site-06")
    world.open()
    farewell = dismiss_site(world.store, "site-06")
    assert (farewell.site.state, farewell.years) == (SiteState.LEFT, ())
    world.pump(*world.sites[:5])
    assert {r.state for r in advance_rounds(world.store, world.clock)} == {RoundState.COMPLETE}
    with world.store.reading() as reader:
        requests = reader.requests(f"{YEAR}-benchmark-1", "site-06")
    assert {(r.state, r.refusal_code) for r in requests} == {(RequestState.REFUSED, Code.SITE_LEFT.value)}
    for act in (disable_site, dismiss_site):
        with pytest.raises(RuleError, match="left the network for good"):
            act(world.store, "site-06")
    with pytest.raises(RuleError, match="left the network for good"):
        enable(world, "site-06")
    assert world.take(world.sites[5]) == []


def test_what_a_site_released_stays_in_the_figures_after_it_left(finished: World) -> None:
    before = publish(finished.store, finished.config, finished.clock, finished.key).publication
    farewell = dismiss_site(finished.store, "site-03")
    assert farewell.years == (YEAR,)
    after = publish(finished.store, finished.config, finished.clock, finished.key)
    assert not after.is_new
    assert after.publication.rows == before.rows


def test_the_others_go_on_while_one_leaves(world: World) -> None:
    world.enrol("site-06")
    dismiss_site(world.store, "site-01")
    world.open()
    assert world.pump(*world.sites[1:]) == 5
    assert {r.state for r in advance_rounds(world.store, world.clock)} == {RoundState.COMPLETE}


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=30), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(minutes=119), "119 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=12), "12 days ago"),
    ],
)
def test_how_long_ago_is_said_as_people_say_it(world: World, span: timedelta, words: str) -> None:
    now = world.clock.now()
    assert ago(now - span, now) == words
    assert ago(None, now) == "never"


def test_when_a_site_was_last_online_is_kept_to_the_minute(world: World) -> None:
    def seen() -> list[timedelta | None]:
        with world.store.reading() as reader:
            found = [site.last_seen_at for site in reader.sites()]
        return [None if moment is None else world.clock.now() - moment for moment in found]

    assert seen() == [timedelta(0)] * 5
    world.clock.forward(seconds=30)
    world.take(*world.sites[:2])
    assert seen() == [timedelta(seconds=30)] * 5
    world.clock.forward(seconds=31)
    disable_site(world.store, "site-02")
    world.take(*world.sites[:2])
    assert seen() == [timedelta(0)] * 2 + [timedelta(seconds=61)] * 3, "a disabled site is seen too"
    with world.store.reading() as reader:
        assert not any("seen" in event.action for event in reader.audit_events())
