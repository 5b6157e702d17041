"""What a ledger knows: heads, charges, plans, answers. Reading changes nothing."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.ledger.acts import SCOPES, LedgerError
from node.ledger.chain import GENESIS, Entry, Head
from node.ledger.files import read_entries
from protocols.catalogue import canonical_json

SALT_BYTES = 32


class AdmittedRow(NamedTuple):
    """One case in the admission register; `strata` is JSON of the positions of its strata's codes."""

    tally: str
    unit_key: str
    row_key: str
    month: int
    cell: int
    strata: str


def register_digest(salt: bytes, rows: Sequence[AdmittedRow]) -> str:
    """What a `sealed` entry says of the cases that its slice admitted: SHA-256 over a salt and them, in hex.

    The salt is kept beside the register and never leaves, so that the digest tells nobody who, or how many, it is of.
    """
    return hashlib.sha256(salt + canonical_json([list(row) for row in rows])).hexdigest()


class LedgerReader:
    """The reading half of `node.ledger.store.Ledger`."""

    _db: sqlite3.Connection

    def head(self) -> Head:
        """The newest entry."""
        row = self._db.execute("select hash, number from entry order by number desc limit 1").fetchone()
        return Head(row[0], row[1]) if row else Head(GENESIS, 0)

    def hash_at(self, number: int) -> bytes | None:
        """Hash of the entry with this number, or None if there is none."""
        row = self._db.execute("select hash from entry where number = ?", (number,)).fetchone()
        return bytes(row[0]) if row else None

    def knows(self, length: int, head: bytes) -> bool:
        """Whether the ledger holds the entry that somebody has seen, or was reconciled with one that does."""
        if self.hash_at(length) == head:
            return True
        return any([length, head.hex()] in content["seen"] for content in self.contents("reconciled"))

    def site(self) -> str:
        """The site for which the ledger was opened."""
        return str(self.entries()[0].content["site"])

    def has_left(self) -> bool:
        """Whether the site has left the network for good."""
        return any(True for _ in self.contents("left"))

    def entries(self) -> list[Entry]:
        """All entries, oldest first."""
        return read_entries(self._db)

    def contents(self, *kinds: str) -> Iterator[dict[str, Any]]:
        """The bodies of all entries of these kinds, oldest first."""
        return (content for entry in self.entries() if (content := entry.content)["kind"] in kinds)

    def public_keys(self) -> tuple[Ed25519PublicKey, ...]:
        """Every public key of the site that the chain names, oldest first."""
        named = (content["key"] for content in self.contents("opened", "rekeyed"))
        return tuple(Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)) for key in named)

    def spent(self, year: int) -> dict[str, int]:
        """Nano-rho charged in a ledger year, per scope, sealed or not."""
        spent = dict.fromkeys(SCOPES, 0)
        for charged_year, charges in self._charges():
            for scope, nano in charges.items() if charged_year == year else ():
                spent[scope] += nano
        return spent

    def years(self) -> tuple[int, ...]:
        """The ledger years in which anything was charged, rising."""
        return tuple(sorted({year for year, _ in self._charges()}))

    def _charges(self) -> Iterator[tuple[int, dict[str, int]]]:
        for content in self.contents("reserved", "reconciled"):
            if content["kind"] == "reserved":
                yield content["year"], content["charges"]
            else:
                yield from ((int(year), charges) for year, charges in content["charges"].items())

    def plan_with_id(self, plan_id: str) -> bytes | None:
        """Digest of the plan that was carried out under this id, if any."""
        for content in self.contents("reserved", "reconciled"):
            for digest, plan in content.get("plans", {content.get("plan"): content}).items():
                if plan["plan_id"] == plan_id:
                    return bytes.fromhex(digest)
        return None

    def is_closed(self, plan: bytes) -> bool:
        """Whether slices of this plan were lost with an old backup, so that nothing more of it may be drawn."""
        return any(plan.hex() in content["plans"] for content in self.contents("reconciled"))

    def tallies_of(self, plan: bytes) -> frozenset[str] | None:
        """The tallies that a plan's first reservation paid for; None if the plan was never reserved."""
        for content in self.contents("reserved"):
            if content["plan"] == plan.hex():
                return frozenset(content["tallies"])
        return None

    def attempts(self, plan: bytes, quarter: int | None = None, after: int = 0) -> int:
        """How often the plan, or one quarter of it, was reserved in entries whose number is above `after`."""
        reserved = [e.content for e in self.entries() if e.number > after and e.content["kind"] == "reserved"]
        return sum(c["plan"] == plan.hex() and quarter in (None, c["quarter"]) for c in reserved)

    def sealed(self, plan: bytes, quarter: int) -> bytes | None:
        """The answer that was sealed for this slice, byte for byte; the one that the PSO holds, if there were two."""
        row = self._db.execute(
            "select envelope from release where plan = ? and quarter = ? order by entry desc limit 1", (plan, quarter)
        ).fetchone()
        return bytes(row[0]) if row else None

    def sealed_quarters(self, plan: bytes) -> tuple[int, ...]:
        """The quarters of a plan that are sealed."""
        rows = self._db.execute("select distinct quarter from release where plan = ? order by quarter", (plan,))
        return tuple(row[0] for row in rows)

    def answers(self) -> list[tuple[int, bytes]]:
        """Every sealed answer, with the number of the entry that seals it, oldest first."""
        rows = self._db.execute("select entry, envelope from release order by entry, quarter")
        return [(int(row[0]), bytes(row[1])) for row in rows]

    def check_register(self) -> None:
        """LedgerError unless the register holds exactly the cases that the sealed slices admitted.

        Without it the caps would begin anew. A copy made for an auditor has none, and cannot take the ledger's place.
        """
        salts = dict(self._db.execute("select entry, salt from register"))
        rows: dict[int, list[AdmittedRow]] = defaultdict(list)
        for entry, *row in self._db.execute(
            "select entry, tally, unit_key, row_key, month, cell, strata from admitted"
        ):
            rows[entry].append(AdmittedRow(*row))
        for entry in self.entries():
            content = entry.content
            if content["kind"] == "sealed":
                digest = register_digest(salts.pop(entry.number, b""), sorted(rows.pop(entry.number, [])))
                if digest != content["register"]:
                    raise LedgerError(
                        f"entry {entry.number}: the register of whom it counted is missing or was changed"
                    )
        if rows or salts:
            raise LedgerError("the register of whom was counted holds rows of no sealed entry")

    def admitted(self, plan: bytes, tally_id: str) -> list[AdmittedRow]:
        """What sealed slices of this plan admitted of a tally (see `node.ledger.register`)."""
        rows = self._db.execute(
            "select tally, unit_key, row_key, month, cell, strata from admitted where plan = ? and tally = ?",
            (plan, tally_id),
        )
        return [AdmittedRow(*row) for row in rows]
