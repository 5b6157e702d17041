"""A federation in one process: real nodes, a real coordinator, a clock that is set, and a transport made of operations.

Only the pipe is replaced. A history is a list of operations; after it, `settle` lets everything that is still due
arrive, and `check_invariants` says what must hold whatever happened on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from coordinator.broker import Broker
from coordinator.config import Config, load_config
from coordinator.installation import install, pso_key
from coordinator.rounds.conduct import advance_rounds, open_rounds
from coordinator.sites.enrolment import Approved, Terms, approve, read_enrolment
from coordinator.store.database import Store
from node.clock import Clock
from node.config import NodeConfig
from node.config import load_config as load_node_config
from node.enrolment import init_site, load_transport_key, make_request
from node.gateway import Gateway
from node.identity import load_identity, open_ledger
from node.inbox import Inbox
from node.journal import Journal
from node.keychange import change_signing_key, change_transport_key
from node.ledger.files import verify_file
from node.membership import install_approval
from node.policy import scopes
from node.release.answer import Answerer
from node.release.site import SiteData
from protocols.catalogue import current_catalogue
from protocols.keys import load_private_key
from protocols.plan import plan_rho_nano
from protocols.statement import fingerprint, key_id, open_statement
from protocols.v1 import broker_pb2
from protocols.v1 import leadline_pb2 as pb

PROFILE = """\
type = "acute_general"
bed_band = "200-299"
teaching = "minor"
ownership = "nonprofit"
setting = "urban_metro"
programme_model = "local_peer"
programme_age = "1-3y"
"""
YEAR = 2025
DAY_S = 86_400
MAX_TURNS = 40

LoadSite = Callable[[NodeConfig], SiteData]


class Crash(BaseException):
    """The process dies here."""


class NoContext:
    """Stands where gRPC hands in its context; the calls under test must not abort."""

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise AssertionError(f"{code}: {details}")


@dataclass
class SetClock:
    """One clock for everybody."""

    moment: datetime = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def now_s(self) -> int:
        return int(self.moment.timestamp())


@dataclass
class SimulatedNode:
    """A node's daemon without its socket; `crash_at` makes it die at the next step of that name.

    `opening` is the public key that opened its ledger, which an outsider got when the site enrolled.
    """

    config: NodeConfig
    clock: Clock
    load: LoadSite
    crash_at: str | None = None
    released: dict[tuple[bytes, int], set[bytes]] = field(default_factory=dict)
    opening: Ed25519PublicKey | None = None

    @property
    def transport_key(self) -> str:
        """The relay's public key as it is now."""
        return load_transport_key(self.config)

    def start(self) -> None:
        """As after a start of the daemon: everything is read from disk."""
        identity = load_identity(self.config)
        ledger = open_ledger(self.config, identity.signing_key, self.clock)
        answerer = Answerer(
            self.config, identity, current_catalogue(), ledger, lambda: self.load(self.config), self.clock, self._step
        )
        inbox = Inbox(self.config, answerer, Journal(self.config.paths.journal), self.clock)
        self.ledger, self.gateway = ledger, Gateway(inbox.take)
        self.opening = self.opening or identity.signing_key.public_key()

    def exchange(self, payload: bytes) -> bytes | None:
        """The answer of the daemon, or None if it died; then it is started again."""
        try:
            batch = self.gateway.Exchange(pb.Batch.FromString(payload), NoContext())  # type: ignore[arg-type]
        except Crash:
            self.ledger.close()
            self.start()
            return None
        for raw in batch.envelopes:
            self._remember(raw)
        assert not any(map(_is_release, batch.envelopes)) or self.may_answer(), "nothing is answered outside membership"
        return batch.SerializeToString(deterministic=True)

    def may_answer(self) -> bool:
        """Whether the approval on the disk is for the keys on the disk and for now, and the site is still there."""
        approval = pb.Approval.FromString(pb.Envelope.FromString(self.config.paths.approval.read_bytes()).body)
        key = load_private_key(self.config.paths.signing_key).public_key().public_bytes_raw()
        is_own = (approval.signing_key, approval.transport_key) == (key, self.transport_key)
        is_now = approval.valid_from_s - DAY_S <= self.clock.now_s() < approval.valid_until_s
        return is_own and is_now and not self.config.pause_file.exists() and not self.ledger.has_left()

    def change_keys(self) -> None:
        """As `rekey` with the daemon stopped, and the daemon started again."""
        self.ledger.close()
        change_signing_key(self.config, self.clock)
        change_transport_key(self.config)
        self.start()

    def leave(self) -> None:
        """As `leave`, once; the daemon runs on."""
        if not self.ledger.has_left():
            with self.ledger.locked():
                self.ledger.leave(self.clock.now_s())

    def _remember(self, raw: bytes) -> None:
        if _is_release(raw):
            release = pb.Release.FromString(pb.Envelope.FromString(raw).body)
            self.released.setdefault((release.plan_digest, release.quarter), set()).add(raw)

    def _step(self, name: str) -> None:
        if name == self.crash_at:
            self.crash_at = None
            raise Crash


def _is_release(raw: bytes) -> bool:
    return pb.Envelope.FromString(raw).kind == "release"


class Federation:
    """A coordinator and its nodes."""

    def __init__(self, folder: Path, sites: int, load: LoadSite, profiles: Path | None = None) -> None:
        self.folder, self.clock = folder, SetClock()
        settings = install(folder / "pso", self.clock).config
        settings.write_text(settings.read_text().replace('superlink = ""', 'superlink = "localhost:9092"'))
        self.config: Config = load_config(settings)
        self.key = pso_key(self.config)
        self.store = Store(self.config.paths.database, self.clock)
        self.nodes = [self._enrol(f"site-{number:02d}", load, profiles) for number in range(1, sites + 1)]
        self.restart_coordinator()

    def _enrol(self, site_id: str, load: LoadSite, profiles: Path | None) -> SimulatedNode:
        exports = self.folder / "sites" / site_id / "exports"
        exports.mkdir(parents=True, exist_ok=True)
        made = init_site(self.folder / "nodes" / site_id, site_id, exports)
        made.profile.write_text((profiles / site_id / "profile.toml").read_text() if profiles else PROFILE)
        node = SimulatedNode(load_node_config(made.config), self.clock, load)
        self.approve(node)
        node.start()
        return node

    def approve(self, node: SimulatedNode, new_keys: bool = False) -> Approved:
        """The site's request, its approval by the PSO, and the approval's import, with both fingerprints read out."""
        made = make_request(node.config, node.config.paths.ledger.with_name("enrolment"), self.clock)
        terms = Terms(made.fingerprint, new_keys)
        done = approve(self.store, self.clock, self.config, self.key, read_enrolment(made.file), terms)
        install_approval(node.config, done.site.approval, fingerprint(self.key.public_key()), self.clock.now_s())
        return done

    def restart_coordinator(self) -> None:
        """As after kill -9: what is not in the store is gone."""
        self.store.close()
        self.store = Store(self.config.paths.database, self.clock)
        self.broker = Broker(self.store, self.clock, self.config, self.key)

    def open(self, year: int = YEAR, deadline_s: int | None = None) -> list[str]:
        """Open the year's rounds."""
        return [r.round_id for r in open_rounds(self.store, self.clock, self.config, self.key, year, deadline_s)]

    def turn(self, deliver: int = 1, lose_request: bool = False, offline: frozenset[int] = frozenset()) -> int:
        """One turn of the pipe: each answer arrives `deliver` times; returns how many deliveries were handed out."""
        nodes = [
            broker_pb2.PipeNode(node_id=number, transport_key=node.transport_key)
            for number, node in enumerate(self.nodes)
            if number not in offline
        ]
        handed = self.take(nodes)
        for delivery in handed:
            if not lose_request:
                self.bring(delivery, deliver)
        advance_rounds(self.store, self.clock)
        return len(handed)

    def take(self, online: Sequence[broker_pb2.PipeNode]) -> list[broker_pb2.Delivery]:
        """What the broker hands out for these nodes."""
        return list(self.broker.Take(broker_pb2.TakeRequest(online=online), NoContext()).due)  # type: ignore[arg-type]

    def bring(self, delivery: broker_pb2.Delivery, times: int = 1) -> None:
        """Carry one delivery to its node and the answer back, `times` times."""
        answer = self.nodes[delivery.node_id].exchange(delivery.payload)
        if answer is None:
            return
        for _ in range(times):
            back = broker_pb2.Delivery(delivery_id=delivery.delivery_id, node_id=delivery.node_id, payload=answer)
            self.broker.Deliver(back, NoContext())  # type: ignore[arg-type]

    def wait(self, **span: float) -> None:
        """Time passes, and the rounds look at their deadlines."""
        self.clock.moment += timedelta(**span)
        advance_rounds(self.store, self.clock)

    def settle(self) -> None:
        """Let everything that is still due arrive."""
        for _ in range(MAX_TURNS):
            if set(self.states().values()) <= {"complete", "closed_short", "failed"}:
                return
            self.turn()
            self.wait(minutes=20)
        raise AssertionError(f"the rounds do not end: {self.states()}")

    def states(self) -> dict[str, str]:
        """State of every round."""
        with self.store.reading() as reader:
            return {r.round_id: str(r.state) for r in reader.rounds()}

    def check_invariants(self) -> None:
        """What must hold after any history."""
        with self.store.reading() as reader:
            plans = {plan.digest: open_statement(plan.envelope, pb.Plan, self._pso()) for plan in reader.plans()}
            stored = [row for plan in reader.plans() for row in reader.releases_of_plan(plan.plan_id)]
            digests = {plan.plan_id: plan.digest for plan in reader.plans()}
        for node in self.nodes:
            self._check_node(node, {digest: plan.message for digest, plan in plans.items()})
        nodes = {node.config.site.id: node for node in self.nodes}
        for row in stored:
            sealed = nodes[row.site_id].ledger.sealed(digests[row.plan_id], row.quarter)
            assert sealed == row.envelope, "what the coordinator holds is what the node sealed"

    def _check_node(self, node: SimulatedNode, plans: dict[bytes, pb.Plan]) -> None:
        assert node.opening is not None
        verify_file(node.config.paths.ledger, node.opening)
        assert all(len(answers) == 1 for answers in node.released.values()), "one question, one answer, byte for byte"
        budget = node.config.policy.budget_nano()
        for year in {plan.year for plan in plans.values()}:
            spent = node.ledger.spent(year)
            assert all(spent[scope] <= budget[scope] for scope in budget), "never above the ceiling"
            expected = dict.fromkeys(budget, 0)
            for digest, plan in plans.items():
                attempts = node.ledger.attempts(digest)
                if plan.year == year and attempts:
                    assert attempts >= len(node.ledger.sealed_quarters(digest))
                    for scope, tallies in scopes(plan, current_catalogue()[0]).items():
                        expected[scope] += plan_rho_nano(plan, tallies)
            burnt = any(node.ledger.attempts(digest) > len(node.ledger.sealed_quarters(digest)) for digest in plans)
            assert burnt or spent == expected, "without a crash, spending is the sum of distinct plans"

    def _pso(self) -> dict[str, Ed25519PublicKey]:
        return {key_id(self.key.public_key()): self.key.public_key()}
