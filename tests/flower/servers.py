"""Real gRPC servers on unix sockets: an echoing gateway and a broker with the duties of the coordinator's."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from protocols.v1 import broker_pb2
from protocols.v1.broker_pb2_grpc import BrokerServicer, add_BrokerServicer_to_server

OPTIONS = [("grpc.max_send_message_length", 8 << 20), ("grpc.max_receive_message_length", 8 << 20)]
RESEND_S = 30.0  # a round trip takes about 5 s on two cores, several times that on busy ones


def wait_for(condition: Callable[[], bool], timeout_s: float = 120) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


class EchoGateway:
    """Answers bytes with the site's name, a NUL and the same bytes; counts its calls."""

    def __init__(self, site: str, socket: Path) -> None:
        self.address = f"unix:{socket}"
        self.calls = 0
        self.is_failing = False
        self._site = site
        self._server: grpc.Server | None = None

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(2), options=OPTIONS)
        handler = grpc.unary_unary_rpc_method_handler(self._exchange)
        service = grpc.method_handlers_generic_handler("leadline.v1.Gateway", {"Exchange": handler})
        self._server.add_generic_rpc_handlers((service,))
        self._server.add_insecure_port(self.address)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(0).wait()

    def _exchange(self, payload: bytes, context: grpc.ServicerContext) -> bytes:
        self.calls += 1
        if self.is_failing:
            context.abort(grpc.StatusCode.INTERNAL, "the ledger is locked")
        return self._site.encode() + b"\0" + payload


@dataclass
class Asked:
    transport_key: str
    payload: bytes
    sent_at: float = -RESEND_S


@dataclass
class Broker(BrokerServicer):
    """Hands each question out once per resend interval to the node with its key, and keeps the answers."""

    address: str
    answers: dict[str, bytes] = field(default_factory=dict)
    heard_at: float | None = None
    online: frozenset[str] = frozenset()
    _open: dict[str, Asked] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _server: grpc.Server | None = None

    def start(self) -> None:
        self._server = grpc.server(ThreadPoolExecutor(2), options=OPTIONS)
        add_BrokerServicer_to_server(self, self._server)
        self._server.add_insecure_port(self.address)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(0).wait()

    def ask(self, transport_key: str, payload: bytes) -> str:
        delivery_id = uuid.uuid4().hex
        with self._lock:
            self._open[delivery_id] = Asked(transport_key, payload)
        return delivery_id

    def resend(self) -> None:
        """Let the resend interval of all open questions be over."""
        with self._lock:
            for asked in self._open.values():
                asked.sent_at = -RESEND_S

    def Take(  # noqa: N802
        self, request: broker_pb2.TakeRequest, context: grpc.ServicerContext
    ) -> broker_pb2.TakeReply:
        now = time.monotonic()
        nodes = {node.transport_key: node.node_id for node in request.online}
        due = []
        with self._lock:
            self.heard_at, self.online = now, frozenset(nodes)
            for delivery_id, asked in self._open.items():
                if asked.transport_key in nodes and now - asked.sent_at >= RESEND_S:
                    asked.sent_at = now
                    node = nodes[asked.transport_key]
                    due.append(broker_pb2.Delivery(delivery_id=delivery_id, node_id=node, payload=asked.payload))
        return broker_pb2.TakeReply(due=due)

    def Deliver(self, request: broker_pb2.Delivery, context: grpc.ServicerContext) -> broker_pb2.Ack:  # noqa: N802
        with self._lock:
            self._open.pop(request.delivery_id, None)
            self.answers[request.delivery_id] = request.payload
        return broker_pb2.Ack()
