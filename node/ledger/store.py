"""The ledger on disk: SQLite, one writer at a time, every act durable before the next one begins.

Rows are only ever added; triggers refuse to change or delete them. Beside the chain it keeps the sealed answers, byte
for byte, and the admission register: which cases of which unit counted in the slices that are sealed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from node.ledger.chain import GENESIS, SCOPES, Entry, Head, LedgerError, check_chain, make_entry
from node.measures.counting import Contributions
from protocols.catalogue.model import Tally
from protocols.statement import key_id

_SCHEMA = """
create table if not exists entry (number integer primary key, body blob not null, hash blob not null unique,
    signature blob not null);
create table if not exists release (plan blob not null, quarter integer not null, envelope blob not null,
    entry integer not null references entry(number), primary key (plan, quarter));
create table if not exists admitted (plan blob not null, tally text not null, unit_key text not null,
    row_key text not null, month integer not null, cell integer not null, strata text not null,
    primary key (plan, tally, unit_key, row_key));
"""
_TABLES = ("entry", "release", "admitted")


@dataclass(frozen=True)
class Reservation:
    """What a slice costs, on record before it is drawn: the tallies that are answered, and nano-rho per scope."""

    plan_id: str
    plan: bytes
    year: int
    quarter: int
    attempt: int
    tallies: tuple[str, ...]
    charges: Mapping[str, int]


class Ledger:
    """One site's ledger. Use the writing methods inside `locked()` only."""

    def __init__(self, path: Path, key: Ed25519PrivateKey, site_id: str, now_s: int) -> None:
        self._path, self._key = path, key
        with self.locked():
            self._db = _connect(path)
            own = {"kind": "opened", "site": site_id, "key_id": key_id(key.public_key())}
            if self.head().length == 0:
                self._append(own | {"at": now_s})
            self._check_own(own)

    def _check_own(self, own: Mapping[str, str]) -> None:
        """Trust nothing that is on the disk before the chain holds and is this site's; LedgerError otherwise."""
        entries = self.entries()
        opened = entries[0].content
        if any(opened.get(name) != value for name, value in own.items()):
            raise LedgerError(f"entry 1: this is the ledger of {opened.get('site')}, or of another key")
        check_chain(entries, self._key.public_key())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process out; the kernel lets go of the lock when this one dies."""
        with self._path.with_suffix(".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Close the database, with everything in the one file that people copy."""
        self._db.execute("pragma wal_checkpoint(truncate)")
        self._db.close()

    def head(self) -> Head:
        """The newest entry."""
        row = self._db.execute("select hash, number from entry order by number desc limit 1").fetchone()
        return Head(row[0], row[1]) if row else Head(GENESIS, 0)

    def hash_at(self, number: int) -> bytes | None:
        """Hash of the entry with this number, or None if there is none."""
        row = self._db.execute("select hash from entry where number = ?", (number,)).fetchone()
        return bytes(row[0]) if row else None

    def entries(self) -> list[Entry]:
        """All entries, oldest first."""
        return read_entries(self._db)

    def spent(self, year: int) -> dict[str, int]:
        """Nano-rho charged in a ledger year, per scope, sealed or not."""
        spent = dict.fromkeys(SCOPES, 0)
        for content in self._contents("reserved"):
            if content["year"] == year:
                for scope, nano in content["charges"].items():
                    spent[scope] += nano
        return spent

    def plan_with_id(self, plan_id: str) -> bytes | None:
        """Digest of the plan that was carried out under this id, if any."""
        for content in self._contents("reserved"):
            if content["plan_id"] == plan_id:
                return bytes.fromhex(content["plan"])
        return None

    def tallies_of(self, plan: bytes) -> frozenset[str] | None:
        """The tallies that a plan's first reservation paid for; None if the plan was never reserved."""
        for content in self._contents("reserved"):
            if content["plan"] == plan.hex():
                return frozenset(content["tallies"])
        return None

    def attempts(self, plan: bytes, quarter: int | None = None, after: int = 0) -> int:
        """How often the plan, or one quarter of it, was reserved in entries whose number is above `after`."""
        reserved = [e.content for e in self.entries() if e.number > after and e.content["kind"] == "reserved"]
        return sum(c["plan"] == plan.hex() and quarter in (None, c["quarter"]) for c in reserved)

    def sealed(self, plan: bytes, quarter: int) -> bytes | None:
        """The answer that was sealed for this slice, byte for byte."""
        row = self._db.execute(
            "select envelope from release where plan = ? and quarter = ?", (plan, quarter)
        ).fetchone()
        return bytes(row[0]) if row else None

    def sealed_quarters(self, plan: bytes) -> tuple[int, ...]:
        """The quarters of a plan that are sealed."""
        rows = self._db.execute("select quarter from release where plan = ? order by quarter", (plan,))
        return tuple(row[0] for row in rows)

    def contributions(self, plan: bytes, tally: Tally) -> Contributions:
        """What was admitted for this plan and tally in sealed slices."""
        rows = self._db.execute(
            "select unit_key, row_key, month, cell, strata from admitted where plan = ? and tally = ?", (plan, tally.id)
        ).fetchall()
        if not rows:
            return Contributions.none(tally)
        strata = [json.loads(row[4]) for row in rows]
        frame = pd.DataFrame([row[:4] for row in rows], columns=["unit_key", "row_key", "month", "cell"])
        for name in tally.strata:
            frame[name] = [codes[name] for codes in strata]
        return Contributions(frame)

    def reserve(self, reservation: Reservation, now_s: int) -> int:
        """Charge before drawing; durable when this returns. The number of the entry."""
        self._append(
            {
                "kind": "reserved",
                "plan_id": reservation.plan_id,
                "plan": reservation.plan.hex(),
                "year": reservation.year,
                "quarter": reservation.quarter,
                "attempt": reservation.attempt,
                "tallies": list(reservation.tallies),
                "charges": dict(reservation.charges),
                "at": now_s,
            }
        )
        return self.head().length

    def seal(
        self, entry: int, reservation: Reservation, envelope: bytes, admitted: Mapping[str, Contributions], now_s: int
    ) -> None:
        """Store the answer, what it admitted and the entry that says so, all or nothing."""
        plan, quarter = reservation.plan, reservation.quarter
        content: dict[str, object] = {
            "kind": "sealed",
            "plan": plan.hex(),
            "quarter": quarter,
            "reserved": entry,
            "release": hashlib.sha256(envelope).hexdigest(),
            "at": now_s,
        }
        with self._transaction():
            for tally_id, contributions in admitted.items():
                self._db.executemany(
                    "insert into admitted values (?, ?, ?, ?, ?, ?, ?)", _register_rows(plan, tally_id, contributions)
                )
            number = self._insert(content)
            self._db.execute("insert into release values (?, ?, ?, ?)", (plan, quarter, envelope, number))

    def _contents(self, kind: str) -> Iterator[dict[str, Any]]:
        for entry in self.entries():
            content = entry.content
            if content["kind"] == kind:
                yield content

    def _append(self, content: Mapping[str, object]) -> None:
        with self._transaction():
            self._insert(content)

    def _insert(self, content: Mapping[str, object]) -> int:
        entry = make_entry(self.head(), content, self._key)
        self._db.execute(
            "insert into entry values (?, ?, ?, ?)", (entry.number, entry.body, entry.hash, entry.signature)
        )
        return entry.number

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")


def _register_rows(plan: bytes, tally_id: str, contributions: Contributions) -> Iterator[Sequence[object]]:
    frame = contributions.frame
    strata = [name for name in frame.columns if name not in {"unit_key", "row_key", "month", "cell"}]
    for row in frame.to_dict("records"):
        codes = json.dumps({name: int(row[name]) for name in strata})
        yield plan, tally_id, row["unit_key"], row["row_key"], int(row["month"]), int(row["cell"]), codes


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("pragma foreign_keys = on")
    db.executescript(_SCHEMA)
    path.chmod(0o600)
    for table in _TABLES:
        for act in ("update", "delete"):
            db.execute(
                f"create trigger if not exists {table}_no_{act} before {act} on {table} "
                f"begin select raise(abort, 'rows of the ledger are never changed or deleted'); end"
            )
    return db


def read_entries(db: sqlite3.Connection) -> list[Entry]:
    """All entries of an open ledger, oldest first."""
    rows = db.execute(
        "select number, cast(body as blob), cast(hash as blob), cast(signature as blob) from entry order by number"
    )
    return [Entry(row[0], bytes(row[1]), bytes(row[2]), bytes(row[3])) for row in rows]


def verify_file(path: Path, public: Ed25519PublicKey) -> Head:
    """Check a ledger file with the site's public key alone: the chain, and that every sealed answer is the one kept."""
    if not path.is_file():
        raise LedgerError(f"there is no ledger {path}")
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        entries = read_entries(db)
        head = check_chain(entries, public)
        kept = {row[0]: bytes(row[1]) for row in db.execute("select entry, envelope from release")}
    except sqlite3.DatabaseError as error:
        raise LedgerError(f"{path} is not a ledger: {error}") from error
    finally:
        db.close()
    for entry in entries:
        content = entry.content
        if content["kind"] == "sealed":
            envelope = kept.pop(entry.number, b"")
            if hashlib.sha256(envelope).hexdigest() != content["release"]:
                raise LedgerError(f"entry {entry.number}: the answer that is kept is not the one that was sealed")
    if kept:
        raise LedgerError("an answer is kept that no entry seals")
    return head
