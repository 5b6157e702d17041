"""What goes out without being asked: approvals that are renewed, and the newest publication, until acknowledged."""

from __future__ import annotations

import gzip
import logging
from datetime import timedelta

import pytest

from coordinator import outbox
from coordinator.broker import Broker
from coordinator.sites.register import disable_site
from coordinator.store.audit import Actor, Event
from coordinator.store.schema import NoticeKind, Publication, Site
from protocols.enrolment import open_approval
from protocols.publication.document import check_signature
from protocols.statement import key_id, open_statement, parse_envelope
from protocols.v1 import broker_pb2
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import World
from tests.coordinator.test_publications import publish_now


def kinds(delivery: broker_pb2.Delivery) -> list[str]:
    return [parse_envelope(raw).kind for raw in pb.Batch.FromString(delivery.payload).envelopes]


def site_of(world: World, site_id: str = "site-01") -> Site:
    with world.store.reading() as reader:
        site = reader.site(site_id)
    assert site is not None
    return site


def acknowledged(world: World, kind: NoticeKind, site_id: str = "site-01") -> int:
    with world.store.reading() as reader:
        return reader.acknowledged(site_id, kind)


def publish(world: World, number: int, document: bytes = b'{"a":1}') -> None:
    row = Publication(
        number=number,
        document=document,
        csv=b"",
        parquet=b"",
        signature=bytes(64),
        key_id="k",
        content_digest=bytes([number]),
        members={},
        created_at=world.clock.now(),
    )
    with world.store.writing() as writer:
        writer.add_publication(row, Event(Actor.OPERATOR, "publication.add", str(number)))


def test_the_first_approval_goes_out_until_it_is_acknowledged(world: World) -> None:
    site = world.enrol("site-06")
    (delivery,) = world.take(site)
    assert kinds(delivery) == ["approval"]
    assert world.take(site) == []
    assert acknowledged(world, NoticeKind.APPROVAL, "site-06") == 0
    world.clock.forward(seconds=91)
    assert world.pump(site) == 1
    assert acknowledged(world, NoticeKind.APPROVAL, "site-06") == 1
    world.clock.forward(days=1)
    assert world.take(site) == []


def test_an_approval_is_renewed_after_two_thirds_of_its_life_and_never_before(world: World) -> None:
    site = world.sites[0]
    world.clock.forward(days=19, hours=23)
    assert world.take(site) == []
    world.clock.forward(hours=2)
    (delivery,) = world.take(site)
    (raw,) = pb.Batch.FromString(delivery.payload).envelopes
    message = open_approval(raw, {key_id(world.pso): world.pso}).message
    assert message.serial == 2
    assert message.valid_until_s == int((world.clock.now() + timedelta(days=30)).timestamp())
    assert site_of(world).approval == raw
    world.clock.forward(minutes=2)
    (again,) = world.take(site)
    assert list(pb.Batch.FromString(again.payload).envelopes) == [raw], "not another one while it is not acknowledged"
    world.deliver(again.delivery_id, site.exchange(again.payload, world.pso))
    assert acknowledged(world, NoticeKind.APPROVAL) == 2


def test_a_site_that_was_away_for_months_finds_one_approval_that_holds(world: World) -> None:
    world.clock.forward(days=200)
    (delivery,) = world.take(world.sites[0])
    assert kinds(delivery) == ["approval"]
    assert site_of(world).approval_until == world.clock.now() + timedelta(days=30)


def test_with_the_approval_come_the_requests_and_none_waits_for_the_other(world: World) -> None:
    world.open()
    world.clock.forward(days=21)
    site = world.sites[0]
    (delivery,) = world.take(site)
    assert kinds(delivery) == ["approval"] + ["request"] * 8, "the approval first"
    answers = pb.Batch.FromString(site.exchange(delivery.payload, world.pso)).envelopes
    world.deliver(delivery.delivery_id, pb.Batch(envelopes=answers[1:]).SerializeToString())
    with world.store.reading() as reader:
        assert len(reader.releases_of_site("site-01")) == 8
    assert acknowledged(world, NoticeKind.APPROVAL) == 1
    world.clock.forward(minutes=2)
    assert kinds(world.take(site)[0]) == ["approval"]
    world.deliver(delivery.delivery_id, pb.Batch(envelopes=answers[:1]).SerializeToString())
    assert acknowledged(world, NoticeKind.APPROVAL) == 2, "late, and taken"


def test_a_configuration_that_cannot_renew_holds_up_no_request(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.open()
    world.clock.forward(days=21)
    sites = world.config.sites.model_copy(update={"superlink": ""})
    config = world.config.model_copy(update={"sites": sites})
    world.broker = Broker(world.store, world.clock, config, world.key)
    (delivery,) = world.take(world.sites[0])
    assert kinds(delivery) == ["request"] * 8
    assert "cannot be renewed: sites.superlink" in caplog.text


def test_the_newest_publication_goes_to_every_enabled_site_until_acknowledged(world: World) -> None:
    publish(world, 1)
    publish(world, 2, b'{"b":2}')
    disable_site(world.store, "site-05")
    first, *others = world.take()
    assert [d.node_id for d in (first, *others)] == [1, 2, 3, 4]
    (raw,) = pb.Batch.FromString(first.payload).envelopes
    message = open_statement(raw, pb.Published, {key_id(world.pso): world.pso}).message
    assert (message.number, gzip.decompress(message.document)) == (2, b'{"b":2}')
    assert others[0].payload == first.payload, "the same bytes for everybody"
    world.deliver(first.delivery_id, world.sites[0].exchange(first.payload, world.pso))
    assert acknowledged(world, NoticeKind.PUBLICATION) == 2
    world.clock.forward(minutes=2)
    assert [d.node_id for d in world.take()] == [2, 3, 4]
    publish(world, 3, b'{"c":3}')
    world.clock.forward(minutes=2)
    for delivery in world.take():
        world.deliver(delivery.delivery_id, world.site_of(delivery).exchange(delivery.payload, world.pso))
    assert acknowledged(world, NoticeKind.PUBLICATION, "site-02") == 3, "the older one is not sent any more"


def test_a_publication_is_the_same_bytes_after_a_restart(world: World) -> None:
    publish(world, 1)
    before = world.take(world.sites[0])[0].payload
    world.broker = Broker(world.store, world.clock, world.config, world.key)
    world.clock.forward(minutes=2)
    assert world.take(world.sites[0])[0].payload == before


def test_a_publication_that_is_too_large_is_logged_and_not_sent(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "MAX_PUBLICATION_BYTES", 10)
    publish(world, 1)
    with caplog.at_level(logging.ERROR):
        assert world.take() == []
        assert world.take() == []
    assert caplog.text.count("publication 1 has") == 1


def test_a_real_publication_arrives_with_a_signature_that_fits(finished: World) -> None:
    with finished.store.reading() as reader:
        assert reader.newest_publication() == 0
    stored = publish_now(finished).stored
    finished.pump()
    (kind, body), *_ = finished.sites[0].received
    message = pb.Published.FromString(body)
    assert kind == "publication"
    check_signature(gzip.decompress(message.document), message.signature, finished.pso)
    assert gzip.decompress(message.document) == stored.document


def test_what_is_not_acknowledged_is_sent_again_after_the_wait_of_a_request(world: World) -> None:
    publish(world, 1)
    for sending in range(1, 5):
        assert len(world.take(world.sites[0])) == 1
        with world.store.reading() as reader:
            notice = reader.notice("site-01", NoticeKind.PUBLICATION, 1)
        assert notice is not None
        assert notice.attempts == sending
        assert timedelta(seconds=60) < notice.due_at - world.clock.now() <= timedelta(seconds=90)
        world.clock.moment = notice.due_at
