"""The database file: its settings, its migrations, and what its triggers refuse."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import create_engine

from coordinator.clock import SystemClock
from coordinator.rounds.conduct import advance_rounds
from coordinator.store.audit import Actor, Event
from coordinator.store.database import Store
from coordinator.store.schema import Base
from protocols.operator.errors import InputError
from tests.coordinator.conftest import World
from tests.coordinator.test_publications import publish_now

CHANGES = [
    "UPDATE plans SET year = year",
    "UPDATE releases SET envelope = envelope",
    "UPDATE publications SET document = document",
    "UPDATE audit_events SET actor = actor",
    "UPDATE retired_keys SET is_stolen = 0",
    "DELETE FROM retired_keys",
    "DELETE FROM plans",
    "DELETE FROM releases",
    "DELETE FROM publications",
    "DELETE FROM audit_events",
]


def test_migrations_make_the_tables_of_the_models(tmp_path: Path) -> None:
    Store(tmp_path / "a.db", SystemClock()).migrate()
    with create_engine(f"sqlite:///{tmp_path / 'a.db'}").connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_again_changes_nothing(world: World) -> None:
    world.store.migrate()
    world.store.check()
    with world.store.reading() as reader:
        assert len(reader.sites()) == 5


def test_a_database_that_is_missing_or_of_another_version_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "a.db", SystemClock())
    with pytest.raises(InputError, match="no database"):
        store.check()
    sqlite3.connect(tmp_path / "a.db").execute("CREATE TABLE other (x)")
    with pytest.raises(InputError, match="version"):
        store.check()


def test_connections_are_durable_and_check_foreign_keys(world: World) -> None:
    with world.store.reading() as reader:
        pragma = {
            name: reader._session.connection().exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("foreign_keys", "journal_mode", "synchronous")
        }
    assert pragma == {"foreign_keys": 1, "journal_mode": "wal", "synchronous": 2}


def test_what_is_signed_or_logged_cannot_be_changed_or_deleted(world: World) -> None:
    world.open()
    world.pump()
    advance_rounds(world.store, world.clock)
    publish_now(world)
    world.sites[0].key = Ed25519PrivateKey.generate()
    world.approve(world.sites[0], new_keys=True)
    database = sqlite3.connect(world.config.paths.database)
    for statement in CHANGES:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            database.execute(statement)


def test_a_reader_cannot_write(world: World) -> None:
    with world.store.reading() as reader:
        assert not hasattr(reader, "note")
        site = reader.sites()[0]
    site.site_id = "other"
    with world.store.reading() as reader:
        assert reader.site("other") is None


def fail_after_a_write(world: World) -> None:
    with world.store.writing() as writer:
        writer.note(Event(Actor.OPERATOR, "test", "x"))
        raise RuntimeError


def test_a_failed_transaction_leaves_nothing(world: World) -> None:
    before = count_events(world)
    with pytest.raises(RuntimeError):
        fail_after_a_write(world)
    assert count_events(world) == before


def count_events(world: World) -> int:
    with world.store.reading() as reader:
        return len(reader.audit_events())
