"""What a site that restored its ledger is told, and that its new ledger is taken from then on."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.answers import take_answers
from coordinator.rounds.conduct import close_rounds
from coordinator.sites.reconciliation import reconcile_site
from coordinator.store.schema import NoticeKind, Plan
from protocols.operator.errors import InputError
from protocols.refusals import Code
from protocols.statement import key_id, open_statement, seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World


def told(world: World, after: int, site_id: str = "site-01") -> pb.Reconciliation:
    made = reconcile_site(world.store, world.clock, world.key, site_id, after)
    return open_statement(made.envelope, pb.Reconciliation, {key_id(world.pso): world.pso}).message


def test_every_release_after_the_entry_is_told_oldest_first_with_its_plan(finished: World) -> None:
    with finished.store.reading() as reader:
        site, releases = reader.site("site-01"), reader.releases_of_site("site-01")
        plans = [reader.plan_by_id(plan_id) for plan_id in (f"{YEAR}-benchmark", f"{YEAR}-trend")]
    assert site is not None
    message = told(finished, releases[3].ledger_length)
    assert list(message.releases) == [release.envelope for release in releases[3:]], "sealed by the entry after it"
    assert list(told(finished, releases[3].ledger_length + 1).releases) == [r.envelope for r in releases[4:]]
    assert list(message.plans) == [plan.envelope for plan in plans if isinstance(plan, Plan)]
    assert (message.known_head, message.known_length) == (site.ledger_head, site.ledger_length)
    assert message.site_id == "site-01"
    assert list(message.unanswered_years) == []
    assert message.made_at_s == int(finished.clock.now().timestamp())
    with finished.store.reading() as reader:
        event = reader.last_audit_event()
    assert event is not None
    assert (event.action, event.object) == ("site.reconcile", "site-01")


def test_a_site_of_which_nothing_more_is_known_is_told_so(finished: World) -> None:
    """Its machine may have seen entries that we have not."""
    message = told(finished, 17)
    assert (list(message.releases), list(message.unanswered_years)) == ([], [])


def test_a_site_that_is_not_there_is_told_nothing(finished: World) -> None:
    with pytest.raises(InputError, match="no site nobody"):
        told(finished, 1, "nobody")


def test_years_whose_slices_may_have_been_drawn_unseen_are_told(world: World) -> None:
    world.open()
    world.take(world.sites[0])
    assert told(world, 1).unanswered_years == [YEAR], "sent, and no answer"
    site = world.sites[1]
    site.refusing = Code.TALLY_NOT_ALLOWED
    world.pump(site)
    assert told(world, 1, "site-02").unanswered_years == [YEAR], "a carrier may have kept a release back"
    assert told(world, 1, "site-03").unanswered_years == [], "nothing was sent"
    close_rounds(world.store)
    assert told(world, 1).unanswered_years == [YEAR], "also after the round"


def test_a_refusal_does_not_hide_that_an_earlier_sending_had_no_answer(world: World) -> None:
    world.open()
    world.take(world.sites[0])
    world.clock.forward(minutes=2)
    world.sites[0].refusing = Code.LEDGER_BEHIND
    world.pump(world.sites[0])
    assert told(world, 1).unanswered_years == [YEAR]


def test_a_release_that_was_not_accepted_was_drawn_all_the_same(world: World) -> None:
    world.open()
    site = world.sites[0]
    (delivery,) = world.take(site)
    payload = pb.Batch.FromString(site.exchange(delivery.payload, world.pso))
    release = pb.Release.FromString(pb.Envelope.FromString(payload.envelopes[3]).body)
    release.tables[0].values.pop()
    payload.envelopes[3] = seal_statement(release, site.key)
    world.deliver(delivery.delivery_id, payload.SerializeToString())
    assert told(world, 10**6).unanswered_years == [YEAR]


def test_a_restored_ledger_is_refused_until_it_goes_on_behind_what_was_lost(world: World) -> None:
    """The node numbers the entry by which it is reconciled after the newest one that we know."""
    world.open()
    site = world.sites[0]
    (delivery,) = world.take(site)
    answers = pb.Batch.FromString(site.exchange(delivery.payload, world.pso)).envelopes
    take_answers(world.store, world.clock, world.config.rounds, "site-01", answers[:4])
    with world.store.reading() as reader:
        plan = reader.plan_by_id(f"{YEAR}-trend")
        known = reader.site("site-01")
    assert plan is not None
    assert known is not None
    message = open_statement(plan.envelope, pb.Plan, {key_id(world.pso): world.pso}).message
    world.clock.forward(hours=1)

    def answer_at(entries: int, quarter: int) -> Code | None:
        site.entries = entries
        raw = seal_statement(site.release(message, plan.digest, quarter), site.key)
        return take_answers(world.store, world.clock, world.config.rounds, "site-01", [raw])[0]

    assert answer_at(1, 1) is Code.LEDGER_REWOUND
    assert length_of(world, "site-01") == known.ledger_length
    assert told(world, 1).known_length == known.ledger_length
    assert answer_at(3, 2) is Code.LEDGER_REWOUND, "told, but it did not take note"
    assert answer_at(known.ledger_length + 1, 3) is None
    assert length_of(world, "site-01") == known.ledger_length + 2
    assert answer_at(5, 4) is Code.LEDGER_REWOUND, "this happens once"


def length_of(world: World, site_id: str) -> int:
    with world.store.reading() as reader:
        site = reader.site(site_id)
    assert site is not None
    return site.ledger_length


def test_acknowledgements_of_a_restored_ledger_are_refused_and_late_ones_taken(world: World) -> None:
    site = world.enrol("site-06")
    (delivery,) = world.take(site)
    (approval,) = pb.Batch.FromString(delivery.payload).envelopes

    def acknowledged_at(entries: int) -> bytes:
        world.clock.forward(minutes=1)
        site.entries = entries
        return site.answer(approval, world.pso)

    late, newer, restored = acknowledged_at(2), acknowledged_at(9), acknowledged_at(5)
    message = pb.Acknowledgement.FromString(pb.Envelope.FromString(newer).body)
    message.ledger_head = site.head(8)
    raws = [newer, restored, seal_statement(message, site.key), late, newer]
    codes = take_answers(world.store, world.clock, world.config.rounds, "site-06", raws)
    assert codes == [None, Code.LEDGER_REWOUND, Code.LEDGER_REWOUND, None, None]
    assert length_of(world, "site-06") == 9


SPOILT: dict[str, tuple[Code, dict[str, object]]] = {
    "digest of nothing that was sent": (Code.NOT_ASKED, {"digest": bytes(32)}),
    "no digest": (Code.WRONG_SHAPE, {"digest": b""}),
    "short head": (Code.WRONG_SHAPE, {"ledger_head": bytes(31)}),
    "no length": (Code.WRONG_SHAPE, {"ledger_length": 0}),
    "long ledger": (Code.WRONG_SHAPE, {"ledger_length": 2**60}),
    "in the future": (Code.WRONG_SHAPE, {"at_s": 2**62}),
    "before time": (Code.WRONG_SHAPE, {"at_s": -(2**62)}),
    "another site's": (Code.WRONG_SITE, {"site_id": "site-02"}),
}


@pytest.mark.parametrize("name", SPOILT)
def test_an_acknowledgement_that_is_wrong_in_one_thing_changes_nothing(world: World, name: str) -> None:
    site = world.enrol("site-06")
    (delivery,) = world.take(site)
    (approval,) = pb.Batch.FromString(delivery.payload).envelopes
    code, changes = SPOILT[name]
    message = pb.Acknowledgement.FromString(pb.Envelope.FromString(site.answer(approval, world.pso)).body)
    for field, value in changes.items():
        setattr(message, field, value)
    raw = seal_statement(message, site.key)
    assert take_answers(world.store, world.clock, world.config.rounds, "site-06", [raw]) == [code]
    with world.store.reading() as reader:
        assert reader.acknowledged("site-06", NoticeKind.APPROVAL) == 0


def test_a_stranger_cannot_acknowledge(world: World) -> None:
    site = world.enrol("site-06")
    (delivery,) = world.take(site)
    site.key = Ed25519PrivateKey.generate()
    world.deliver(delivery.delivery_id, site.exchange(delivery.payload, world.pso))
    with world.store.reading() as reader:
        event = reader.last_audit_event()
    assert event is not None
    assert event.details["code"] == Code.UNKNOWN_KEY.value
