"""Ledger entries, their chain and their check. Needs a public key alone, so that an outsider can verify a ledger.

An entry's body is canonical JSON (sorted keys, no white space). With H(i) the hash of entry i and H(0) 32 zero bytes:

    H(i) = SHA-256( "leadline/ledger/v1" 0x00  H(i-1)  body(i) )        signature(i) = Ed25519( H(i) )

Kinds of entries:

    opened      site, key_id, key, at                                              always the first
    reserved    plan_id, plan, year, quarter, attempt, tallies, charges {scope: nano-rho}, at   before noise is drawn
    sealed      plan, quarter, reserved (number), release, register (salted digest), at  once the answer is stored
    sent        plan, quarter, sealed (number), to, request_id, bytes, at           before it is first handed over
    rekeyed     key_id, key, proof, at                                              later entries: the new key
    reconciled  seen [[number, head]], made_at, charges {year: {scope: nano-rho}},
                releases, plans {digest: {plan_id, year}}, years_closed, at         after an old backup was restored
    left        at                                                                  always the last

`plan`, `release(s)` and the keys of `plans` are SHA-256 digests, `key` a raw public key, all in hex; `at` and `made_at`
are Unix time in seconds; `to` is the key id of the PSO. Entries are numbered from 1 without gaps, but for `reconciled`:
it takes a number above all that were `seen`, so that a ledger is never shorter than one that was seen before. `rekeyed`
is signed with the old key, and `proof` is the new key's signature under `proof_input`: each key vouches for the other.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from node.ledger.acts import Acts, LedgerError
from protocols.catalogue import canonical_json
from protocols.statement import key_id

GENESIS = bytes(32)
_DOMAIN = b"leadline/ledger/v1\x00"
_REKEY_DOMAIN = b"leadline/ledger/rekey/v1\x00"


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
        except (ValueError, RecursionError) as error:
            raise LedgerError(f"entry {self.number}: the body is not JSON") from error
        if not isinstance(content, dict):
            raise LedgerError(f"entry {self.number}: the body is no object")
        return content


@dataclass(frozen=True)
class Checked:
    """What holds of a ledger that was checked: its head, the number of entries, and every key that signed, in turn."""

    head: Head
    entries: int
    keys: tuple[Ed25519PublicKey, ...]

    @property
    def key(self) -> Ed25519PublicKey:
        """The key that signs now."""
        return self.keys[-1]


def link(previous: bytes, body: bytes) -> bytes:
    """Hash of an entry that follows `previous`."""
    return hashlib.sha256(_DOMAIN + previous + body).digest()


def proof_input(previous: bytes, key: Ed25519PublicKey) -> bytes:
    """What a new key signs to take over the ledger whose head is `previous`."""
    return _REKEY_DOMAIN + previous + key.public_bytes_raw()


def next_number(head: Head, content: Mapping[str, Any]) -> int:
    """The number of the entry that follows `head`."""
    seen: list[int] = [length for length, _ in content["seen"]] if content.get("kind") == "reconciled" else []
    return max(head.length, *seen, 0) + 1


def make_entry(head: Head, content: Mapping[str, object], key: Ed25519PrivateKey) -> Entry:
    """The signed entry that follows `head`."""
    body = canonical_json(content)
    digest = link(head.hash, body)
    return Entry(next_number(head, content), body, digest, key.sign(digest))


def check_chain(entries: Iterable[Entry], opening: Ed25519PublicKey) -> Checked:
    """Verify numbers, links, signatures and the order of acts, from the key with which the ledger was opened.

    LedgerError names the first entry that is wrong.
    """
    head, keys, acts, count = Head(GENESIS, 0), [opening], Acts(), 0
    for entry in entries:
        _check_link(entry, head, keys[-1])
        try:
            _check_place(entry, head)
            acts.take(entry.number, entry.content)
            keys += _next_keys(entry, head, opening)
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerError(f"entry {entry.number}: a field is missing, or of another kind") from error
        head, count = Head(entry.hash, entry.number), count + 1
    if count == 0:
        raise LedgerError("the ledger has no entries")
    return Checked(head, count, tuple(keys))


def _check_link(entry: Entry, head: Head, public: Ed25519PublicKey) -> None:
    """Before anything in the body is read: it follows from the entry before it, and is signed."""
    if link(head.hash, entry.body) != entry.hash:
        if entry.number > head.length + 1:
            raise LedgerError(f"entry {head.length + 1} is missing")
        raise LedgerError(f"entry {entry.number}: it does not follow from the entry before it")
    try:
        public.verify(entry.signature, entry.hash)
    except InvalidSignature as error:
        raise LedgerError(f"entry {entry.number}: it is not signed with the key {key_id(public)}") from error


def _check_place(entry: Entry, head: Head) -> None:
    if canonical_json(entry.content) != entry.body:
        raise LedgerError(f"entry {entry.number}: the body is not canonical")
    expected = next_number(head, entry.content)
    if entry.number != expected:
        raise LedgerError(f"entry {expected} is missing")


def _next_keys(entry: Entry, head: Head, opening: Ed25519PublicKey) -> tuple[Ed25519PublicKey, ...]:
    """The key that signs from the next entry on, if it changes here."""
    content = entry.content
    if content["kind"] not in ("opened", "rekeyed"):
        return ()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(content["key"]))
    if content["key_id"] != key_id(key):
        raise LedgerError(f"entry {entry.number}: the key id is not that of the key")
    if content["kind"] == "opened":
        if key != opening:
            raise LedgerError(f"entry {entry.number}: it names another key than the one that signs it")
        return ()
    try:
        key.verify(bytes.fromhex(content["proof"]), proof_input(head.hash, key))
    except InvalidSignature as error:
        raise LedgerError(f"entry {entry.number}: the new key did not sign that it takes over") from error
    return (key,)
