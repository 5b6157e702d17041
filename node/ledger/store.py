"""The ledger on disk: SQLite, one writer at a time, every act durable before the next one begins.

Rows are only ever added; triggers refuse to change or delete them. Beside the chain it keeps the sealed answers, byte
for byte, and the admission register: which cases of which unit counted in the slices that are sealed.
"""

from __future__ import annotations

import fcntl
import hashlib
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from node.ledger.acts import LedgerError
from node.ledger.chain import Checked, check_chain, make_entry, proof_input
from node.ledger.files import connect
from node.ledger.reading import SALT_BYTES, AdmittedRow, LedgerReader, register_digest
from node.ledger.reconcile import Reconciled, assess
from node.ledger.seen import NothingSeen, Seen
from protocols.statement import key_id
from protocols.v1 import leadline_pb2 as pb

_NOTHING_SEEN = NothingSeen()


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


class Ledger(LedgerReader):
    """One site's ledger. Use the writing methods inside `locked()` only.

    `seen` remembers its head at every append, so that an old copy in its place is noticed (see `forgotten`).
    """

    def __init__(
        self, path: Path, key: Ed25519PrivateKey, site_id: str, now_s: int, seen: Seen = _NOTHING_SEEN
    ) -> None:
        self._path, self._key, self._seen = path, key, seen
        with self.locked():
            self._db = connect(path)
            if self.head().length == 0:
                public = key.public_key()
                content = {"kind": "opened", "site": site_id, "at": now_s}
                self._append(content | _names_of(public))
            self._check_own(site_id)
            self._remember()

    def _check_own(self, site_id: str) -> None:
        """Trust nothing that is on the disk before the chain holds and is this site's; LedgerError otherwise.

        The site trusts its own newest key. A ledger that another key opened passes if that key and those after it
        handed over to this one, and this one took over (see `chain`).
        """
        opened = self.entries()[0].content
        if opened.get("site") != site_id:
            raise LedgerError(f"entry 1: this is the ledger of {opened.get('site')}, not of {site_id}")
        try:
            opening = Ed25519PublicKey.from_public_bytes(bytes.fromhex(opened["key"]))
        except (KeyError, TypeError, ValueError) as error:
            raise LedgerError("entry 1: it names no key") from error
        signer = self.check(opening).key
        if signer != self._key.public_key():
            raise LedgerError(f"the ledger is continued by another key, {key_id(signer)}, than the site's")
        self.check_register()

    def check(self, opening: Ed25519PublicKey) -> Checked:
        """Check the chain from the key that opened the ledger; LedgerError names the first wrong entry."""
        return check_chain(self.entries(), opening)

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

    def reserve(self, reservation: Reservation, now_s: int) -> int:
        """Charge before drawing; durable when this returns. The number of the entry."""
        return self._append(
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

    def seal(
        self, entry: int, reservation: Reservation, envelope: bytes, admitted: Iterable[AdmittedRow], now_s: int
    ) -> None:
        """Store the answer, what it admitted and the entry that says so, all or nothing."""
        plan, quarter = reservation.plan, reservation.quarter
        rows, salt = sorted(admitted), secrets.token_bytes(SALT_BYTES)
        content: dict[str, object] = {
            "kind": "sealed",
            "plan": plan.hex(),
            "quarter": quarter,
            "reserved": entry,
            "release": hashlib.sha256(envelope).hexdigest(),
            "register": register_digest(salt, rows),
            "at": now_s,
        }
        with self._transaction():
            number = self._insert(content)
            kept = ((plan, *row, number) for row in rows)
            self._db.executemany("insert into admitted values (?, ?, ?, ?, ?, ?, ?, ?)", kept)
            self._db.execute("insert into register values (?, ?)", (number, salt))
            self._db.execute("insert into release values (?, ?, ?, ?)", (plan, quarter, envelope, number))
        self._remember()

    def note_sent(self, plan: bytes, quarter: int, to: str, request_id: str, now_s: int) -> None:
        """Put on record that a sealed answer is handed over for the first time; call it before the bytes leave.

        Later hand-overs add nothing, nor do answers that came back by reconciliation: the PSO had those.
        """
        row = self._db.execute(
            "select entry, length(envelope) from release where plan = ? and quarter = ? order by entry desc limit 1",
            (plan, quarter),
        ).fetchone()
        if row is None:
            raise LedgerError("an answer was to be sent that is not sealed")
        sealed = {entry.number for entry in self.entries() if entry.content["kind"] == "sealed"}
        if row[0] not in sealed.difference(content["sealed"] for content in self.contents("sent")):
            return
        content = {"kind": "sent", "plan": plan.hex(), "quarter": quarter, "sealed": row[0], "to": to}
        self._append(content | {"request_id": request_id, "bytes": row[1], "at": now_s})

    def rekey(self, new: Ed25519PrivateKey, now_s: int) -> None:
        """Hand the ledger over to a new key, which takes it over; every later entry is signed with it."""
        public = new.public_key()
        proof = new.sign(proof_input(self.head().hash, public)).hex()
        self._append({"kind": "rekeyed", "proof": proof, "at": now_s} | _names_of(public))
        self._key = new

    def leave(self, now_s: int) -> None:
        """Close the ledger: the site has left, and nothing follows."""
        self._append({"kind": "left", "at": now_s})

    def reconcile(self, statement: pb.Reconciliation, budget_nano: Mapping[str, int], now_s: int) -> Reconciled:
        """Take in what the PSO holds of this site after an old backup was restored; see `node.ledger.reconcile`.

        The statement's signature is checked by the caller. Once the ledger knows the head that it names, nothing more
        happens.
        """
        found = assess(self, statement, budget_nano, now_s, self._seen.heads())
        if not found.is_known:
            with self._transaction():
                number = self._insert(found.content(now_s))
                kept = ((item.digest, item.release.quarter, item.envelope, number) for item in found.lost)
                self._db.executemany("insert into release values (?, ?, ?, ?)", kept)
            self._remember()
        return found

    def assess(self, statement: pb.Reconciliation, budget_nano: Mapping[str, int], now_s: int) -> Reconciled:
        """What `reconcile` would do; changes nothing."""
        return assess(self, statement, budget_nano, now_s, self._seen.heads())

    def forgotten(self) -> int:
        """The number of the newest entry that was seen before and is not in this ledger; 0 if there is none."""
        return max((length for length, head in self._seen.heads() if not self.knows(length, head)), default=0)

    def _remember(self) -> None:
        """A ledger that has forgotten something must not take the place of what was seen."""
        head = self.head()
        if not self.forgotten():
            self._seen.keep_own(head.length, head.hash)

    def _append(self, content: Mapping[str, object]) -> int:
        with self._transaction():
            number = self._insert(content)
        self._remember()
        return number

    def _insert(self, content: Mapping[str, object]) -> int:
        if self.has_left():
            raise LedgerError("the site has left; nothing is added to its ledger")
        signers = self.public_keys()
        if signers and signers[-1] != self._key.public_key():
            raise LedgerError("another process has given the ledger a new key; start this one again")
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


def _names_of(public: Ed25519PublicKey) -> dict[str, str]:
    return {"key_id": key_id(public), "key": public.public_bytes_raw().hex()}
