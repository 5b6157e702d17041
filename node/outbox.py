"""Answers to statements that came as files, kept until they have been carried away. Lives in the journal's file."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROWS = 512

_SCHEMA = """
create table if not exists outbox (number integer primary key autoincrement, asked blob not null unique,
    answer blob not null, export integer);
"""


class Outbox:
    """What `import` answered, in order; `export` is the number of the export that carried it, if any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._opened() as db:
            db.executescript(_SCHEMA)
        path.chmod(0o600)

    def put(self, asked: bytes, answer: bytes) -> None:
        """Keep the answer to the envelope `asked`; it waits for the next export."""
        with self._opened() as db:
            digest = _digest(asked)
            db.execute("delete from outbox where asked = ?", (digest,))
            db.execute("insert into outbox (asked, answer) values (?, ?)", (digest, answer))
            db.execute(
                "delete from outbox where export is not null and number <= (select max(number) from outbox) - ?",
                (ROWS,),
            )

    def answer_to(self, asked: bytes) -> bytes | None:
        """What the envelope `asked` was answered with, if that is still kept."""
        with self._opened() as db:
            row = db.execute("select answer from outbox where asked = ?", (_digest(asked),)).fetchone()
            return bytes(row[0]) if row else None

    def waiting(self) -> tuple[tuple[int, bytes], ...]:
        """Number and envelope of what no export has carried yet; where there is none, of what the last one carried."""
        with self._opened() as db:
            last = "select max(export) from outbox"
            rows = db.execute("select number, answer from outbox where export is null order by number").fetchall()
            rows = (
                rows
                or db.execute(
                    f"select number, answer from outbox where export = ({last}) order by number"  # noqa: S608 - our own words
                ).fetchall()
            )
            return tuple((row[0], bytes(row[1])) for row in rows)

    def mark_exported(self, numbers: tuple[int, ...]) -> None:
        """Record that one export carried these."""
        with self._opened() as db:
            export = db.execute("select coalesce(max(export), 0) + 1 from outbox").fetchone()[0]
            db.executemany("update outbox set export = ? where number = ?", [(export, number) for number in numbers])

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._path, timeout=30)
        try:
            with db:
                yield db
        finally:
            db.close()


def _digest(asked: bytes) -> bytes:
    return hashlib.sha256(asked).digest()
