"""Kinds of entries and their order: sent once, handed over to a new key by both keys, nothing after leaving."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.ledger.acts import LedgerError, WrongKeyError
from node.ledger.budget import describe_budget
from node.ledger.chain import GENESIS, Entry, Head, check_chain, make_entry, proof_input
from node.ledger.files import export_copy, verify_file
from node.ledger.store import Ledger
from node.ledger.words import describe_entry
from protocols.statement import key_id
from tests.node.world import NOW, SITE, Node, Pso, SettableClock, supported_site

KEY, NEW = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PLAN = bytes(32).hex()


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, supported_site(4))


def _path(node: Node) -> Path:
    return node.config.paths.ledger


def _rekey(node: Node) -> Ed25519PrivateKey:
    new = Ed25519PrivateKey.generate()
    node.ledger.rekey(new, NOW)
    return new


# ---- the chain by itself --------------------------------------------------------------------------------------


def _names(key: Ed25519PrivateKey) -> dict[str, str]:
    public = key.public_key()
    return {"key_id": key_id(public), "key": public.public_bytes_raw().hex()}


OPENED: dict[str, Any] = {"kind": "opened", "site": SITE, "at": NOW} | _names(KEY)
RESERVED: dict[str, Any] = {"kind": "reserved", "charges": {"clinician": 1}}
SEALED: dict[str, Any] = {"kind": "sealed", "reserved": 2, "plan": PLAN, "quarter": 1, "release": "aa"}
SENT: dict[str, Any] = {"kind": "sent", "sealed": 3}
LEFT: dict[str, Any] = {"kind": "left"}
RECONCILED: dict[str, Any] = {"kind": "reconciled", "seen": [[9, ""]], "charges": {}, "releases": []}


def _chain(*contents: dict[str, Any], signers: dict[int, Ed25519PrivateKey] | None = None) -> list[Entry]:
    head, entries = Head(GENESIS, 0), list[Entry]()
    for position, content in enumerate(contents):
        made = make_entry(head, content, (signers or {}).get(position, KEY))
        entries.append(made)
        head = Head(made.hash, made.number)
    return entries


def _rekeyed(before: list[Entry], prover: Ed25519PrivateKey) -> dict[str, Any]:
    proof = prover.sign(proof_input(before[-1].hash, NEW.public_key())).hex()
    return {"kind": "rekeyed", "proof": proof} | _names(NEW)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ((RESERVED,), "entry 1: a ledger is opened once"),
        ((OPENED, OPENED), "entry 2: a ledger is opened once"),
        ((OPENED, SEALED), "entry 2: it seals what was not reserved"),
        ((OPENED, RESERVED, SEALED, SEALED), "entry 4: it seals what was not reserved, or was sealed before"),
        ((OPENED, RESERVED, SEALED | {"reserved": [2]}), "entry 3: a field is missing, or of another kind"),
        ((OPENED, RESERVED, SENT), "entry 3: it sends what was not sealed"),
        ((OPENED, RESERVED, SEALED, SENT, SENT), "entry 5: it sends what was not sealed, or was sent before"),
        ((OPENED, LEFT, RESERVED), "entry 3: it comes after the site has left"),
        ((OPENED, RESERVED | {"charges": {"clinician": -1}}), "entry 2: a charge is no whole number"),
        ((OPENED, RESERVED | {"charges": {"nobody": 1}}), "entry 2: a charge is no whole number"),
        ((OPENED, RECONCILED | {"releases": ["aa", "aa"]}), "entry 10: its release is in the ledger already"),
        ((OPENED, {"kind": "other"}), "entry 2: unknown kind 'other'"),
        ((OPENED, {"at": 1}), "entry 2: a field is missing"),
        ((OPENED | _names(NEW),), "entry 1: it names another key"),
        ((OPENED | {"key_id": "0" * 16},), "entry 1: the key id is not that of the key"),
    ],
)
def test_acts_out_of_order_are_named(contents: tuple[dict[str, Any], ...], message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        check_chain(_chain(*contents), KEY.public_key())


def test_a_reconciliation_takes_the_number_after_the_last_that_was_seen() -> None:
    checked = check_chain(_chain(OPENED, RECONCILED, RESERVED), KEY.public_key())
    assert (checked.head.length, checked.entries) == (11, 3)


def test_a_gap_without_a_reconciliation_is_a_missing_entry() -> None:
    opened, reserved, sealed = _chain(OPENED, RESERVED, SEALED)
    moved = Entry(7, sealed.body, sealed.hash, sealed.signature)
    with pytest.raises(LedgerError, match="entry 3 is missing"):
        check_chain([opened, reserved, moved], KEY.public_key())


def test_both_keys_vouch_for_a_change_of_keys() -> None:
    start = _chain(OPENED, RESERVED)
    handed_over = (OPENED, RESERVED, _rekeyed(start, NEW), RESERVED)
    checked = check_chain(_chain(*handed_over, signers={3: NEW}), KEY.public_key())
    assert [key_id(key) for key in checked.keys] == [key_id(KEY.public_key()), key_id(NEW.public_key())]
    assert checked.key == NEW.public_key()
    with pytest.raises(LedgerError, match="entry 4: it is not signed with the key"):
        check_chain(_chain(*handed_over), KEY.public_key())
    with pytest.raises(LedgerError, match="entry 3: it is not signed with the key"):
        check_chain(_chain(*handed_over, signers={2: NEW, 3: NEW}), KEY.public_key())


def test_nobody_can_hand_a_forged_past_to_the_sites_key() -> None:
    """Anybody can name a public key; only its holder can sign that it takes over."""
    forged = _chain(OPENED, _rekeyed(_chain(OPENED), KEY))
    with pytest.raises(LedgerError, match="entry 2: the new key did not sign that it takes over"):
        check_chain(forged, KEY.public_key())


# ---- the ledger of a node -------------------------------------------------------------------------------------


def test_each_answer_is_noted_as_sent_once(node: Node, pso: Pso) -> None:
    for _ in range(3):
        raw = node.answerer.answer(pso.request(pso.plan(), 1, request_id="r"))
    (sent,) = node.ledger.contents("sent")
    assert (sent["sealed"], sent["to"], sent["request_id"]) == (3, key_id(pso.key.public_key()), "r")
    assert sent["bytes"] == len(raw)
    with pytest.raises(LedgerError, match="not sealed"):
        node.ledger.note_sent(bytes(32), 1, "k", "r", NOW)


def test_a_ledger_goes_on_under_a_new_key_and_is_verified_by_the_one_that_opened_it(node: Node, pso: Pso) -> None:
    node.answerer.answer(pso.request(pso.plan(), 1))
    new = _rekey(node)
    node.ledger.leave(NOW)
    checked = verify_file(_path(node), node.key.public_key())
    assert (checked.entries, checked.key) == (6, new.public_key())
    again = Ledger(_path(node), new, SITE, NOW)
    assert again.has_left()
    with pytest.raises(LedgerError, match="continued by another key"):
        Ledger(_path(node), node.key, SITE, NOW)


def test_the_wrong_key_is_named_plainly(node: Node) -> None:
    new = _rekey(node)
    with pytest.raises(WrongKeyError, match="the key given took over later"):
        verify_file(_path(node), new.public_key())
    stranger = Ed25519PrivateKey.generate().public_key()
    with pytest.raises(WrongKeyError, match=f"opened with key {key_id(node.key.public_key())}.*{key_id(stranger)}"):
        verify_file(_path(node), stranger)


def test_a_process_that_has_the_old_key_adds_nothing(node: Node) -> None:
    other = Ledger(_path(node), node.key, SITE, NOW)
    _rekey(node)
    with pytest.raises(LedgerError, match="start this one again"):
        other.leave(NOW)
    verify_file(_path(node), node.key.public_key())


def test_nothing_is_added_after_leaving(node: Node) -> None:
    node.ledger.leave(NOW)
    assert node.ledger.has_left()
    with pytest.raises(LedgerError, match="has left"):
        node.ledger.leave(NOW)
    assert node.ledger.head().length == 2


def test_the_auditors_copy_verifies_and_holds_nobody(node: Node, pso: Pso, tmp_path: Path) -> None:
    node.answerer.answer(pso.request(pso.plan(), 1))
    assert node.ledger.admitted(_digest(node), "supported"), "somebody was counted"
    out = tmp_path / "copy.sqlite"
    export_copy(_path(node), out)
    assert verify_file(out, node.key.public_key()) == verify_file(_path(node), node.key.public_key())
    with sqlite3.connect(out) as db:
        tables = {row[0] for row in db.execute("select name from sqlite_master where type = 'table'")}
    db.close()
    assert tables == {"entry", "release"}
    with pytest.raises(FileExistsError):
        export_copy(_path(node), out)


def _digest(node: Node) -> bytes:
    return bytes.fromhex(next(iter(node.ledger.contents("reserved")))["plan"])


def test_answers_that_changed_places_are_found(node: Node, pso: Pso) -> None:
    for quarter in (1, 2):
        node.answerer.answer(pso.request(pso.plan(), quarter))
    node.ledger.close()
    with sqlite3.connect(_path(node)) as db:
        db.execute("drop trigger release_no_update")
        for old, new in ((1, 9), (2, 1), (9, 2)):
            db.execute("update release set quarter = ? where quarter = ?", (new, old))
    db.close()
    with pytest.raises(LedgerError, match="entry 3: the answer that is kept"):
        verify_file(_path(node), node.key.public_key())


def test_every_kind_of_entry_has_a_sentence(node: Node, pso: Pso) -> None:
    node.answerer.answer(pso.request(pso.plan(), 1))
    _rekey(node)
    node.ledger.leave(NOW)
    lines = [describe_entry(entry)["text"] for entry in node.ledger.entries()]
    assert [line.split()[2] for line in lines] == ["opened", "reserved", "sealed", "sent", "rekeyed", "left"]
    assert "2026-06-01T00:00:00Z" in lines[0]
    assert "clinician rho 0.030000, record rho 0.000000" in lines[1]


def test_the_budget_says_what_is_left_and_when_it_renews(node: Node, pso: Pso) -> None:
    ceiling = node.config.policy.budget_nano()
    rows = describe_budget(node.ledger, ceiling, SettableClock())
    assert [(row["year"], row["scope"], row["spent_nano"]) for row in rows] == [
        (2026, "clinician", 0),
        (2026, "record", 0),
    ]
    assert "nothing is spent of epsilon 3.00" in rows[0]["text"]
    node.answerer.answer(pso.request(pso.plan(), 1))
    by_scope = {(row["year"], row["scope"]): row for row in describe_budget(node.ledger, ceiling, SettableClock())}
    row = by_scope[2025, "clinician"]
    assert row["left_nano"] == ceiling["clinician"] - 30_000_000
    assert row["renews"] == "2026-01-01"
    assert "16.2 % of the ceiling is spent" in row["text"]
    assert len(by_scope) == 4


def test_the_ledger_needs_no_tables() -> None:
    """The daemon holds it at rest; pandas comes with the register, in the process that answers."""
    code = "import sys, node.ledger.store, node.ledger.files, node.receipts; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
