"""Ledger entries, their chain and their check. Needs the public key alone, so that an outsider can verify a ledger.

An entry's body is canonical JSON (sorted keys, no white space). With H(i) the hash of entry i and H(0) 32 zero bytes:

    H(i) = SHA-256( "leadline/ledger/v1" 0x00  H(i-1)  body(i) )        signature(i) = Ed25519( H(i) )

Kinds of entries:

    opened    site, key_id, at                                                     always the first
    reserved  plan_id, plan, year, quarter, attempt, tallies, charges {scope: nano-rho}, at   before noise is drawn
    sealed    plan, quarter, reserved (number of the entry), release, at            once the answer is stored

`plan` and `release` are SHA-256 digests in hex; `at` is Unix time in seconds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from protocols.catalogue import canonical_json

GENESIS = bytes(32)
_DOMAIN = b"leadline/ledger/v1\x00"
SCOPES = ("clinician", "record")


class LedgerError(Exception):
    """A ledger that does not hold together; the message names the entry."""


@dataclass(frozen=True)
class Head:
    """The newest entry: its hash (32 bytes) and number; entries count from 1."""

    hash: bytes
    length: int


@dataclass(frozen=True)
class Entry:
    """One row of the ledger as stored."""

    number: int
    body: bytes
    hash: bytes
    signature: bytes

    @property
    def content(self) -> dict[str, Any]:
        """The body as a dictionary."""
        try:
            content = json.loads(self.body)
        except ValueError as error:
            raise LedgerError(f"entry {self.number}: the body is not JSON") from error
        if not isinstance(content, dict):
            raise LedgerError(f"entry {self.number}: the body is no object")
        return content


def link(previous: bytes, body: bytes) -> bytes:
    """Hash of an entry that follows `previous`."""
    return hashlib.sha256(_DOMAIN + previous + body).digest()


def make_entry(head: Head, content: Mapping[str, object], key: Ed25519PrivateKey) -> Entry:
    """The signed entry that follows `head`."""
    body = canonical_json(content)
    digest = link(head.hash, body)
    return Entry(head.length + 1, body, digest, key.sign(digest))


def check_chain(entries: Iterable[Entry], public: Ed25519PublicKey) -> Head:
    """Verify numbers, links, signatures and the order of acts. LedgerError names the first entry that is wrong."""
    head, reserved = Head(GENESIS, 0), set[int]()
    for entry in entries:
        _check_link(entry, head, public)
        content = entry.content
        kind = content.get("kind")
        if (kind == "opened") != (entry.number == 1):
            raise LedgerError(f"entry {entry.number}: a ledger is opened once, by its first entry")
        if kind == "reserved":
            reserved.add(entry.number)
        elif kind == "sealed":
            if content.get("reserved") not in reserved:
                raise LedgerError(f"entry {entry.number}: it seals what was not reserved, or was sealed before")
            reserved.remove(int(content["reserved"]))
        elif kind != "opened":
            raise LedgerError(f"entry {entry.number}: unknown kind {kind!r}")
        head = Head(entry.hash, entry.number)
    return head


def _check_link(entry: Entry, head: Head, public: Ed25519PublicKey) -> None:
    if entry.number != head.length + 1:
        raise LedgerError(f"entry {head.length + 1} is missing")
    if canonical_json(entry.content) != entry.body:
        raise LedgerError(f"entry {entry.number}: the body is not canonical")
    if link(head.hash, entry.body) != entry.hash:
        raise LedgerError(f"entry {entry.number}: it does not follow from the entry before it")
    try:
        public.verify(entry.signature, entry.hash)
    except InvalidSignature as error:
        raise LedgerError(f"entry {entry.number}: it is not signed with this key") from error
