"""The broker: what is due for the sites that are online goes out to the pump, and what they answered comes in.

gRPC on a unix socket, with health and reflection services. Flower's node ids only route; a site is found by its
transport key, and what it says is believed for its signature alone.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from coordinator.answers import take_answers
from coordinator.clock import Clock
from coordinator.config import Rounds
from coordinator.rounds.asking import due_requests, resend_at
from coordinator.rounds.states import RoundState
from coordinator.store.audit import Actor, Event
from coordinator.store.database import Store
from coordinator.store.reader import Reader
from coordinator.store.schema import Plan, Request, Site, SiteState
from coordinator.store.writer import Writer
from protocols.keys import canonical_transport_key
from protocols.refusals import Code
from protocols.statement import seal_statement
from protocols.v1 import broker_pb2, broker_pb2_grpc
from protocols.v1 import leadline_pb2 as pb

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_DELIVERY_BYTES = 1024 * 1024
MAX_ENVELOPES = 64  # in one payload, either way; a node takes no more, and a year's two rounds need eight
SERVICE = "leadline.v1.Broker"
WORKERS = 8


class Broker(broker_pb2_grpc.BrokerServicer):
    """Take and Deliver of broker.proto. Whatever it says or does rests in the store: it can be killed at any moment."""

    def __init__(self, store: Store, clock: Clock, rules: Rounds, key: Ed25519PrivateKey) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules
        self._key = key
        self._jitter = random.Random()  # noqa: S311  (spreads resending; nothing secret)
        self._heard_at: float | None = None

    def heard_at(self) -> float | None:
        """When a pump last called, in seconds of time.monotonic(); None if none did yet."""
        return self._heard_at

    def Take(self, request: broker_pb2.TakeRequest, context: grpc.ServicerContext) -> broker_pb2.TakeReply:  # noqa: N802
        """One delivery per online site that has requests due; handing them out is stored first.

        Sites for which the reply has no room come with the next call.
        """
        self._heard_at = time.monotonic()
        nodes = self._nodes_by_site(request.online)
        with self._store.reading() as reader:
            due_sites = reader.sites_due(self._clock.now())
        reply = broker_pb2.TakeReply()
        for site_id in sorted(nodes.keys() & due_sites):
            if reply.ByteSize() > MAX_MESSAGE_BYTES - MAX_DELIVERY_BYTES:
                break
            delivery = self._hand_out(site_id, nodes[site_id])
            if delivery is not None:
                reply.due.append(delivery)
        return reply

    def Deliver(self, request: broker_pb2.Delivery, context: grpc.ServicerContext) -> broker_pb2.Ack:  # noqa: N802
        """Take every envelope of a payload (see coordinator.answers); NOT_FOUND for a delivery to no site."""
        self._heard_at = time.monotonic()
        site_id = request.delivery_id.rpartition("/")[0]
        with self._store.reading() as reader:
            if reader.site(site_id) is None:
                context.abort(grpc.StatusCode.NOT_FOUND, "no delivery with this id was handed out")
        envelopes = self._envelopes(site_id, request.payload)
        take_answers(self._store, self._clock, self._rules, site_id, envelopes)
        return broker_pb2.Ack()

    def _nodes_by_site(self, online: Iterable[broker_pb2.PipeNode]) -> dict[str, int]:
        """Node ids by site id, for the enabled sites among the nodes that are online."""
        with self._store.reading() as reader:
            site_ids = {site.transport_key: site.site_id for site in reader.sites(SiteState.ENABLED)}
        nodes = {}
        for node in online:
            try:
                site_id = site_ids.get(canonical_transport_key(node.transport_key))
            except ValueError:
                continue  # a node that is no site's: the transport may know others
            if site_id is not None:
                nodes[site_id] = node.node_id
        return nodes

    def _due(self, reader: Reader, site_id: str) -> list[tuple[Plan, Request]]:
        now, due = self._clock.now(), []
        for round_ in reader.rounds(RoundState.OPEN):
            plan = reader.plan_by_id(round_.plan_id)
            assert plan is not None  # noqa: S101  (a foreign key)
            requests = reader.requests(round_.round_id, site_id)
            due += [(plan, request) for request in due_requests(requests, now)]
        return due[:MAX_ENVELOPES]

    def _hand_out(self, site_id: str, node_id: int) -> broker_pb2.Delivery | None:
        with self._store.writing() as writer:
            site, due = writer.site(site_id), self._due(writer, site_id)
            if site is None or site.state is SiteState.DISABLED or not due:
                return None
            delivery_id = f"{site_id}/{secrets.token_hex(8)}"
            envelopes = [self._envelope(site, plan, request) for plan, request in due]
            self._mark_sent(writer, delivery_id, [request for _, request in due])
        payload = pb.Batch(envelopes=envelopes).SerializeToString()
        return broker_pb2.Delivery(delivery_id=delivery_id, node_id=node_id, payload=payload)

    def _mark_sent(self, writer: Writer, delivery_id: str, requests: Iterable[Request]) -> None:
        now = self._clock.now()
        due_again: Mapping[str, datetime] = {
            request.request_id: resend_at(now, request.attempts + 1, self._rules, self._jitter) for request in requests
        }
        details = {"requests": ",".join(due_again)}
        writer.mark_sent(due_again, Event(Actor.BROKER, "delivery.hand_out", delivery_id, details))

    def _envelope(self, site: Site, plan: Plan, request: Request) -> bytes:
        message = pb.Request(
            request_id=request.request_id,
            site_id=site.site_id,
            plan=plan.envelope,
            quarter=request.quarter,
            known_head=site.ledger_head,
            known_length=site.ledger_length,
        )
        return seal_statement(message, self._key)

    def _envelopes(self, site_id: str, payload: bytes) -> list[bytes]:
        problem = None
        try:
            envelopes = list(pb.Batch.FromString(payload).envelopes)
        except DecodeError:
            problem = Code.MALFORMED
        else:
            problem = Code.TOO_LARGE if len(envelopes) > MAX_ENVELOPES else None
        if problem is None:
            return envelopes
        with self._store.writing() as writer:
            writer.note(Event(Actor.INTAKE, "payload.refused", site_id, {"code": problem.value}))
        return []


def start_broker(broker: Broker, socket: Path) -> grpc.Server:
    """Serve on a unix socket that only this user can reach; the folder is made with mode 0700."""
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ]
    server = grpc.server(ThreadPoolExecutor(WORKERS, thread_name_prefix="broker"), options=options)
    broker_pb2_grpc.add_BrokerServicer_to_server(broker, server)
    checks = health.HealthServicer()
    checks.set(SERVICE, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    server.add_insecure_port(f"unix:{socket}")
    server.start()
    return server
