"""A tiny site: a real key, a ledger that is only a counter, and answers to real requests as a node would give them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from privacy.accountant import sigma_1024
from protocols.catalogue import current_catalogue
from protocols.enrolment import enrolment_fingerprint
from protocols.plan import labels
from protocols.refusals import Code
from protocols.statement import key_id, open_statement, seal_statement
from protocols.v1 import broker_pb2
from protocols.v1 import leadline_pb2 as pb

PROFILE = {
    "type": "acute_general",
    "bed_band": "200-299",
    "teaching": "minor",
    "ownership": "nonprofit",
    "setting": "urban_metro",
    "programme_model": "local_peer",
    "programme_age": "1-3y",
}
MEAN = 40

Change = Callable[[pb.Release], object]


@dataclass
class TinySite:
    """Answers every request with its sealed release, or with a refusal if it is `refusing`; acknowledges the rest."""

    site_id: str
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    transport: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP384R1()))
    profile: dict[str, str] = field(default_factory=lambda: dict(PROFILE))
    entries: int = 1  # the ledger is opened
    received: list[tuple[str, bytes]] = field(default_factory=list)  # kind and body of what was no request
    sealed: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    refusing: Code | None = None
    now_s: Callable[[], float] = time.time

    def transport_pem(self) -> str:
        return (
            self.transport.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def transport_openssh(self) -> str:
        public = self.transport.public_key()
        text = public.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        return f"{text.decode()} {self.site_id}\n"

    def head(self, length: int) -> bytes:
        """The hash of an entry of the ledger."""
        return hashlib.sha256(f"{self.site_id} {length}".encode()).digest()

    def enrolment(self) -> pb.Enrolment:
        return pb.Enrolment(
            site_id=self.site_id,
            signing_key=self.key.public_key().public_bytes_raw(),
            transport_key=self.transport_pem(),
            profile=[pb.Attribute(name=name, value=value) for name, value in sorted(self.profile.items())],
            made_at_s=int(self.now_s()),
            ledger_head=self.head(self.entries),
            ledger_length=self.entries,
        )

    def write_enrolment(self, folder: Path, message: pb.Enrolment | None = None) -> tuple[Path, str]:
        """The file for the PSO, and the fingerprint that the hospital reads out."""
        made = message or self.enrolment()
        file = folder / f"{self.site_id}.enrolment"
        file.write_bytes(seal_statement(made, self.key))
        return file, enrolment_fingerprint(made)

    def node(self, node_id: int) -> broker_pb2.PipeNode:
        return broker_pb2.PipeNode(node_id=node_id, transport_key=self.transport_pem())

    def exchange(self, payload: bytes, pso: Ed25519PublicKey) -> bytes:
        """A batch of statements in, a batch of answers out."""
        envelopes = pb.Batch.FromString(payload).envelopes
        return pb.Batch(envelopes=[self.answer(raw, pso) for raw in envelopes]).SerializeToString()

    def answer(self, raw: bytes, pso: Ed25519PublicKey) -> bytes:
        keys = {key_id(pso): pso}
        kind = pb.Envelope.FromString(raw).kind
        if kind != "request":
            body = open_statement(raw, pb.Approval if kind == "approval" else pb.Published, keys).body
            self.received.append((kind, body))
            return self.acknowledge(body)
        request = open_statement(raw, pb.Request, keys).message
        plan = open_statement(request.plan, pb.Plan, keys)
        if self.refusing is not None:
            return self.refuse(request, plan.digest, self.refusing)
        slot = (plan.digest, request.quarter)
        if slot not in self.sealed:
            message = self.release(plan.message, plan.digest, request.quarter)
            self.sealed[slot] = seal_statement(message, self.key)
        return self.sealed[slot]

    def acknowledge(self, body: bytes) -> bytes:
        message = pb.Acknowledgement(
            site_id=self.site_id,
            digest=hashlib.sha256(body).digest(),
            at_s=int(self.now_s()),
            ledger_head=self.head(self.entries),
            ledger_length=self.entries,
        )
        return seal_statement(message, self.key)

    def refuse(self, request: pb.Request, plan_digest: bytes, code: Code) -> bytes:
        refusal = pb.Refusal(
            request_id=request.request_id,
            site_id=self.site_id,
            plan_digest=plan_digest,
            quarter=request.quarter,
            code=code.value,
            detail="because of a test",
        )
        return seal_statement(refusal, self.key)

    def release(self, plan: pb.Plan, plan_digest: bytes, quarter: int, mean: float = MEAN) -> pb.Release:
        """A sound release with Poisson counts (noise does not matter here, only what is stated about it)."""
        self.entries += 2
        return pb.Release(
            release_id=f"{plan_digest.hex()[:16]}-q{quarter}",
            site_id=self.site_id,
            plan_digest=plan_digest,
            quarter=quarter,
            tables=_tables(plan, quarter, mean),
            exposures=[
                pb.Exposure(name="fte", months=[900, 910, 920]),
                pb.Exposure(name="headcount", months=[1100, 1100, 1100]),
                pb.Exposure(name="patient_days", months=[6000, 5600, 6200]),
            ],
            units=_units(plan),
            ledger_head=self.head(self.entries - 1),
            ledger_length=self.entries - 1,
            sealed_at_s=int(self.now_s()),
        )


def _tables(plan: pb.Plan, quarter: int, mean: float) -> list[pb.NoisyTable]:
    catalogue, _ = current_catalogue()
    rng = np.random.default_rng()
    tables = []
    for request in plan.tallies:
        for position, table in enumerate(request.tables):
            count = len(labels(catalogue.tally(request.tally), table, plan.year, quarter))
            if count:
                tables.append(
                    pb.NoisyTable(
                        tally=request.tally,
                        table=position,
                        values=[int(value) for value in rng.poisson(mean, count)],
                        sigma_1024=sigma_1024(request.cap, table.rho_nano),
                    )
                )
    return tables


def _units(plan: pb.Plan) -> list[pb.ProtectedUnit]:
    catalogue, _ = current_catalogue()
    return [pb.ProtectedUnit(tally=r.tally, unit=catalogue.tally(r.tally).unit) for r in plan.tallies]
