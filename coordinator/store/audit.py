"""Who did what: the event that every write takes, and the hash chain over all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from enum import StrEnum

from coordinator.store.schema import AuditEvent
from protocols.catalogue import canonical_json

GENESIS = bytes(32)

Detail = str | int | bool | None


class Actor(StrEnum):
    """On whose behalf something happened."""

    OPERATOR = "operator"
    BROKER = "broker"
    CLOCK = "clock"
    INTAKE = "intake"


@dataclass(frozen=True)
class Event:
    """What a write says about itself: the actor, a verb such as "site.add", the object's id, and public details."""

    actor: Actor
    action: str
    object: str
    details: Mapping[str, Detail] = field(default_factory=dict)


def digest_of(row: AuditEvent) -> bytes:
    """SHA-256 over the canonical JSON of everything in the row but its own digest; 32 bytes."""
    content = {
        "seq": row.seq,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": row.actor,
        "action": row.action,
        "object": row.object,
        "details": row.details,
        "previous": row.previous.hex(),
    }
    return hashlib.sha256(canonical_json(content)).digest()


def first_broken(rows: Iterable[AuditEvent]) -> int | None:
    """The `seq` of the first row that does not follow from those before it, or None if the chain is whole."""
    previous, expected_seq = GENESIS, 1
    for row in rows:
        if row.seq != expected_seq or row.previous != previous or row.digest != digest_of(row):
            return row.seq
        previous, expected_seq = row.digest, expected_seq + 1
    return None
