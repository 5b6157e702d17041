"""The daemon's door: a real gRPC server on a real unix socket."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from node.gateway import MAX_BATCH, NotAnsweredError, probe, start_gateway
from protocols.refusals import Code
from protocols.statement import open_statement, parse_envelope
from protocols.v1 import leadline_pb2 as pb
from protocols.v1 import leadline_pb2_grpc as services
from tests.node.world import Node, Pso, supported_site


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, supported_site(5))


@pytest.fixture
def channel(node: Node, tmp_path: Path) -> Iterator[grpc.Channel]:
    server = start_gateway(tmp_path / "run" / "node.sock", node.answer)
    with grpc.insecure_channel(f"unix:{tmp_path / 'run' / 'node.sock'}") as channel:
        yield channel
    server.stop(0).wait()


def test_many_envelopes_travel_in_one_message_and_are_answered_in_order(
    channel: grpc.Channel, node: Node, pso: Pso
) -> None:
    asked = [pso.request(pso.plan(), quarter) for quarter in (1, 2)] + [b"rubbish"]
    answers = services.GatewayStub(channel).Exchange(pb.Batch(envelopes=asked)).envelopes
    assert [parse_envelope(raw).kind for raw in answers] == ["release", "release", "refusal"]
    assert node.release(asked[1]).message.quarter == 2


def test_the_relay_needs_to_know_no_message(channel: grpc.Channel, pso: Pso) -> None:
    """Raw bytes in, raw bytes out, as the relay sends them."""
    exchange = channel.unary_unary("/leadline.v1.Gateway/Exchange")
    batch = pb.Batch(envelopes=[pso.request(pso.plan(), 1)])
    assert pb.Batch.FromString(exchange(batch.SerializeToString())).envelopes


def test_too_many_envelopes_are_refused_before_any_is_answered(channel: grpc.Channel, node: Node, pso: Pso) -> None:
    batch = pb.Batch(envelopes=[pso.request(pso.plan(), 1)] * (MAX_BATCH + 1))
    with pytest.raises(grpc.RpcError, match="at most"):
        services.GatewayStub(channel).Exchange(batch)
    assert node.ledger.head().length == 1


def test_bytes_that_are_no_batch_do_not_stop_the_daemon(channel: grpc.Channel, pso: Pso) -> None:
    with pytest.raises(grpc.RpcError):
        channel.unary_unary("/leadline.v1.Gateway/Exchange")(b"\xff\xff\xff", timeout=5)
    assert services.GatewayStub(channel).Exchange(pb.Batch(envelopes=[pso.request(pso.plan(), 1)])).envelopes


def test_health_reflection_and_the_sockets_mode(channel: grpc.Channel, tmp_path: Path) -> None:
    assert probe(tmp_path / "run" / "node.sock")
    assert not probe(tmp_path / "nothing.sock", timeout_s=0.2)
    assert stat.S_IMODE((tmp_path / "run" / "node.sock").stat().st_mode) == 0o660
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    listed = next(iter(stub.ServerReflectionInfo(iter([ask])))).list_services_response.service
    assert "leadline.v1.Gateway" in {service.name for service in listed}


def test_a_refusal_is_signed_by_the_site(channel: grpc.Channel, node: Node, pso: Pso) -> None:
    raw = services.GatewayStub(channel).Exchange(pb.Batch(envelopes=[b"rubbish"])).envelopes[0]
    refusal = open_statement(raw, pb.Refusal, node._keys()).message
    assert refusal.code == Code.MALFORMED


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (NotAnsweredError("the worker died"), grpc.StatusCode.UNAVAILABLE),
        (ValueError("row 12: Jane Roe"), grpc.StatusCode.INTERNAL),
    ],
)
def test_no_text_of_a_fault_is_logged_or_sent(
    fault: Exception, status: grpc.StatusCode, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(_raw: bytes) -> bytes:
        raise fault

    server = start_gateway(tmp_path / "run" / "node.sock", answer)
    with grpc.insecure_channel(f"unix:{tmp_path / 'run' / 'node.sock'}") as channel:
        with pytest.raises(grpc.RpcError) as failure:
            services.GatewayStub(channel).Exchange(pb.Batch(envelopes=[b"anything"]))
        assert probe(tmp_path / "run" / "node.sock"), "it goes on"
    server.stop(0).wait()
    assert failure.value.code() is status
    assert "Jane" not in caplog.text + failure.value.details()
    assert "worker" not in failure.value.details(), "how the node is built is nobody's business outside"
    assert ("ValueError at node/gateway.py:" in caplog.text) == (status is grpc.StatusCode.INTERNAL)
