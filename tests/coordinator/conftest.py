"""A coordinator in a temporary folder, with tiny sites enrolled and a clock that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from coordinator.broker import Broker
from coordinator.config import Config, load_config
from coordinator.installation import install, pso_key
from coordinator.rounds.conduct import open_rounds
from coordinator.sites import add_site
from coordinator.store.database import Store
from protocols.v1 import broker_pb2
from tests.coordinator.site import TinySite

YEAR = 2024


class NoContext:
    """Stands where gRPC hands in its context; the calls under test must not abort."""

    def abort(self, code: object, details: str) -> None:
        raise AssertionError(f"{code}: {details}")


@dataclass
class SetClock:
    """A clock that stands still until it is set."""

    moment: datetime = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def forward(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class World:
    """A coordinator with its sites; `pump` stands for the whole transport between broker and nodes."""

    folder: Path
    clock: SetClock
    config: Config
    store: Store
    key: Ed25519PrivateKey
    broker: Broker
    sites: list[TinySite]

    @property
    def pso(self) -> Ed25519PublicKey:
        return self.key.public_key()

    def enrol(self, site_id: str) -> TinySite:
        site = TinySite(site_id, now_s=lambda: self.clock.now().timestamp())
        files = site.write_files(self.folder)
        add_site(self.store, self.clock, site_id, (files["key"], files["transport_key"]), files["profile"])
        self.sites.append(site)
        return site

    def open(self, deadline_s: int | None = None) -> list[str]:
        rounds = open_rounds(self.store, self.clock, self.config, self.key, YEAR, deadline_s)
        return [round_.round_id for round_ in rounds]

    def take(self, *online: TinySite) -> list[broker_pb2.Delivery]:
        nodes = [site.node(self.sites.index(site) + 1) for site in online or self.sites]
        reply = self.broker.Take(broker_pb2.TakeRequest(online=nodes), NoContext())  # type: ignore[arg-type]
        return list(reply.due)

    def deliver(self, delivery_id: str, payload: bytes) -> None:
        self.broker.Deliver(
            broker_pb2.Delivery(delivery_id=delivery_id, payload=payload),
            NoContext(),  # type: ignore[arg-type]
        )

    def site_of(self, delivery: broker_pb2.Delivery) -> TinySite:
        return self.sites[delivery.node_id - 1]

    def pump(self, *online: TinySite) -> int:
        """One turn of the transport; returns the number of deliveries."""
        deliveries = self.take(*online)
        for delivery in deliveries:
            self.deliver(delivery.delivery_id, self.site_of(delivery).exchange(delivery.payload, self.pso))
        return len(deliveries)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    clock = SetClock()
    config = load_config(install(tmp_path, clock).config)
    store, key = Store(config.paths.database, clock), pso_key(config)
    made = World(tmp_path, clock, config, store, key, Broker(store, clock, config.rounds, key), [])
    for number in range(1, 6):
        made.enrol(f"site-{number:02d}")
    yield made
    store.close()
