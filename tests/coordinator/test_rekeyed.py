"""What a retired key is still good for: a slice that was sealed before the change, in a round that was open then."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.answers import take_answers
from coordinator.plans import read_plan
from coordinator.rounds.conduct import close_rounds
from protocols.refusals import Code
from protocols.statement import seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World
from tests.coordinator.site import TinySite

PLAN = f"{YEAR}-benchmark"


@dataclass
class Change:
    """A site that was asked, sealed its answers, lost them on the way, and has exchanged its signing key since."""

    world: World
    site: TinySite
    old: Ed25519PrivateKey
    sealed: list[bytes]

    def take(self, *raws: bytes) -> list[Code | None]:
        return take_answers(self.world.store, self.world.clock, self.world.config.rounds, "site-01", raws)

    def release(self, quarter: int) -> pb.Release:
        with self.world.store.reading() as reader:
            plan = reader.plan_by_id(PLAN)
        assert plan is not None
        return self.site.release(read_plan(plan), plan.digest, quarter)


def changed(world: World, is_stolen: bool = False) -> Change:
    world.open()
    site = world.sites[0]
    (delivery,) = world.take(site)
    sealed = list(pb.Batch.FromString(site.exchange(delivery.payload, world.pso)).envelopes)
    world.clock.forward(hours=1)
    old, site.key = site.key, Ed25519PrivateKey.generate()
    world.approve(site, new_keys=True, is_stolen=is_stolen)
    return Change(world, site, old, sealed)


def test_a_slice_that_was_sealed_before_is_taken_in_its_envelope_of_that_time(world: World) -> None:
    change = changed(world)
    assert change.take(*change.sealed) == [None] * 8
    assert change.take(*change.sealed) == [None] * 8
    with world.store.reading() as reader:
        assert len(reader.releases_of_site("site-01")) == 8


def test_the_whole_round_goes_on_over_the_change(world: World) -> None:
    change = changed(world)
    world.clock.forward(minutes=2)
    assert world.pump(change.site) == 1
    with world.store.reading() as reader:
        assert {release.envelope for release in reader.releases_of_site("site-01")} == set(change.sealed)


def test_what_the_old_key_signs_after_the_change_is_refused(world: World) -> None:
    change = changed(world)
    world.clock.forward(minutes=1)
    assert change.take(seal_statement(change.release(1), change.old)) == [Code.UNKNOWN_KEY]
    assert change.take(seal_statement(change.release(1), change.site.key)) == [None]


@pytest.mark.parametrize("kind", ["refusal", "acknowledgement"])
def test_the_old_key_signs_nothing_but_releases(world: World, kind: str) -> None:
    change = changed(world)
    with world.store.reading() as reader:
        request = reader.requests(f"{PLAN}-1", "site-01")[0]
    messages = {
        "refusal": pb.Refusal(request_id=request.request_id, site_id="site-01", quarter=1, code="budget_exhausted"),
        "acknowledgement": pb.Acknowledgement(site_id="site-01", digest=bytes(32)),
    }
    assert change.take(seal_statement(messages[kind], change.old)) == [Code.UNKNOWN_KEY]


def test_a_stolen_key_is_good_for_nothing(world: World) -> None:
    change = changed(world, is_stolen=True)
    assert change.take(*change.sealed) == [Code.UNKNOWN_KEY] * 8
    with world.store.reading() as reader:
        assert reader.releases_of_site("site-01") == []


def test_in_a_round_that_opens_later_the_old_key_is_good_for_nothing(world: World) -> None:
    """Whoever holds an old key can say that something was sealed before; so this ends with the rounds of that time."""
    change = changed(world)
    close_rounds(world.store)
    world.clock.forward(minutes=1)
    world.open()
    world.take(change.site)
    assert change.take(*change.sealed) == [Code.UNKNOWN_KEY] * 8


def test_another_site_gains_nothing_from_a_retired_key(world: World) -> None:
    change = changed(world)
    forged = change.release(1)
    forged.site_id, forged.sealed_at_s = "site-02", forged.sealed_at_s - 7200
    world.take(world.sites[1])
    raw = seal_statement(forged, change.old)
    assert take_answers(world.store, world.clock, world.config.rounds, "site-02", [raw]) == [Code.WRONG_SITE]
    assert change.take(raw) == [Code.WRONG_SITE]
