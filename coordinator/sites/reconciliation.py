"""What a site that restored its ledger from a backup is told, so that what was spent stays spent."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.clock import Clock
from coordinator.sites.register import known_site
from coordinator.store.audit import Actor, Detail, Event
from coordinator.store.database import Store
from coordinator.store.reader import Reader
from coordinator.store.schema import Site
from protocols.operator.errors import RuleError
from protocols.statement import MAX_STATEMENT_BYTES, seal_statement
from protocols.v1 import leadline_pb2 as pb


@dataclass(frozen=True)
class Told:
    """The envelope for the site, and how much it tells: releases, years, and the entries that we have seen."""

    envelope: bytes
    releases: int
    unanswered_years: tuple[int, ...]
    known_length: int


def reconcile_site(store: Store, clock: Clock, key: Ed25519PrivateKey, site_id: str, after_length: int) -> Told:
    """Sign what we hold of a site beyond entry `after_length` of its ledger, and record that it was told.

    What follows from it is in coordinator.ledgers. That we know of nothing beyond is told too: the site may have
    forgotten entries that only its own machine has seen. RuleError if it does not fit one statement.
    """
    with store.writing() as writer:
        site = known_site(writer, site_id)
        message = _statement(writer, site, after_length, int(clock.now().timestamp()))
        envelope = seal_statement(message, key)
        if len(envelope) > MAX_STATEMENT_BYTES:
            hint = "have the hospital enrol anew, with a new ledger and under another id"
            raise RuleError("too_large", f"{len(message.releases)} releases do not fit one statement", hint)
        known: dict[str, Detail] = {"known": site.ledger_length, "head": site.ledger_head.hex()}
        writer.note(Event(Actor.OPERATOR, "site.reconcile", site_id, {"after": after_length, **known}))
    return Told(envelope, len(message.releases), tuple(message.unanswered_years), site.ledger_length)


def _statement(reader: Reader, site: Site, after_length: int, now_s: int) -> pb.Reconciliation:
    """A release states the ledger's length before it was sealed: one that states `after_length` came after it."""
    releases = [r for r in reader.releases_of_site(site.site_id) if r.ledger_length >= after_length]
    plans = {plan.plan_id: plan for plan in reader.plans()}
    rounds = {round_.round_id: round_.plan_id for round_ in reader.rounds()}
    undelivered = {plans[rounds[request.round_id]].year for request in reader.undelivered(site.site_id)}
    return pb.Reconciliation(
        site_id=site.site_id,
        after_length=after_length,
        known_head=site.ledger_head,
        known_length=site.ledger_length,
        releases=[release.envelope for release in releases],
        made_at_s=now_s,
        plans=[plans[plan_id].envelope for plan_id in sorted({release.plan_id for release in releases})],
        unanswered_years=sorted(undelivered),
    )
