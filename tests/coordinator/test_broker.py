"""The broker over real gRPC on a unix socket: health, reflection, routing by transport key, and repetition."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from coordinator.broker import SERVICE, start_broker
from coordinator.outbox import MAX_ENVELOPES
from coordinator.rounds.conduct import open_rounds
from coordinator.rounds.states import RequestState
from coordinator.sites.register import disable_site
from protocols.keys import canonical_transport_key
from protocols.v1 import broker_pb2
from protocols.v1 import leadline_pb2 as pb
from protocols.v1.broker_pb2_grpc import BrokerStub
from tests.coordinator.conftest import YEAR, World
from tests.coordinator.site import TinySite

CALL_S = 10.0


@pytest.fixture
def channel(world: World) -> Iterator[grpc.Channel]:
    socket = world.config.paths.broker_socket
    server = start_broker(world.broker, socket)
    with grpc.insecure_channel(f"unix:{socket}") as opened:
        yield opened
    server.stop(None).wait()


@pytest.fixture
def broker(channel: grpc.Channel) -> BrokerStub:
    return BrokerStub(channel)


def take(broker: BrokerStub, *nodes: broker_pb2.PipeNode) -> list[broker_pb2.Delivery]:
    return list(broker.Take(broker_pb2.TakeRequest(online=nodes), timeout=CALL_S).due)


def answer(broker: BrokerStub, world: World, delivery: broker_pb2.Delivery) -> None:
    payload = world.site_of(delivery).exchange(delivery.payload, world.pso)
    broker.Deliver(broker_pb2.Delivery(delivery_id=delivery.delivery_id, payload=payload), timeout=CALL_S)


def answered(world: World, site_id: str) -> bool:
    with world.store.reading() as reader:
        requests = reader.requests(f"{YEAR}-benchmark-1", site_id)
    return {request.state for request in requests} == {RequestState.ANSWERED}


def test_health_and_reflection(channel: grpc.Channel) -> None:
    reply = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=CALL_S)
    assert reply.status == health_pb2.HealthCheckResponse.SERVING
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    listed = next(iter(stub.ServerReflectionInfo(iter([ask]), timeout=CALL_S)))
    assert SERVICE in [service.name for service in listed.list_services_response.service]


def test_nobody_else_reaches_the_socket(world: World, broker: BrokerStub) -> None:
    mode = stat.S_IMODE(world.config.paths.broker_socket.parent.stat().st_mode)
    assert mode == 0o700


def test_a_site_is_found_by_its_key_in_either_spelling(world: World, broker: BrokerStub) -> None:
    world.open()
    first, second = world.sites[:2]
    due = take(
        broker,
        broker_pb2.PipeNode(node_id=1, transport_key=first.transport_pem()),
        broker_pb2.PipeNode(node_id=2, transport_key=second.transport_openssh()),
    )
    assert [delivery.node_id for delivery in due] == [1, 2]
    for delivery in due:
        answer(broker, world, delivery)
    assert answered(world, "site-01")
    assert answered(world, "site-02")


def test_strange_nodes_get_nothing_and_do_no_harm(world: World, broker: BrokerStub) -> None:
    world.open()
    stranger = TinySite("stranger", transport=ec.generate_private_key(ec.SECP384R1()))
    nodes = [
        stranger.node(7),
        broker_pb2.PipeNode(node_id=8, transport_key=""),
        broker_pb2.PipeNode(node_id=9, transport_key="-----BEGIN NOTHING-----"),
        broker_pb2.PipeNode(node_id=10, transport_key="ssh-dss AAAA"),
        world.sites[0].node(1),
    ]
    assert [delivery.node_id for delivery in take(broker, *nodes)] == [1]


def test_a_disabled_site_is_not_asked(world: World, broker: BrokerStub) -> None:
    world.open()
    disable_site(world.store, "site-01")
    assert take(broker, world.sites[0].node(1)) == []


def test_a_delivery_is_handed_out_once_also_if_pumps_ask_together(world: World, broker: BrokerStub) -> None:
    world.open()
    nodes = [site.node(number) for number, site in enumerate(world.sites, 1)]
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _: take(broker, *nodes), range(6)))
    assert sorted(delivery.node_id for due in replies for delivery in due) == [1, 2, 3, 4, 5]


def test_delivering_twice_is_safe_and_a_delivery_to_nobody_is_refused(world: World, broker: BrokerStub) -> None:
    world.open()
    (delivery,) = take(broker, world.sites[0].node(1))
    answer(broker, world, delivery)
    answer(broker, world, delivery)
    assert answered(world, "site-01")
    for wrong in ("", "nobody/1", "nobody"):
        with pytest.raises(grpc.RpcError) as caught:
            broker.Deliver(broker_pb2.Delivery(delivery_id=wrong), timeout=CALL_S)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_payload_that_is_no_batch_or_too_long_is_noted_and_dropped(world: World, broker: BrokerStub) -> None:
    world.open()
    (delivery,) = take(broker, world.sites[0].node(1))
    flood = pb.Batch(envelopes=[b"x"] * (MAX_ENVELOPES + 1)).SerializeToString()
    for payload in (b"\xff\xff", flood):
        broker.Deliver(broker_pb2.Delivery(delivery_id=delivery.delivery_id, payload=payload), timeout=CALL_S)
    with world.store.reading() as reader:
        codes = [e.details["code"] for e in reader.audit_events() if e.action == "payload.refused"]
    assert codes == ["malformed", "too_large"]
    answer(broker, world, delivery)
    assert answered(world, "site-01")


def test_one_bad_envelope_does_not_keep_back_the_others(world: World, broker: BrokerStub) -> None:
    world.open()
    (delivery,) = take(broker, world.sites[0].node(1))
    good = pb.Batch.FromString(world.sites[0].exchange(delivery.payload, world.pso)).envelopes
    payload = pb.Batch(envelopes=[b"junk", *good, b""]).SerializeToString()
    broker.Deliver(broker_pb2.Delivery(delivery_id=delivery.delivery_id, payload=payload), timeout=CALL_S)
    assert answered(world, "site-01")


def test_a_batch_holds_no_more_than_a_node_takes(world: World, broker: BrokerStub) -> None:
    for year in range(YEAR - 8, YEAR + 1):
        open_rounds(world.store, world.clock, world.config, world.key, year)
    sizes = []
    for _ in range(2):
        (delivery,) = take(broker, world.sites[0].node(1))
        sizes.append(len(pb.Batch.FromString(delivery.payload).envelopes))
        answer(broker, world, delivery)
    assert sizes == [MAX_ENVELOPES, 9 * 8 - MAX_ENVELOPES]


def test_requests_carry_the_newest_ledger_head_that_was_seen(world: World, broker: BrokerStub) -> None:
    world.open()
    (delivery,) = take(broker, world.sites[0].node(1))
    answer(broker, world, delivery)
    with world.store.reading() as reader:
        site = reader.site("site-01")
        releases = reader.releases_of_site("site-01")
    assert site is not None
    assert site.ledger_length == max(release.ledger_length for release in releases) == 16
    assert site.ledger_head == releases[-1].ledger_head


def test_heard_at_moves_with_every_call(world: World, broker: BrokerStub) -> None:
    assert world.broker.heard_at() is None
    take(broker)
    first = world.broker.heard_at()
    take(broker)
    second = world.broker.heard_at()
    assert first is not None
    assert second is not None
    assert second > first


def test_keys_in_pem_and_openssh_form_are_one_key() -> None:
    site = TinySite("a-site")
    pem = canonical_transport_key(site.transport_pem())
    assert canonical_transport_key(site.transport_openssh()) == pem
    assert canonical_transport_key(f"\n{site.transport_pem()}\n\n") == pem
    assert canonical_transport_key(TinySite("b-site").transport_pem()) != pem
