"""Ledger files: how they are laid out and opened, how anybody verifies one, and the copy that may leave the site."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.ledger.acts import LedgerError, WrongKeyError
from node.ledger.chain import Checked, Entry, check_chain
from protocols.refusals import Refused
from protocols.statement import key_id, parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

_SHARED = """
create table if not exists entry (number integer primary key, body blob not null, hash blob not null unique,
    signature blob not null);
create table if not exists release (plan blob not null, quarter integer not null, envelope blob not null,
    entry integer not null references entry(number), primary key (plan, quarter, entry));
"""
_REGISTER = """
create table if not exists admitted (plan blob not null, tally text not null, unit_key text not null,
    row_key text not null, month integer not null, cell integer not null, strata text not null,
    entry integer not null references entry(number), primary key (plan, tally, unit_key, row_key));
create table if not exists register (entry integer primary key references entry(number), salt blob not null);
"""


@dataclass(frozen=True)
class Kept:
    """An answer as it is kept: the slice (plan digest and quarter), the envelope, and the entry that seals it."""

    plan: bytes
    quarter: int
    envelope: bytes
    entry: int

    @property
    def digest(self) -> str:
        """SHA-256 of the envelope, in hex."""
        return hashlib.sha256(self.envelope).hexdigest()

    def is_in_its_place(self) -> bool:
        """Whether the slice under which it is kept is the one that the release itself names."""
        try:
            release = parse_canonical(parse_envelope(self.envelope).body, pb.Release)
        except Refused:
            return False
        return release.plan_digest == self.plan and release.quarter == self.quarter


def connect(path: Path) -> sqlite3.Connection:
    """The site's own ledger, for writing; made if it is not there. Every commit is durable, rows are only added."""
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("pragma foreign_keys = on")
    db.executescript(_SHARED + _REGISTER)
    path.chmod(0o600)
    _refuse_changes(db, ("entry", "release", "admitted", "register"))
    return db


def _refuse_changes(db: sqlite3.Connection, tables: Iterable[str]) -> None:
    for table in tables:
        for act in ("update", "delete"):
            db.execute(
                f"create trigger if not exists {table}_no_{act} before {act} on {table} "
                f"begin select raise(abort, 'rows of the ledger are never changed or deleted'); end"
            )


def read_entries(db: sqlite3.Connection) -> list[Entry]:
    """All entries of an open ledger, oldest first."""
    rows = db.execute(
        "select number, cast(body as blob), cast(hash as blob), cast(signature as blob) from entry order by number"
    )
    return [Entry(row[0], bytes(row[1]), bytes(row[2]), bytes(row[3])) for row in rows]


def read_ledger(path: Path) -> tuple[list[Entry], list[Kept]]:
    """Entries and kept answers of a ledger file or a copy of one; LedgerError if it is none."""
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path}")
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        rows = db.execute(
            "select cast(plan as blob), quarter, cast(envelope as blob), entry from release order by entry"
        )
        return read_entries(db), [Kept(bytes(row[0]), int(row[1]), bytes(row[2]), int(row[3])) for row in rows]
    except (sqlite3.DatabaseError, TypeError, ValueError) as error:
        raise LedgerError(f"{path} is not a ledger: {error}") from error
    finally:
        db.close()


def verify_file(path: Path, opening: Ed25519PublicKey) -> Checked:
    """Check a ledger, or a copy, with the public key that opened it: the chain, and that each sealed answer is kept."""
    entries, answers = read_ledger(path)
    _check_key(entries, opening)
    checked = check_chain(entries, opening)
    kept = {answer.digest: answer for answer in answers if answer.is_in_its_place()}
    sealed = {digest: entry.number for entry in entries for digest in sealed_by(entry.content)}
    for digest, number in sealed.items():
        if digest not in kept:
            raise LedgerError(f"entry {number}: the answer that is kept is not the one that was sealed")
    if len(answers) > len(sealed):
        raise LedgerError("an answer is kept that no entry seals")
    return checked


def find_head(path: Path, head: str) -> int | None:
    """The number of the entry that has this hash (hex), or that was reconciled with a ledger that had; None if none."""
    for entry in read_ledger(path)[0]:
        seen = entry.content["seen"] if entry.content["kind"] == "reconciled" else []
        if entry.hash.hex() == head or head in {known for _, known in seen}:
            return entry.number
    return None


def _check_key(entries: Sequence[Entry], opening: Ed25519PublicKey) -> None:
    """WrongKeyError if the ledger says that another key opened it; nothing is proven by this alone."""
    given = opening.public_bytes_raw().hex()
    opened = entries[0].content if entries else {"key": given}
    if opened.get("key") != given:
        is_later = any(entry.content.get("key") == given for entry in entries[1:])
        later = "; the key given took over later" if is_later else ""
        problem = f"the ledger was opened with key {opened.get('key_id')}, and the key given is {key_id(opening)}"
        raise WrongKeyError(f"{problem}{later}")


def sealed_by(content: Mapping[str, Any]) -> tuple[str, ...]:
    """SHA-256 in hex of the answers that an entry vouches for."""
    if content["kind"] == "sealed":
        return (str(content["release"]),)
    return tuple(map(str, content["releases"])) if content["kind"] == "reconciled" else ()


def export_copy(path: Path, out: Path) -> None:
    """Write a copy for an auditor to `out`, which must not exist: entries and sealed answers, no admission register."""
    entries, answers = read_ledger(path)
    with out.open("xb"):  # FileExistsError before anything is written over
        pass
    db = sqlite3.connect(out, isolation_level=None)
    try:
        db.executescript(_SHARED)
        db.execute("begin")
        rows = ((e.number, e.body, e.hash, e.signature) for e in entries)
        db.executemany("insert into entry values (?, ?, ?, ?)", rows)
        kept = ((answer.plan, answer.quarter, answer.envelope, answer.entry) for answer in answers)
        db.executemany("insert into release values (?, ?, ?, ?)", kept)
        db.execute("commit")
    finally:
        db.close()
