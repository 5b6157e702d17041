"""Both ends of the pipe alone: what they do when the other side is absent or misbehaves."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import grpc
import pytest
from flwr.app import ConfigRecord, Context, Error, Message, MessageType, RecordDict, UserConfig
from flwr.serverapp import Grid
from flwr.supercore.task_identity import TaskIdentity
from leadline_pipe import pump, relay

from protocols.v1.broker_pb2_grpc import BrokerStub
from tests.flower.servers import Broker, EchoGateway, wait_for

KEYS = {7: "key of site-01", 8: "key of site-02", 9: "key of site-03"}


@pytest.fixture(autouse=True)
def _in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flower's messages know the run of their process."""
    for name in ("_run_id", "_task_id", "_node_id"):
        monkeypatch.setattr(TaskIdentity, name, 1, raising=False)


def content(payload: ConfigRecord) -> RecordDict:
    return RecordDict({"envelope": payload})


def question(payload: bytes) -> Message:
    return Message(content(ConfigRecord({"bytes": payload})), 7, MessageType.QUERY)


def context(address: str) -> Context:
    return Context(run_id=1, node_id=7, node_config={"daemon": address}, state=RecordDict(), run_config={})


def test_relay_returns_what_the_daemon_says(short_folder: Path) -> None:
    gateway = EchoGateway("site-01", short_folder / "g.sock")
    gateway.start()
    reply = relay.exchange(question(b"\x00\xff"), context(gateway.address))
    gateway.stop()
    assert reply.content.config_records["envelope"]["bytes"] == b"site-01\0\x00\xff"


def test_relay_answers_with_an_error_of_its_own_when_the_daemon_is_down(short_folder: Path) -> None:
    reply = relay.exchange(question(b"x"), context(f"unix:{short_folder}/absent.sock"))
    assert reply.error.code == relay.DAEMON_UNAVAILABLE
    assert "did not answer: UNAVAILABLE" in str(reply.error.reason)


@dataclass
class Node:
    node_id: int
    public_key: bytes


class LoopGrid:
    """A grid whose nodes are the test: `online`, and `replies` to what is pushed."""

    def __init__(self) -> None:
        self.online = set(KEYS)
        self.sent: dict[str, Message] = {}
        self.replies: dict[int, RecordDict | Error] = {}
        self.pulled: list[str] = []

    def get_nodes(self) -> Iterable[Node]:
        return [Node(node, KEYS[node].encode()) for node in sorted(self.online)]

    def push_messages(self, messages: Iterable[Message]) -> Iterable[str]:
        ids = [f"message-{message.metadata.dst_node_id}" for message in messages]
        self.sent |= dict(zip(ids, messages, strict=True))
        return ids

    def pull_messages(self, message_ids: Iterable[str]) -> Iterable[Message]:
        self.pulled = list(message_ids)
        for key in self.pulled:
            asked = self.sent[key]
            reply = self.replies.get(asked.metadata.dst_node_id)
            if reply is not None:
                asked.metadata.__dict__["_message_id"] = key
                yield Message(reply, reply_to=asked)


@pytest.fixture
def broker(short_folder: Path) -> Iterator[Broker]:
    made = Broker(f"unix:{short_folder}/b.sock")
    made.start()
    yield made
    made.stop()


def make_pump(grid: LoopGrid, broker: Broker) -> pump.Pump:
    return pump.Pump(cast("Grid", grid), BrokerStub(grpc.insecure_channel(broker.address)), ttl_s=60)


def test_pump_tells_the_broker_who_is_online_by_key(broker: Broker) -> None:
    grid = LoopGrid()
    grid.online = {7, 9}
    make_pump(grid, broker).step()
    assert broker.online == {"key of site-01", "key of site-03"}


def test_pump_never_pulls_for_a_node_that_went_offline(broker: Broker) -> None:
    grid = LoopGrid()
    asked = {node: broker.ask(key, b"?") for node, key in KEYS.items()}
    it = make_pump(grid, broker)
    it.step()
    grid.online.remove(8)
    it.step()
    assert sorted(grid.pulled) == ["message-7", "message-9"]
    grid.online.add(8)
    grid.replies[8] = content(ConfigRecord({"bytes": b"back"}))
    it.step()
    assert broker.answers == {asked[8]: b"back"}


@pytest.mark.parametrize(
    "reply",
    [
        Error(2, "ClientApp raised"),
        RecordDict(),
        content(ConfigRecord({"other": b"x"})),
        content(ConfigRecord({"bytes": "text"})),
        content(ConfigRecord({"bytes": bytes(pump.MAX_PAYLOAD_BYTES + 1)})),
    ],
    ids=["error", "no record", "no bytes", "text", "too large"],
)
def test_a_misbehaving_node_does_not_keep_back_the_others_answers(broker: Broker, reply: RecordDict | Error) -> None:
    grid = LoopGrid()
    grid.replies = {7: reply, 8: content(ConfigRecord({"bytes": b"fine"}))}
    asked = {node: broker.ask(key, b"?") for node, key in KEYS.items()}
    it = make_pump(grid, broker)
    it.step()
    it.step()
    assert broker.answers == {asked[8]: b"fine"}


def run_of(broker_address: str, patience_s: float) -> Context:
    settings: UserConfig = {"broker": broker_address, "poll-s": 0.05, "patience-s": patience_s, "ttl-s": 60.0}
    return Context(run_id=1, node_id=0, node_config={}, state=RecordDict(), run_config=settings)


def test_pump_ends_when_the_broker_stays_away(short_folder: Path) -> None:
    pump.main(cast("Grid", LoopGrid()), run_of(f"unix:{short_folder}/absent.sock", patience_s=0.5))


def test_only_one_pump_works_for_a_broker_and_the_next_may_once_it_ended(broker: Broker) -> None:
    first, second, third = LoopGrid(), LoopGrid(), LoopGrid()
    second.online, third.online = {8}, {9}
    working = threading.Thread(target=pump.main, args=(first, run_of(broker.address, patience_s=0.5)))
    working.start()
    wait_for(lambda: len(broker.online) == 3)
    pump.main(cast("Grid", second), run_of(broker.address, patience_s=0.5))
    assert len(broker.online) == 3
    broker.stop()
    working.join()
    broker.start()
    working = threading.Thread(target=pump.main, args=(third, run_of(broker.address, patience_s=0.5)))
    working.start()
    wait_for(lambda: broker.online == {KEYS[9]})
    broker.stop()
    working.join()
