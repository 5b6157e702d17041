"""Without the register of who was counted the caps would begin anew, so the chain holds on to it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from node.ledger.acts import LedgerError
from node.ledger.files import export_copy
from node.ledger.reading import AdmittedRow, register_digest
from node.ledger.store import Ledger
from tests.node.world import NOW, SITE, Node, Pso, supported_site

ROWS = [AdmittedRow("supported", f"unit-{number}", f"row-{number}", 1, 0, "{}") for number in range(4)]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    pso = Pso()
    made = Node(tmp_path / "node", pso, supported_site(12))
    made.answerer.answer(pso.request(pso.plan(), 1))
    made.ledger.close()
    return made


def _opened(node: Node) -> Ledger:
    return Ledger(node.folder / "ledger.sqlite", node.key, SITE, NOW)


def _tampered(node: Node, *statements: str) -> None:
    db = sqlite3.connect(node.folder / "ledger.sqlite", isolation_level=None)
    for table in ("admitted", "register"):
        for act in ("update", "delete"):
            db.execute(f"drop trigger {table}_no_{act}")
    for statement in statements:
        db.execute(statement)
    db.close()


def test_a_whole_ledger_opens_again(node: Node) -> None:
    _opened(node).close()


@pytest.mark.parametrize(
    "statement",
    [
        "delete from admitted",
        "delete from admitted where rowid = (select min(rowid) from admitted)",
        "delete from register",
        "update admitted set month = month + 1 where rowid = 1",
        "update register set salt = randomblob(32)",
        "insert into admitted values (x'00', 'supported', 'a', 'b', 1, 0, '{}', 1)",
    ],
)
def test_a_register_that_was_changed_is_found_at_the_next_opening(node: Node, statement: str) -> None:
    _tampered(node, statement)
    with pytest.raises(LedgerError, match="register of whom"):
        _opened(node)


def test_an_auditors_copy_does_not_pass_for_the_ledger(node: Node, tmp_path: Path) -> None:
    ledger = node.folder / "ledger.sqlite"
    export_copy(ledger, tmp_path / "copy.sqlite")
    for suffix in ("", "-wal", "-shm"):
        ledger.with_name(ledger.name + suffix).unlink(missing_ok=True)
    (tmp_path / "copy.sqlite").rename(ledger)
    with pytest.raises(LedgerError, match="register of whom"):
        _opened(node)


def test_the_digest_tells_nothing_without_the_salt() -> None:
    assert register_digest(b"1" * 32, []) != register_digest(b"2" * 32, [])
    assert register_digest(b"1" * 32, ROWS) != register_digest(b"1" * 32, ROWS[1:])
