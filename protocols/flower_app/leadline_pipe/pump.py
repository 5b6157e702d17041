"""The coordinator's end of the pipe: moves deliveries from the broker to Flower's nodes and answers back.

It decides nothing: the broker says what is due to whom, resends what stays unanswered and checks every answer.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import grpc
from flwr.app import ConfigRecord, Context, Message, MessageType, RecordDict
from flwr.serverapp import Grid, ServerApp

from protocols.v1 import broker_pb2
from protocols.v1.broker_pb2_grpc import BrokerStub

CALL_S = 10.0
MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_PAYLOAD_BYTES = MAX_MESSAGE_BYTES - 1024  # leaves room for the rest of a Delivery
OPTIONS = [
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_reconnect_backoff_ms", 1000),
]

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """Pump until the broker has not been reached for `patience-s`; end at once where another pump is at work.

    The coordinator starts another pump when it hears none, also while this one is held up by Flower.
    """
    settings = context.run_config
    address = str(settings["broker"])
    with _lock_on(Path(address.removeprefix("unix:")).parent) as is_ours:
        if not is_ours:
            print("another pump is at work", flush=True)
            return
        with grpc.insecure_channel(address, options=OPTIONS) as channel:
            pump = Pump(grid, BrokerStub(channel), ttl_s=float(settings["ttl-s"]))
            _run(pump, float(settings["poll-s"]), float(settings["patience-s"]))


@contextmanager
def _lock_on(folder: Path) -> Iterator[bool]:
    """Try to lock the folder of the broker's socket; the kernel frees it however this process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_ours = True
        except BlockingIOError:
            is_ours = False
        yield is_ours
    finally:
        os.close(descriptor)


def _run(pump: Pump, poll_s: float, patience_s: float) -> None:
    reached_at = time.monotonic()
    while time.monotonic() - reached_at < patience_s:
        try:
            pump.step()
            reached_at = time.monotonic()
        except grpc.RpcError as error:
            print(f"the broker did not answer ({error.code().name})", flush=True)
        time.sleep(poll_s)


class Pump:
    """Knows which messages are under way: Flower's message id, and the delivery that the message carries."""

    def __init__(self, grid: Grid, broker: BrokerStub, ttl_s: float) -> None:
        self._grid = grid
        self._broker = broker
        self._ttl_s = ttl_s
        self._under_way: dict[str, broker_pb2.Delivery] = {}

    def step(self) -> None:
        """Send what is due to the nodes that are online, and hand back what they answered."""
        nodes = {node.node_id: node.public_key.decode() for node in self._grid.get_nodes()}
        online = [broker_pb2.PipeNode(node_id=node, transport_key=key) for node, key in nodes.items()]
        due = self._broker.Take(broker_pb2.TakeRequest(online=online), timeout=CALL_S).due
        self._push([delivery for delivery in due if delivery.node_id in nodes])
        # Pulling for a node that is offline would delete the message that waits for its return.
        self._pull([key for key, delivery in self._under_way.items() if delivery.node_id in nodes])

    def _push(self, deliveries: Sequence[broker_pb2.Delivery]) -> None:
        if not deliveries:
            return
        ids = self._grid.push_messages([self._message(delivery) for delivery in deliveries])
        # Flower returns None for a message that it refused; the broker will resend that delivery.
        self._under_way |= {key: delivery for key, delivery in zip(ids, deliveries, strict=True) if key}

    def _message(self, delivery: broker_pb2.Delivery) -> Message:
        content = RecordDict({"envelope": ConfigRecord({"bytes": delivery.payload})})
        return Message(content, delivery.node_id, MessageType.QUERY, ttl=self._ttl_s)

    def _pull(self, message_ids: Sequence[str]) -> None:
        if not message_ids:
            return
        for reply in self._grid.pull_messages(message_ids):
            asked = self._under_way.pop(reply.metadata.reply_to_message_id, None)
            if asked is None:
                continue
            if reply.has_error():
                print(f"no answer from node {asked.node_id}: {reply.error.reason!r}", flush=True)
            elif (payload := _payload(reply)) is not None:
                self._deliver(asked, payload)

    def _deliver(self, asked: broker_pb2.Delivery, payload: bytes) -> None:
        answer = broker_pb2.Delivery(delivery_id=asked.delivery_id, node_id=asked.node_id, payload=payload)
        try:
            self._broker.Deliver(answer, timeout=CALL_S)
        except grpc.RpcError as error:  # one site's answer must not keep back the others'
            print(f"the broker did not take an answer ({error.code().name})", flush=True)


def _payload(reply: Message) -> bytes | None:
    """The bytes of a reply, or None where a node sent something else: no node can break the pump for the others."""
    record = reply.content.config_records.get("envelope", ConfigRecord())
    payload = record.get("bytes")
    return payload if isinstance(payload, bytes) and len(payload) <= MAX_PAYLOAD_BYTES else None
