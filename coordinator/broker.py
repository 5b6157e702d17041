"""The broker: what is due for the sites that are online goes out to the pump, and what they answered comes in.

gRPC on a unix socket, with health and reflection services. Flower's node ids only route; a site is found by its
transport key, and what it says is believed for its signature alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from coordinator.answers import take_payload
from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.outbox import Outbox
from coordinator.store.database import Store
from coordinator.store.schema import Site, SiteState
from protocols.keys import canonical_transport_key
from protocols.v1 import broker_pb2, broker_pb2_grpc

MAX_MESSAGE_BYTES = 8 * 1024 * 1024
MAX_DELIVERY_BYTES = 1024 * 1024
SEEN_STEP = timedelta(minutes=1)  # how exactly it is kept when a site was last online
SERVICE = "leadline.v1.Broker"
WORKERS = 8


class Broker(broker_pb2_grpc.BrokerServicer):
    """Take and Deliver of broker.proto. Whatever it says or does rests in the store: it can be killed at any moment."""

    def __init__(self, store: Store, clock: Clock, config: Config, key: Ed25519PrivateKey) -> None:
        self._store = store
        self._clock = clock
        self._rules = config.rounds
        self._outbox = Outbox(store, clock, config, key)
        self._heard_at: float | None = None

    def heard_at(self) -> float | None:
        """When a pump last called, in seconds of time.monotonic(); None if none did yet."""
        return self._heard_at

    def Take(self, request: broker_pb2.TakeRequest, context: grpc.ServicerContext) -> broker_pb2.TakeReply:  # noqa: N802
        """One delivery per online site to which something is due; handing it out is stored first.

        Sites for which the reply has no room come with the next call.
        """
        self._heard_at = time.monotonic()
        nodes = self._nodes_by_site(request.online)
        reply = broker_pb2.TakeReply()
        for site_id in sorted(nodes.keys() & self._outbox.sites_due()):
            if reply.ByteSize() > MAX_MESSAGE_BYTES - MAX_DELIVERY_BYTES:
                break
            parcel = self._outbox.hand_out(site_id)
            if parcel is not None:
                reply.due.add(delivery_id=parcel.delivery_id, node_id=nodes[site_id], payload=parcel.payload)
        return reply

    def Deliver(self, request: broker_pb2.Delivery, context: grpc.ServicerContext) -> broker_pb2.Ack:  # noqa: N802
        """Take every envelope of a payload (see coordinator.answers); NOT_FOUND for a delivery to no site."""
        self._heard_at = time.monotonic()
        site_id = request.delivery_id.rpartition("/")[0]
        with self._store.reading() as reader:
            if reader.site(site_id) is None:
                context.abort(grpc.StatusCode.NOT_FOUND, "no delivery with this id was handed out")
        take_payload(self._store, self._clock, self._rules, site_id, request.payload)
        return broker_pb2.Ack()

    def _nodes_by_site(self, online: Iterable[broker_pb2.PipeNode]) -> dict[str, int]:
        """Node ids by site id, for the enabled sites among the nodes that are online; that they are is noted."""
        with self._store.reading() as reader:
            sites = {site.transport_key: site for site in reader.sites()}
        found: dict[str, tuple[Site, int]] = {}
        for node in online:
            try:
                site = sites.get(canonical_transport_key(node.transport_key))
            except ValueError:
                continue  # a node that is no site's: the transport may know others
            if site is not None:
                found[site.site_id] = (site, node.node_id)
        self._note_seen(site for site, _ in found.values())
        return {site_id: node_id for site_id, (site, node_id) in found.items() if site.state is SiteState.ENABLED}

    def _note_seen(self, online: Iterable[Site]) -> None:
        before = self._clock.now() - SEEN_STEP
        seen = [site.site_id for site in online if site.last_seen_at is None or site.last_seen_at <= before]
        if seen:
            self._store.note_seen(seen)


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
