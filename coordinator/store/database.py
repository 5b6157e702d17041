"""Opening the database: SQLite with foreign keys, write-ahead log and full synchronisation; migrations; transactions.

Every transaction says at its start whether it writes: a writing one takes the lock at once (BEGIN IMMEDIATE), so two
writers wait for each other and neither fails half way. Rows read are detached copies: changing one changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection as SqliteConnection

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, update
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from coordinator.clock import Clock
from coordinator.store.reader import Reader
from coordinator.store.schema import Site
from coordinator.store.writer import Writer
from protocols.operator.errors import InputError

BUSY_TIMEOUT_S = 30
_BEGIN = "leadline_begin"


def _set_pragmas(connection: SqliteConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # this module begins transactions, not the driver
    for pragma in ("foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _alembic(connection: Connection) -> AlembicConfig:
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


class Store:
    """The coordinator's database file. Safe to use from several threads and processes."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._engine: Engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S})
        event.listen(self._engine, "connect", _set_pragmas)
        event.listen(self._engine, "begin", _begin)
        self._writing = self._engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})

    def migrate(self) -> None:
        """Bring the tables to the newest version; make them if there are none. Nobody but the owner may read the file.

        SQLite gives the files that it makes beside it (-wal, -shm) the same mode.
        """
        self.path.touch(mode=0o600)
        self.path.chmod(0o600)
        with self._writing.begin() as connection:
            command.upgrade(_alembic(connection), "head")

    def check(self) -> None:
        """InputError if the file is missing or its tables are of another version."""
        hint = "run: init --dir DIR, which also migrates an older database"
        if not self.path.is_file():
            raise InputError("database_missing", f"there is no database {self.path}", hint)
        with self._engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
            expected = ScriptDirectory.from_config(_alembic(connection)).get_current_head()
        if found != expected:
            raise InputError("database_version", f"{self.path} is at version {found}, not {expected}", hint)

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """A consistent view; nothing can be written through it."""
        with Session(self._engine, autoflush=False) as session:
            yield Reader(session)
            session.expunge_all()
            session.rollback()

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """One transaction: committed at the end, rolled back on an error."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield Writer(session, self._clock)

    def note_seen(self, site_ids: Collection[str]) -> None:
        """Note that these sites' relays are online. An observation, not an act, so the audit log says nothing of it."""
        with self._writing.begin() as connection:
            connection.execute(update(Site).where(Site.site_id.in_(site_ids)).values(last_seen_at=self._clock.now()))

    def close(self) -> None:
        """Give back all connections."""
        self._engine.dispose()
