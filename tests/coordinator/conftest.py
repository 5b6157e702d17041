"""A coordinator in a temporary folder, with tiny sites enrolled and a clock that tests set."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from coordinator.broker import Broker
from coordinator.config import Config, load_config
from coordinator.installation import install, pso_key
from coordinator.rounds.conduct import advance_rounds, open_rounds
from coordinator.sites.enrolment import Approved, Terms, approve, read_enrolment
from coordinator.store.database import Store
from protocols.statement import parse_envelope
from protocols.v1 import broker_pb2
from protocols.v1 import leadline_pb2 as pb
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


def request_envelopes(delivery: broker_pb2.Delivery) -> list[bytes]:
    """The requests among what a delivery holds."""
    envelopes = pb.Batch.FromString(delivery.payload).envelopes
    return [raw for raw in envelopes if parse_envelope(raw).kind == "request"]


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
        self.approve(site)
        self.sites.append(site)
        return site

    def approve(self, site: TinySite, new_keys: bool = False, is_stolen: bool = False) -> Approved:
        """What `sites approve` does once the fingerprint was compared."""
        file, read_out = site.write_enrolment(self.folder)
        terms = Terms(read_out, new_keys, is_stolen)
        return approve(self.store, self.clock, self.config, self.key, read_enrolment(file), terms)

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

    def copied(self, folder: Path) -> World:
        """The same coordinator in another folder, with the same sites as they stand."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        clock = SetClock(self.clock.moment)
        made = opened(folder, clock)
        made.sites = [
            replace(site, sealed=dict(site.sealed), received=[], now_s=lambda: clock.now().timestamp())
            for site in self.sites
        ]
        return made


def opened(folder: Path, clock: SetClock) -> World:
    path = install(folder, clock).config
    path.write_text(path.read_text().replace('superlink = ""', 'superlink = "pso.example.org:443"'))
    config = load_config(path)
    store, key = Store(config.paths.database, clock), pso_key(config)
    return World(folder, clock, config, store, key, Broker(store, clock, config, key), [])


@pytest.fixture(scope="session")
def enrolled(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Five sites that have their approvals, and nothing asked yet; only to be copied."""
    made = opened(tmp_path_factory.mktemp("enrolled"), SetClock())
    for number in range(1, 6):
        made.enrol(f"site-{number:02d}")
    made.pump()
    made.store.close()
    return made


@pytest.fixture(scope="session")
def answered(enrolled: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Eight sites and two complete rounds; only to be copied."""
    made = enrolled.copied(tmp_path_factory.mktemp("answered"))
    for number in (6, 7, 8):
        made.enrol(f"site-{number:02d}")
    made.open()
    made.pump()
    advance_rounds(made.store, made.clock)
    made.store.close()
    return made


@pytest.fixture
def world(enrolled: World, tmp_path: Path) -> Iterator[World]:
    """A coordinator with five enrolled sites."""
    made = enrolled.copied(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def finished(answered: World, tmp_path: Path) -> Iterator[World]:
    """A coordinator with eight sites that answered both rounds of the year."""
    made = answered.copied(tmp_path)
    yield made
    made.store.close()
