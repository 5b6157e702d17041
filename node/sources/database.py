"""One view or table of a database as a table of text, read through SQLAlchemy.

A mapping names a view and columns, never SQL: the only statement is the SELECT that SQLAlchemy builds from those names,
in a transaction that is read-only where the database knows such a thing and is rolled back in every case.
"""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from node.sources.cells import cell_text
from node.sources.layout import missing_from, no_columns, refuse_repeated
from node.sources.refused import FileRefused
from node.sources.table import MAX_ROWS, TextTable, Wanted, header_name, text_frame

ROWS_AT_ONCE = 10_000
CONNECT_TIMEOUT_S = 30
STATEMENT_TIMEOUT_MS = 600_000
MAX_URL_BYTES = 4_096
_READ_ONLY_STATEMENT = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}
_ASK_DBA = "ask the database's owner for a view that this account may read"


def read_url(url_file: Path | None, url_env: str | None) -> str:
    """The address of the database from a file that only its owner can read, or from an environment variable.

    Raises FileRefused; the address holds a password and is in no message.
    """
    if url_file is None:
        url = os.environ.get(str(url_env), "")
        if not url.strip():
            raise FileRefused(str(url_env), "this environment variable is not set", "set it for the node's service")
        return url.strip()
    try:
        facts = url_file.stat()
        if facts.st_mode & 0o077:
            raise FileRefused(url_file.name, "others can read this file", f"run: chmod 600 {url_file}")
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > MAX_URL_BYTES:
            raise FileRefused(url_file.name, "it is no file with one line", "write the database's address into it")
        return url_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise FileRefused(url_file.name, "it cannot be read", "write the database's address into it") from error


def read_view(url: str, view: str, wanted: Wanted) -> TextTable:
    """The wanted columns of a view, given as `name` or `schema.name`; row numbers count its rows from 1.

    Raises FileRefused if it cannot be read, lacks needed columns, or has more than MAX_ROWS rows.
    """
    sa = _sqlalchemy(view)
    try:
        engine = _engine(sa, url)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError, ValueError) as error:
        raise FileRefused(
            view, "the database's address is not valid", "write dialect+driver://user@host/name"
        ) from error
    try:
        with _read_only(sa, engine) as connection:
            return _read(sa, connection, view, wanted)
    except sa.exc.SQLAlchemyError as error:
        # The text of a database's error may quote values and the address; its class and SQLSTATE do not.
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        kind = type(error).__name__ + (f", SQLSTATE {state}" if state else "")
        raise FileRefused(view, f"the database did not let it be read ({kind})", _ASK_DBA) from None
    finally:
        engine.dispose()


def _sqlalchemy(view: str) -> Any:
    """SQLAlchemy, imported only by sites that read a database: the daemon of the others runs without it."""
    try:
        return importlib.import_module("sqlalchemy")
    except ImportError as error:
        raise FileRefused(
            view, "reading databases needs SQLAlchemy", "install leadline with its extra `database`"
        ) from error


def _engine(sa: Any, url: str) -> Any:
    address = sa.engine.make_url(url)
    pool = sa.pool.NullPool
    if address.get_driver_name() in ("psycopg", "psycopg2"):
        address = address.difference_update_query(["connect_timeout"])
        address = address.update_query_dict({"connect_timeout": str(CONNECT_TIMEOUT_S)})
    if address.get_backend_name() != "sqlite":
        return sa.create_engine(address, poolclass=pool, hide_parameters=True)
    # A file opened for reading cannot be made or changed by accident.
    place = f"file:{quote(str(Path(address.database or '').resolve()))}?mode=ro&uri=true"
    return sa.create_engine(f"sqlite:///{place}", poolclass=pool, hide_parameters=True)


@contextmanager
def _read_only(sa: Any, engine: Any) -> Iterator[Any]:
    """A connection whose transaction cannot write, and is rolled back at the end."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(postgresql_readonly=True)
            connection.execute(sa.text(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}"))
        elif engine.dialect.name == "sqlite":
            connection.execute(sa.text("PRAGMA query_only = ON"))
        elif engine.dialect.name in _READ_ONLY_STATEMENT:
            connection.execute(sa.text(_READ_ONLY_STATEMENT[engine.dialect.name]))
            if engine.dialect.name != "oracle":
                connection.rollback()  # there it holds from the next transaction on
        try:
            yield connection
        finally:
            connection.rollback()


def _read(sa: Any, connection: Any, view: str, wanted: Wanted) -> TextTable:
    schema, _, name = view.rpartition(".")
    try:
        stored = [column["name"] for column in sa.inspect(connection).get_columns(name, schema or None)]
    except sa.exc.NoSuchTableError as error:
        raise FileRefused(view, "the database shows no view or table of this name", _ASK_DBA) from error
    names = [header_name(column) for column in stored]
    missing = missing_from(names, wanted.needed)
    if missing:
        raise no_columns(stored, missing, view)
    refuse_repeated(names, wanted, view)
    stored_as = dict(zip(names, stored, strict=True))
    present = {column: stored_as[header_name(column)] for column in wanted.all if header_name(column) in stored_as}
    source = sa.table(name, *map(sa.column, dict.fromkeys(present.values())), schema=schema or None)
    rows = _stream(connection, sa.select(*(source.c[stored] for stored in present.values())), view)
    return _table(view, list(present), rows, tuple(column for column in wanted.all if column not in present))


def _stream(connection: Any, statement: Any, view: str) -> list[list[str]]:
    rows: list[list[str]] = []
    with connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement) as found:
        for row in found:
            texts = [cell_text(value) for value in row]
            if None in texts:
                column = statement.selected_columns.keys()[texts.index(None)]
                raise FileRefused(view, f"column '{column}' is of a type without plain text", "export it as text")
            rows.append([text or "" for text in texts])
            if len(rows) > MAX_ROWS:
                raise FileRefused(view, f"it has more than {MAX_ROWS} rows", "let the view show fewer years")
    return rows


def _table(view: str, columns: list[str], rows: list[list[str]], absent: tuple[str, ...]) -> TextTable:
    filled = [number for number, row in enumerate(rows, start=1) if any(row)]
    blank = tuple(number for number, row in enumerate(rows, start=1) if not any(row))
    kept = [row for row in rows if any(row)]
    cells = {column: [row[place] for row in kept] for place, column in enumerate(columns)}
    return TextTable(
        file=view,
        cells=text_frame(cells, len(kept)),
        numbers=np.array(filled, dtype=np.int64),
        left={"blank_row": blank} if blank else {},
        absent=absent,
        encoding="database",
        delimiter="",
        header_row=0,
    )
