"""Values that are written to a site's row together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Head:
    """A ledger's head as its site stated it: hash of the newest entry, number of entries, and the site's own time."""

    hash: bytes
    length: int
    at: datetime


@dataclass(frozen=True)
class IssuedApproval:
    """An approval as it is stored: its envelope, and when it ends and is to be renewed."""

    envelope: bytes
    serial: int
    until: datetime
    renew_at: datetime


@dataclass(frozen=True)
class SiteKeys:
    """A site's public keys: signing (PEM and key id) and transport (canonical PEM)."""

    public_key: str
    key_id: str
    transport_key: str
