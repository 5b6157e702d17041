"""The ledger: append-only, chained, signed, verified by anybody; a crash at any step loses and doubles nothing."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.ledger.acts import LedgerError
from node.ledger.files import verify_file
from node.ledger.store import Ledger
from protocols.keys import create_private_key, load_private_key
from protocols.statement import parse_envelope
from tests.node.world import NOW, SITE, Node, Pso, supported_site

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, supported_site(12))


def _verify(node: Node) -> int:
    return verify_file(node.folder / "ledger.sqlite", node.key.public_key()).entries


def test_an_outsider_verifies_with_the_public_key_alone(node: Node, pso: Pso) -> None:
    for quarter in (1, 2):
        node.answerer.answer(pso.request(pso.plan(), quarter))
    assert _verify(node) == 7  # opened, and reserved, sealed and sent twice


@pytest.mark.parametrize("statement", ["update entry set body = x'00'", "delete from entry", "delete from release",
                                       "update release set envelope = x'00'", "delete from admitted",
                                       "update admitted set month = 1"])  # fmt: skip
def test_rows_cannot_be_changed_or_deleted(statement: str, node: Node, pso: Pso) -> None:
    node.answerer.answer(pso.request(pso.plan(), 1))
    with sqlite3.connect(node.folder / "ledger.sqlite") as db, pytest.raises(sqlite3.IntegrityError, match="never"):
        db.execute(statement)


def _tamper(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as db:
        for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            db.execute(f"drop trigger {name}")
        db.execute(statement)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "update entry set body = replace(body, '\"quarter\":1', '\"quarter\":2') where number = 2",
            "entry 2: it does",
        ),
        ("update entry set body = 'no json' where number = 2", "entry 2: it does"),
        ("delete from entry where number = 3", "entry 3 is missing"),
        ("delete from release where quarter = 1", "entry 3: the answer"),
        ("update release set envelope = x'00' where quarter = 2", "entry 6: the answer"),
        ("update entry set signature = zeroblob(64) where number = 4", "entry 4: it is not signed"),
    ],
)
def test_tampering_is_found_and_named(statement: str, message: str, node: Node, pso: Pso) -> None:
    for quarter in (1, 2):
        node.answerer.answer(pso.request(pso.plan(), quarter))
    node.ledger.close()
    _tamper(node.folder / "ledger.sqlite", statement)
    with pytest.raises(LedgerError, match=message):
        _verify(node)


def test_another_key_does_not_verify(node: Node) -> None:
    with pytest.raises(LedgerError, match=r"the ledger was opened with key .*, and the key given is"):
        verify_file(node.folder / "ledger.sqlite", Ed25519PrivateKey.generate().public_key())


def test_a_file_that_is_no_ledger_is_said_to_be_none(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(LedgerError, match="there is no ledger"):
        verify_file(tmp_path / "nothing", key)
    (tmp_path / "text").write_text("not a database at all" * 100)
    with pytest.raises(LedgerError, match="is not a ledger"):
        verify_file(tmp_path / "text", key)


# ---- crashes: a real process is killed with SIGKILL at each step ------------------------------------------------

CHILD = """
import os, signal, sys
from pathlib import Path
from protocols.keys import load_private_key
from tests.node.world import Node, Pso, supported_site
folder, step, quarter = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def kill(reached):
    if reached == step:
        os.kill(os.getpid(), signal.SIGKILL)
pso = Pso(load_private_key(folder / "pso.key"))
node = Node(folder / "node", pso, supported_site(12), key=load_private_key(folder / "site.key"), on_step=kill)
sys.stdout.buffer.write(node.answerer.answer(pso.request(pso.plan(), quarter)))
"""


def _child(folder: Path, step: str, quarter: int = 1) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(folder), step, str(quarter)], cwd=ROOT, capture_output=True, check=False
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_private_key(tmp_path / "pso.key")
    create_private_key(tmp_path / "site.key")
    return tmp_path


def _ledger(folder: Path) -> Ledger:
    return Ledger(folder / "node" / "ledger.sqlite", load_private_key(folder / "site.key"), SITE, NOW)


PLAN_COST = 30_000_000
FIRST_QUARTER_COST = 20_000_000  # month and quarter tables; the year table closes with the fourth quarter


@pytest.mark.parametrize(
    ("step", "spent_after_retry", "entries_after_retry"),
    [
        ("reserved", PLAN_COST + FIRST_QUARTER_COST, 5),
        ("drawn", PLAN_COST + FIRST_QUARTER_COST, 5),
        ("sealed", PLAN_COST, 4),
    ],
)
def test_killed_at_each_step(step: str, spent_after_retry: int, entries_after_retry: int, folder: Path) -> None:
    killed = _child(folder, step)
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout == b""
    assert _ledger(folder).spent(2025)["clinician"] == PLAN_COST, "what may have been drawn stays charged"
    retried = _child(folder, "never")
    assert parse_envelope(retried.stdout).kind == "release"
    assert _ledger(folder).spent(2025)["clinician"] == spent_after_retry
    again = _child(folder, "never")
    assert again.stdout == retried.stdout, "byte for byte"
    head = verify_file(folder / "node" / "ledger.sqlite", load_private_key(folder / "site.key").public_key())
    assert head.entries == entries_after_retry


def test_killed_again_and_again_the_budget_ends_and_is_never_passed(folder: Path) -> None:
    for _ in range(9):
        _child(folder, "drawn", quarter=4)
    spent = _ledger(folder).spent(2025)["clinician"]
    assert spent <= 185_069_840
    refused = _child(folder, "never", quarter=4)
    assert parse_envelope(refused.stdout).kind == "refusal"


def _race(folder: str, results: str, number: int) -> None:
    pso = Pso(load_private_key(Path(folder) / "pso.key"))
    node = Node(Path(folder) / "node", pso, supported_site(12), key=load_private_key(Path(folder) / "site.key"))
    answer = node.answerer.answer(pso.request(pso.plan(), 1, request_id=f"r{number}"))
    (Path(results) / str(number)).write_bytes(answer)


def test_processes_that_race_get_one_answer_for_one_charge(folder: Path) -> None:
    results = folder / "results"
    results.mkdir()
    context = get_context("spawn")
    racers = [context.Process(target=_race, args=(str(folder), str(results), number)) for number in range(4)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join(60)
    answers = {path.read_bytes() for path in results.iterdir()}
    assert len(list(results.iterdir())) == 4
    assert len(answers) == 1
    assert _ledger(folder).spent(2025)["clinician"] == PLAN_COST


def test_a_restored_backup_is_behind(folder: Path) -> None:
    _child(folder, "never", quarter=1)
    pso, key = Pso(load_private_key(folder / "pso.key")), load_private_key(folder / "site.key")
    node = Node(folder / "node", pso, supported_site(12), key=key)
    node.ledger._db.execute("pragma wal_checkpoint(truncate)")
    shutil.copytree(folder / "node", folder / "backup")
    newer = node.release(pso.request(pso.plan(), 2)).message
    node.ledger.close()
    old = Node(folder / "backup", pso, supported_site(12), key=key)
    request = pso.request(pso.plan(), 3, known_head=newer.ledger_head, known_length=newer.ledger_length)
    assert old.refusal(request).code == "ledger_behind"


def test_a_ledger_of_another_process_is_locked_out_while_it_writes(folder: Path) -> None:
    ledger = _ledger_in_new_folder(folder)
    with ledger.locked():
        waiting = subprocess.Popen([sys.executable, "-c", CHILD, str(folder), "never", "1"], cwd=ROOT, stdout=-1)
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(4)
        assert ledger.head().length == 1
    assert parse_envelope(waiting.communicate(timeout=60)[0]).kind == "release"


def _ledger_in_new_folder(folder: Path) -> Ledger:
    (folder / "node").mkdir()
    return _ledger(folder)


def test_a_ledger_that_was_changed_or_is_anothers_is_not_opened(node: Node, pso: Pso) -> None:
    node.answerer.answer(pso.request(pso.plan(), 1))
    node.ledger.close()
    path = node.folder / "ledger.sqlite"
    with pytest.raises(LedgerError, match="continued by another key"):
        Ledger(path, Ed25519PrivateKey.generate(), SITE, NOW)
    _tamper(path, "update entry set body = replace(body, '30000000', '1') where number = 2")
    with pytest.raises(LedgerError, match="entry 2"):
        Ledger(path, node.key, SITE, NOW)
