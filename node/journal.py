"""What was asked of this node and what it answered, for people to read; and what must be remembered beside the ledger.

No exchange that is noted here is a ground for an answer. The newest heads of the ledger are: they show that an old copy
of it was put back (see `node.ledger.seen`).

Bounded, whatever comes in: the newest exchanges are kept, one that comes again only moves its row to the top, and
what nobody trusted has signed is counted per day and reason, without a row of its own.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

ROWS = 1000
DAYS = 90
PLANS = 8
COUNT_S = 10
MAX_TEXT = 300
NOTHING = (0, b"")

_SCHEMA = """
create table if not exists asked (number integer primary key autoincrement, at_s integer not null, kind text not null,
    request_id text not null, plan_id text not null, year integer not null, quarter integer not null,
    outcome text not null, detail text not null, times integer not null,
    unique (kind, request_id, plan_id, year, quarter, outcome));
create table if not exists unverified (day text not null, reason text not null, times integer not null,
    primary key (day, reason));
create table if not exists plan (plan_id text primary key, year integer not null, tallies integer not null,
    issued_at_s integer not null, envelope blob not null);
create table if not exists newest (name text primary key, number integer not null, content blob not null);
"""


@dataclass(frozen=True)
class Asked:
    """One exchange that the PSO signed. `outcome` is the kind of the answer, or the code of a refusal.

    `year` and `quarter` are 0 and the texts empty where the statement has none; `times` is how often it came.
    """

    at_s: int
    kind: str
    request_id: str
    plan_id: str
    year: int
    quarter: int
    outcome: str
    detail: str
    times: int = 1


@dataclass(frozen=True)
class KeptPlan:
    """A plan that the PSO signed: its envelope, and by what it is found. `tallies` is how many it asks for."""

    plan_id: str
    year: int
    tallies: int
    issued_at_s: int
    envelope: bytes


_COLUMNS = ", ".join(field.name for field in fields(Asked))


class Journal:
    """The journal at `path`, of at most `rows` exchanges. Several processes may write it at a time."""

    def __init__(self, path: Path, rows: int = ROWS) -> None:
        self._path, self._rows = path, rows
        self._lock, self._counted, self._written_at_s = Lock(), Counter[tuple[str, str]](), -COUNT_S
        with self._opened() as db:
            db.execute("pragma journal_mode = wal")
            db.executescript(_SCHEMA)
        path.chmod(0o600)

    def note(self, asked: Asked, known: tuple[int, bytes] = NOTHING, plan: KeptPlan | None = None) -> None:
        """Record an exchange that was verified, in one act.

        `known` is the length and hash of this site's ledger as the PSO named them, `plan` the one that was sent along,
        where there is one; the newest PLANS are kept.
        """
        texts = (asked.kind, asked.request_id, asked.plan_id, asked.outcome, asked.detail)
        kind, request_id, plan_id, outcome, detail = (text[:MAX_TEXT] for text in texts)
        same = (kind, request_id, plan_id, asked.year, asked.quarter, outcome)
        with self._opened() as db:
            before = db.execute(
                "delete from asked where (kind, request_id, plan_id, year, quarter, outcome) = (?, ?, ?, ?, ?, ?) "
                "returning times",
                same,
            ).fetchone()
            times = asked.times + (before[0] if before else 0)
            db.execute(
                f"insert into asked ({_COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
                (asked.at_s, *same, detail, times),
            )
            db.execute("delete from asked where number <= (select max(number) from asked) - ?", (self._rows,))
            self._write_counts(db)
            _keep(db, "heard", asked.at_s, b"")
            _keep_newest(db, "known", known)
            if plan is not None:
                _keep_plan(db, plan)

    def count_unverified(self, reason: str, at_s: int) -> None:
        """Count a statement that nobody trusted has signed; `reason` is a code of the closed list.

        Counts reach the disk every COUNT_S seconds, or with the next exchange: a flood must not wear it out.
        """
        with self._lock:
            self._counted[datetime.fromtimestamp(at_s, UTC).date().isoformat(), reason] += 1
            if 0 <= at_s - self._written_at_s < COUNT_S:
                return
            self._written_at_s = at_s
        with self._opened() as db:
            self._write_counts(db)

    def name_head(self, length: int, head: bytes) -> None:
        """Record a head of this site's ledger that the PSO says it has seen; an older one is passed over."""
        with self._opened() as db:
            _keep_newest(db, "known", (length, head))

    def heads(self) -> tuple[tuple[int, bytes], ...]:
        """Length and hash of the newest ledger that this machine has had, and of the newest that the PSO named."""
        return tuple(found for name in ("own", "known") if (found := self._newest(name)) is not None)

    def keep_own(self, length: int, head: bytes) -> None:
        """Remember the ledger's head as it is now; durable when this returns."""
        if self._newest("own") != (length, head):
            with self._opened() as db:
                db.execute("pragma synchronous = full")
                _keep(db, "own", length, head)

    def same_person_key(self, fingerprint: bytes) -> bool:
        """Whether the fingerprint is the one that was given first, which is remembered for good."""
        with self._opened() as db:
            db.execute("insert or ignore into newest values ('person_key', 1, ?)", (fingerprint,))
        found = self._newest("person_key")
        return found is not None and found[1] == fingerprint

    def recent(self, limit: int) -> tuple[Asked, ...]:
        """The exchanges that were verified, newest first."""
        with self._opened() as db:
            query = f"select {_COLUMNS} from asked order by number desc limit ?"  # noqa: S608 - our own names
            return tuple(Asked(*row) for row in db.execute(query, (limit,)))

    def unverified(self) -> tuple[tuple[str, str, int], ...]:
        """Day, reason and number of the statements that nobody trusted had signed, newest day first."""
        with self._opened() as db:
            return tuple(db.execute("select day, reason, times from unverified order by day desc, reason"))

    def heard_at_s(self) -> int | None:
        """When the newest statement of the PSO came in, or None."""
        found = self._newest("heard")
        return found[0] if found else None

    def known(self) -> tuple[int, bytes] | None:
        """Length and hash of the newest head of this site's ledger that the PSO named, or None."""
        return self._newest("known")

    def newest_plan(self, plan_id: str | None = None) -> bytes | None:
        """The envelope of a plan that the PSO signed: of this id, else the one of the newest year that asks for most.

        None if no such plan is kept.
        """
        with self._opened() as db:
            row = db.execute(
                "select envelope from plan where ?1 is null or plan_id = ?1 "
                "order by year desc, tallies desc, issued_at_s desc limit 1",
                (plan_id,),
            ).fetchone()
            return bytes(row[0]) if row else None

    def plan_ids(self) -> tuple[str, ...]:
        """The ids of the plans that are kept, newest year first."""
        with self._opened() as db:
            rows = db.execute("select plan_id from plan order by year desc, tallies desc, issued_at_s desc")
            return tuple(row[0] for row in rows)

    def _write_counts(self, db: sqlite3.Connection) -> None:
        with self._lock:
            counted, self._counted = self._counted, Counter()
        more = "on conflict (day, reason) do update set times = times + excluded.times"
        rows = [(*key, times) for key, times in counted.items()]
        db.executemany(f"insert into unverified values (?, ?, ?) {more}", rows)  # noqa: S608 - our own words
        kept = "select distinct day from unverified order by day desc limit ?"
        db.execute(f"delete from unverified where day not in ({kept})", (DAYS,))  # noqa: S608 - our own words

    def _newest(self, name: str) -> tuple[int, bytes] | None:
        with self._opened() as db:
            row = db.execute("select number, content from newest where name = ?", (name,)).fetchone()
            return (row[0], bytes(row[1])) if row else None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own for every act: threads and processes share nothing but the file."""
        db = sqlite3.connect(self._path, timeout=30)
        try:
            db.execute("pragma synchronous = normal")
            with db:
                yield db
        finally:
            db.close()


def _keep_newest(db: sqlite3.Connection, name: str, found: tuple[int, bytes]) -> None:
    before = db.execute("select number from newest where name = ?", (name,)).fetchone()
    if found[0] and (before is None or found[0] >= before[0]):
        _keep(db, name, *found)


def _keep_plan(db: sqlite3.Connection, plan: KeptPlan) -> None:
    issued = db.execute("select issued_at_s from plan where plan_id = ?", (plan.plan_id,)).fetchone()
    if issued is None or plan.issued_at_s >= issued[0]:
        row = plan.plan_id, plan.year, plan.tallies, plan.issued_at_s, plan.envelope
        db.execute("insert or replace into plan values (?, ?, ?, ?, ?)", row)
        kept = "select plan_id from plan order by year desc, issued_at_s desc limit ?"
        db.execute(f"delete from plan where plan_id not in ({kept})", (PLANS,))  # noqa: S608 - our own words


def _keep(db: sqlite3.Connection, name: str, number: int, content: bytes) -> None:
    db.execute("insert or replace into newest values (?, ?, ?)", (name, number, content))
