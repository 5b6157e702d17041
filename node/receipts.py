"""Egress receipts: for every answer that left this site, what it was, when, to whom, and what it cost.

A receipt is read from the ledger, so it is as good as the ledger's signatures. Its digest is the SHA-256 of the very
bytes that were handed over, for comparison with a capture at the relay or with the file of an export.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from node.ledger.reading import LedgerReader
from node.ledger.words import cost_words, utc_words
from protocols.catalogue.model import Catalogue
from protocols.catalogue.words import unit_words
from protocols.statement import parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

_SIGMA_UNIT = 1024


@dataclass(frozen=True)
class Receipt:
    """One answer that left. Receipts are numbered from 1 in the order in which they entered the ledger.

    `at` is Unix time in seconds; `to` the key id of the PSO that asked; `tallies` those with counts in it; `charges`
    nano-rho per scope that were reserved for this slice. `is_restored`: the receipt was lost with an old ledger and the
    answer came back by reconciliation; `at` is then when it was drawn, and its charge is in the reconciliation.
    """

    number: int
    at: int
    plan_id: str
    year: int
    quarter: int
    to: str
    digest: str
    bytes: int
    tallies: tuple[str, ...]
    charges: Mapping[str, int]
    is_restored: bool
    release: pb.Release

    @property
    def text(self) -> str:
        """The receipt in one line."""
        what = f"{self.year}-Q{self.quarter} of plan {self.plan_id}, {self.bytes} bytes, SHA-256 {self.digest[:16]}…"
        charge = "charged by the reconciliation" if self.is_restored else f"charged {cost_words(self.charges)}"
        return f"{self.number:>4}  {utc_words(self.at)}  {what}, to {self.to or 'the PSO'}, {charge}"


def receipts(ledger: LedgerReader) -> tuple[Receipt, ...]:
    """All receipts, newest first."""
    envelopes = {hashlib.sha256(envelope).hexdigest(): envelope for _, envelope in ledger.answers()}
    found = [*_in_order(ledger, envelopes)]
    return tuple(replace(receipt, number=position) for position, receipt in enumerate(found, start=1))[::-1]


def explain_receipt(receipt: Receipt, catalogue: Catalogue) -> str:
    """The receipt for a security officer: everything that was in the answer, in sentences."""
    release = receipt.release
    lines = [
        f"Receipt {receipt.number}: {receipt.year}-Q{receipt.quarter} of plan {receipt.plan_id}",
        f"when       {utc_words(receipt.at)}" + (" (drawn; lost and restored)" if receipt.is_restored else ""),
        f"to         {f'the PSO, key {receipt.to}' if receipt.to else 'the PSO, which gave it back'}",
        f"bytes      {receipt.bytes}, handed over for the PSO as they are in the ledger",
        f"SHA-256    {receipt.digest}",
        f"charge     {cost_words(receipt.charges) if receipt.charges else 'in the reconciliation (see ledger show)'}",
        "It held:",
        *(f"  {line}" for line in _tally_lines(release, catalogue)),
        f"  rounded public facts of the hospital: {', '.join(e.name for e in release.exposures)}",
        f"  the ledger's head: entry {release.ledger_length}, {release.ledger_head.hex()[:16]}…",
    ]
    return "\n".join(lines)


def _tally_lines(release: pb.Release, catalogue: Catalogue) -> Iterator[str]:
    known = {tally.id: tally for tally in catalogue.tallies}
    for table in release.tables:
        noise = f"{len(table.values)} counts, each with noise of SD {table.sigma_1024 / _SIGMA_UNIT:.1f}"
        tally = known.get(table.tally)
        meaning = f"{tally.title}; the noise protects {unit_words(tally)}" if tally else "of an earlier catalogue"
        yield f"{table.tally}: {noise}. {meaning}."
    if not release.tables:
        yield "no counts: none of the plan's periods ended in this quarter"


def _in_order(ledger: LedgerReader, envelopes: Mapping[str, bytes]) -> Iterator[Receipt]:
    reserved: dict[tuple[str, int], list[dict[str, Any]]] = {}
    sealed: dict[int, dict[str, Any]] = {}
    for entry in ledger.entries():
        content = entry.content
        match content["kind"]:
            case "reserved":
                reserved.setdefault((content["plan"], content["quarter"]), []).append(content)
            case "sealed":
                sealed[entry.number] = content
            case "sent":
                slice_ = content["plan"], content["quarter"]
                yield _of_sent(content, reserved[slice_], envelopes[sealed[content["sealed"]]["release"]])
            case "reconciled":
                yield from (_restored(content, envelopes[digest]) for digest in content["releases"])


def _of_sent(sent: Mapping[str, Any], reserved: list[dict[str, Any]], envelope: bytes) -> Receipt:
    first = reserved[0]
    charges = {scope: sum(content["charges"].get(scope, 0) for content in reserved) for scope in first["charges"]}
    return _receipt(envelope, first["plan_id"], first["year"], sent["at"], sent["to"], charges)


def _restored(content: Mapping[str, Any], envelope: bytes) -> Receipt:
    release = _release(envelope)
    plan = content["plans"][release.plan_digest.hex()]
    receipt = _receipt(envelope, plan["plan_id"], plan["year"], release.sealed_at_s, "", {})
    return replace(receipt, is_restored=True)


def _receipt(envelope: bytes, plan_id: str, year: int, at: int, to: str, charges: Mapping[str, int]) -> Receipt:
    release = _release(envelope)
    return Receipt(
        number=0,
        at=at,
        plan_id=plan_id,
        year=year,
        quarter=release.quarter,
        to=to,
        digest=hashlib.sha256(envelope).hexdigest(),
        bytes=len(envelope),
        tallies=tuple(dict.fromkeys(table.tally for table in release.tables)),
        charges=charges,
        is_restored=False,
        release=release,
    )


def _release(envelope: bytes) -> pb.Release:
    return parse_canonical(parse_envelope(envelope).body, pb.Release)
