"""Views of a real PostgreSQL and of SQLite: read by name alone, and never written to."""

from __future__ import annotations

import hashlib
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from node.sources import database
from node.sources.database import read_url, read_view
from node.sources.refused import FileRefused
from node.sources.table import Wanted

WANTED = Wanted(("Ref No", "day"), ("harm", "gone"))
ROW = ["0101", "2025-03-04", "Low"]
TABLE = 'CREATE TABLE events ("Ref No" text, day date, harm text, "comment; DROP TABLE events" text)'
SOUND = "INSERT INTO events VALUES ('0101', '2025-03-04', 'Low', 'secret'), (NULL, NULL, NULL, NULL)"


@pytest.fixture
def lite(tmp_path: Path) -> str:
    with sqlite3.connect(tmp_path / "q.db") as made:
        made.execute(TABLE)
        made.execute(SOUND)
        made.execute('CREATE VIEW "Safety" AS SELECT * FROM events')
    made.close()
    return f"sqlite:///{tmp_path / 'q.db'}"


@pytest.fixture
def server(postgres: str) -> str:
    with owner(postgres) as connection:
        for statement in (
            "DROP SCHEMA IF EXISTS quality CASCADE",
            "CREATE SCHEMA quality",
            "SET search_path TO quality",
            TABLE,
            SOUND,
            'CREATE VIEW "Safety" AS SELECT * FROM events',
            "CREATE FUNCTION note() RETURNS text LANGUAGE plpgsql AS "
            "$$ BEGIN INSERT INTO quality.events VALUES ('written'); RETURN 'x'; END $$",
            "CREATE FUNCTION loosen() RETURNS text LANGUAGE plpgsql AS $$ BEGIN "
            "PERFORM set_config('transaction_read_only', 'off', false); RETURN quality.note(); END $$",
            'CREATE VIEW noting AS SELECT quality.note() AS "Ref No", current_date AS day',
            'CREATE VIEW loosening AS SELECT quality.loosen() AS "Ref No", current_date AS day',
        ):
            connection.execute(sa.text(statement))
    return postgres


def owner(url: str) -> Any:
    return sa.create_engine(url, poolclass=sa.pool.NullPool).begin()


def count(url: str) -> int:
    with owner(url) as connection:
        return int(connection.execute(sa.text("SELECT count(*) FROM quality.events")).scalar_one())


def test_a_view_of_postgresql_is_read(server: str) -> None:
    table = read_view(server, "quality.Safety", WANTED)
    assert table.cells.iloc[0].tolist() == ROW
    assert (table.numbers.tolist(), table.left, table.absent) == ([1], {"blank_row": (2,)}, ("gone",))
    assert (table.file, table.encoding, table.header_row) == ("quality.Safety", "database", 0)


def test_types_of_postgresql_become_text(server: str) -> None:
    values = {
        "timestamp '2025-03-04 14:30'": "2025-03-04 14:30:00",
        "1.20::numeric": "1.20",
        "123456789012345678": "123456789012345678",
        "0.1::float8": "0.1",
        "true": "true",
        "time '09:05'": "09:05:00",
        "'6f1c0d3e-0000-4000-8000-000000000001'::uuid": "6f1c0d3e-0000-4000-8000-000000000001",
        "interval '95 minutes'": "1:35:00",
    }
    columns = ", ".join(f"{sql} AS c{number}" for number, sql in enumerate(values))
    with owner(server) as connection:
        connection.execute(sa.text(f"CREATE VIEW quality.typed AS SELECT {columns}, ARRAY[1] AS listed"))
    table = read_view(server, "quality.typed", Wanted(tuple(f"c{number}" for number in range(len(values)))))
    assert table.cells.iloc[0].tolist() == list(values.values())
    with pytest.raises(FileRefused, match="column 'listed' is of a type without plain text"):
        read_view(server, "quality.typed", Wanted(("listed",)))


@pytest.mark.parametrize("view", ["noting", "loosening"])
def test_a_view_that_writes_fails_and_nothing_is_written(server: str, view: str) -> None:
    before = count(server)
    with pytest.raises(FileRefused, match=r"did not let it be read \(\w+, SQLSTATE (25006|25001|22023)\)"):
        read_view(server, f"quality.{view}", Wanted(("Ref No",)))
    assert count(server) == before
    with owner(server) as connection:  # it does write where writing is allowed
        connection.execute(sa.text("SELECT * FROM quality.noting")).all()
    assert count(server) == before + 1


def test_a_view_that_takes_too_long_is_given_up(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "STATEMENT_TIMEOUT_MS", 100)
    with owner(server) as connection:
        connection.execute(sa.text("CREATE VIEW quality.slow AS SELECT pg_sleep(30)::text AS ref"))
    with pytest.raises(FileRefused, match="SQLSTATE 57014"):
        read_view(server, "quality.slow", Wanted(("ref",)))


def test_sqlite_is_opened_for_reading(lite: str, tmp_path: Path) -> None:
    digest = hashlib.sha256((tmp_path / "q.db").read_bytes()).digest()
    assert read_view(lite, "Safety", WANTED).cells.iloc[0].tolist() == ROW
    engine = database._engine(sa, lite)
    with database._read_only(sa, engine) as connection, pytest.raises(sa.exc.OperationalError, match="readonly"):
        connection.execute(sa.text("DELETE FROM events"))
    engine.dispose()
    assert hashlib.sha256((tmp_path / "q.db").read_bytes()).digest() == digest
    with pytest.raises(FileRefused, match="did not let it be read"):
        read_view(f"sqlite:///{tmp_path / 'none.db'}", "Safety", WANTED)
    assert not (tmp_path / "none.db").exists()


def test_names_are_quoted_and_never_sql(lite: str) -> None:
    column = "comment; DROP TABLE events"
    assert read_view(lite, "events", Wanted((column,))).cells[column].tolist() == ["secret"]
    assert read_view(lite, "events", WANTED).rows_read == 2
    for view in ('events"; DROP TABLE events; --', "(SELECT 1)", "nothing"):
        with pytest.raises(FileRefused):
            read_view(lite, view, WANTED)
    assert read_view(lite, "events", WANTED).rows_read == 2


def test_a_missing_column_is_named(lite: str) -> None:
    with pytest.raises(FileRefused, match=r"Safety: no column 'harms' .nearest found: 'harm'."):
        read_view(lite, "Safety", Wanted(("harms",)))


def test_more_rows_than_any_site_has_are_refused(lite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "MAX_ROWS", 1)
    with pytest.raises(FileRefused, match="it has more than 1 rows"):
        read_view(lite, "Safety", WANTED)


@pytest.mark.parametrize(
    "url", ["nonsense", "nodb://x", "postgresql+psycopg://u:hunter2@127.0.0.1:1/x", "postgresql://u:hunter2@[/x"]
)
def test_no_password_in_any_message(url: str) -> None:
    with pytest.raises(FileRefused) as caught:
        read_view(url, "Safety", WANTED)
    assert "hunter2" not in str(caught.value)


def test_without_sqlalchemy_the_extra_is_named(lite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(FileRefused, match="install leadline with its extra `database`"):
        read_view(lite, "Safety", WANTED)


def test_the_address_comes_from_a_private_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "db.url"
    path.write_text("sqlite:///q.db\n")
    path.chmod(0o640)
    with pytest.raises(FileRefused, match="others can read this file; run: chmod 600"):
        read_url(path, None)
    path.chmod(0o600)
    assert read_url(path, None) == "sqlite:///q.db"
    path.write_text("x" * 5_000)
    with pytest.raises(FileRefused, match="no file with one line"):
        read_url(path, None)
    with pytest.raises(FileRefused, match="it cannot be read"):
        read_url(tmp_path / "none", None)
    monkeypatch.setenv("QUALITY_DB", " sqlite:///q.db ")
    assert read_url(None, "QUALITY_DB") == "sqlite:///q.db"
    with pytest.raises(FileRefused, match="NO_DB: this environment variable is not set"):
        read_url(None, "NO_DB")
