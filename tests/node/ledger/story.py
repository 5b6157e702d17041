"""A node whose ledger is backed up, loses answers and faults, and is restored; beside it an honest PSO and the truth.

`really_spent` counts every reservation that was ever made, in whatever ledger, as it is made.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path

from node.config import Policy
from node.ledger.reconcile import Reconciled
from node.release.site import SiteData
from protocols.statement import open_statement, parse_envelope, seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.node.world import NOW, SITE, Node, Pso, supported_site

POLICY = Policy(clinician_epsilon=Decimal(3), record_epsilon=Decimal(3))


@cache
def _site() -> SiteData:
    return supported_site(2)


class Story:
    """`plans` are what the PSO asks about; answers that it got are in `received`, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.pso = folder, Pso()
        self.fault: str | None = None
        self.made = NOW
        self.really_spent: Counter[tuple[int, str]] = Counter()
        self.node = Node(folder / "node", self.pso, _site(), POLICY, on_step=self._step)
        self.plans = [
            self.pso.plan(("supported", "activations"), plan_id="first"),
            self.pso.plan(("supported",), plan_id="second", rho_nano=25_000_000),
            self.pso.plan(("activations",), plan_id="earlier", year=2024),
        ]
        self.received: dict[bytes, pb.Release] = {}
        self.requests: list[tuple[bytes, tuple[int, int]]] = []
        self.unsure: set[tuple[int, int]] = set()
        self.backups = [self._copy()]

    def _step(self, reached: str) -> None:
        if reached == "reserved":
            reserved = self.node.ledger.entries()[-1].content
            self.really_spent.update({(reserved["year"], scope): n for scope, n in reserved["charges"].items()})
        if reached == self.fault:
            raise RuntimeError("a fault")

    def ask(self, plan: int, quarter: int, arrives: bool = True, fault: str | None = None) -> bytes:
        """The PSO asks for a slice; its answer arrives, or is lost after it left."""
        known, self.fault = self.head(), fault
        request = self.pso.request(self.plans[plan], quarter, known_head=known[1], known_length=known[0])
        self.requests.append((request, (plan, quarter)))
        raw = self.node.answerer.answer(request)
        self.fault = None
        self._take(raw if arrives else b"", (plan, quarter))
        return raw

    def ask_again(self, number: int) -> bytes:
        """A file of an earlier request is carried in once more; what comes out goes nowhere."""
        return self.node.answerer.answer(self.requests[number][0])

    def _take(self, raw: bytes, slice_: tuple[int, int]) -> None:
        kind = parse_envelope(raw).kind if raw else ""
        if kind == "release":
            self.received[raw] = open_statement(raw, pb.Release, self.node._keys()).message
            self.unsure.discard(slice_)
        elif kind == "" or self._code(raw) == "internal":
            self.unsure.add(slice_)

    def _code(self, raw: bytes) -> str:
        return open_statement(raw, pb.Refusal, self.node._keys()).message.code

    def head(self) -> tuple[int, bytes]:
        """Length and hash of the newest head that the PSO saw."""
        heads = ((release.ledger_length, release.ledger_head) for release in self.received.values())
        return max(heads, default=(0, b""))

    def statement(self, **changes: object) -> pb.Reconciliation:
        """What the PSO holds of the site."""
        self.made += 1
        known, answered = self.head(), {release.plan_digest for release in self.received.values()}
        plans = [seal_statement(plan, self.pso.key) for plan in self.plans if plan_digest(plan) in answered]
        made = pb.Reconciliation(
            site_id=SITE, known_length=known[0], known_head=known[1], releases=list(self.received), plans=plans,
            unanswered_years=sorted({self.plans[plan].year for plan, _ in self.unsure}), made_at_s=self.made,
        )  # fmt: skip
        for name, value in changes.items():
            if isinstance(value, list):
                made.ClearField(name)  # type: ignore[arg-type]
                getattr(made, name).extend(value)
            else:
                setattr(made, name, value)
        return made

    def reconcile(self, statement: pb.Reconciliation | None = None) -> Reconciled:
        """The operator takes in the PSO's statement."""
        with self.node.ledger.locked():
            return self.node.ledger.reconcile(statement or self.statement(), POLICY.budget_nano(), NOW)

    def back_up(self) -> None:
        """Keep a copy of the ledger."""
        self.backups.append(self._copy())

    def restore(self, number: int = -1) -> None:
        """Put a copy in the ledger's place, and start the node."""
        self.node.ledger.close()
        path = self.node.config.paths.ledger
        for rest in ("-wal", "-shm"):
            path.with_name(path.name + rest).unlink(missing_ok=True)
        shutil.copy(self.backups[number], path)
        self.node.start()

    def lose_the_journal(self) -> None:
        """What the machine had seen goes with it."""
        self.node.ledger.close()
        for file in self.node.config.paths.journal.parent.glob(f"{self.node.config.paths.journal.name}*"):
            file.unlink()
        self.node.start()

    def _copy(self) -> Path:
        copy = self.folder / f"backup-{len(getattr(self, 'backups', []))}"
        with sqlite3.connect(self.node.config.paths.ledger) as own, sqlite3.connect(copy) as other:
            own.backup(other)
        other.close()
        own.close()
        return copy

    def spent(self, year: int) -> dict[str, int]:
        """What the node's ledger says."""
        return self.node.ledger.spent(year)


def plan_digest(plan: pb.Plan) -> bytes:
    """SHA-256 of a plan's canonical bytes."""
    return sha256(plan.SerializeToString(deterministic=True)).digest()
