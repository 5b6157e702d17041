"""One envelope in, one out: each kind to its place, everything in the journal, and nothing that is sent breaks it."""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.journal import DAYS, PLANS, Asked, Journal
from node.shelf import KEPT, MAX_DOCUMENT_BYTES, newest_publication, publications
from protocols.publication.document import Publication, check_signature, parse_signature_line, sign_document
from protocols.publication.gate import GateRules
from protocols.refusals import Code
from protocols.statement import parse_envelope, seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.node.world import NOW, Node, Pso, supported_site
from tests.protocols.statements import EXAMPLES

SITE_DATA = supported_site(3)


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, SITE_DATA)


def _document(number: int, title: str = "Benchmarks") -> bytes:
    return Publication(
        number=number, title=title, created_at="2026-05-01T00:00:00Z", catalogue_version=1, catalogue_digest="0" * 64,
        replaces=None, sites=8, guarantee=("Noise.",), gate=GateRules(), rows=(),
    ).document()  # fmt: skip


def _published(pso: Pso, named: int, whole: bytes, **changes: object) -> bytes:
    message = pb.Published(
        number=named, document=gzip.compress(whole, mtime=0), signature=sign_document(whole, pso.key)
    )
    for name, value in changes.items():
        setattr(message, name, value)
    return seal_statement(message, pso.key)


def test_a_renewal_is_acknowledged_with_its_digest_and_the_ledger_s_head(node: Node, pso: Pso) -> None:
    raw = pso.approval(node.enrolment(), serial=2, known_length=1, known_head=node.ledger.head().hash)
    received = node.acknowledgement(raw)
    assert received.digest == hashlib.sha256(parse_envelope(raw).body).digest()
    assert (received.ledger_head, received.ledger_length) == (node.ledger.head().hash, 1)
    assert (received.site_id, received.at_s) == ("site-a", NOW)
    assert node.journal.known() == (1, node.ledger.head().hash)


def test_a_publication_is_checked_kept_and_acknowledged(node: Node, pso: Pso) -> None:
    folder = node.config.paths.publications
    document = _document(4)
    assert node.kind(_published(pso, 4, document)) == "acknowledgement"
    assert publications(folder) == (4,)
    found = newest_publication(folder, pso.key.public_key())
    assert found is not None
    assert (found.number, found.document()) == (4, document)
    _, signature = parse_signature_line((folder / "4.sig").read_text())
    check_signature((folder / "4.json").read_bytes(), signature, pso.key.public_key())


def test_a_publication_never_changes_once_it_is_kept(node: Node, pso: Pso) -> None:
    node.answer(_published(pso, 4, _document(4)))
    assert node.kind(_published(pso, 4, _document(4))) == "acknowledgement"
    assert node.refusal(_published(pso, 4, _document(4, "Other"))).code == Code.MALFORMED
    found = newest_publication(node.config.paths.publications, pso.key.public_key())
    assert found is not None
    assert found.title == "Benchmarks"


def test_publications_arrive_in_any_order_and_the_newest_are_kept(node: Node, pso: Pso) -> None:
    for number in (9, 2, 11, 10, *range(100, 100 + KEPT)):
        node.answer(_published(pso, number, _document(number)))
    assert publications(node.config.paths.publications) == tuple(range(99 + KEPT, 99, -1))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signature": bytes(64)}, Code.BAD_SIGNATURE),
        ({"number": 5}, Code.MALFORMED),
        ({"document": b"not packed"}, Code.MALFORMED),
        ({"document": gzip.compress(_document(4))[:-3]}, Code.MALFORMED),
        ({"document": gzip.compress(_document(4)) + b"x"}, Code.MALFORMED),
        ({"document": gzip.compress(bytes(MAX_DOCUMENT_BYTES + 1))}, Code.TOO_LARGE),
    ],
    ids=["signature", "number", "not packed", "cut short", "something after it", "a bomb"],
)
def test_a_publication_that_is_not_what_it_says_is_refused(
    changes: dict[str, object], code: Code, node: Node, pso: Pso
) -> None:
    assert node.refusal(_published(pso, 4, _document(4), **changes)).code == code
    assert publications(node.config.paths.publications) == ()


def test_a_document_that_is_no_publication_is_refused_though_it_is_signed(node: Node, pso: Pso) -> None:
    for document in (b"{}", json.dumps(json.loads(_document(4)), indent=1).encode()):
        assert node.refusal(_published(pso, 4, document)).code == Code.MALFORMED


@pytest.mark.parametrize("kind", sorted(set(EXAMPLES) - {"request", "approval", "publication"}))
def test_a_kind_that_nobody_sends_to_a_site_is_refused(kind: str, node: Node, pso: Pso) -> None:
    assert node.refusal(seal_statement(EXAMPLES[kind], pso.key)).code == Code.WRONG_KIND


def test_after_leaving_nothing_is_answered_or_acknowledged(node: Node, pso: Pso) -> None:
    node.answer(pso.request(pso.plan(), 1))
    with node.ledger.locked():
        node.ledger.leave(NOW)
    before = node.ledger.head()
    renewal = pso.approval(node.enrolment(), serial=2)
    for raw in (pso.request(pso.plan(), 1), pso.request(pso.plan(), 2), renewal, _published(pso, 4, _document(4))):
        assert node.refusal(raw).code == Code.SITE_LEFT
    assert node.ledger.head() == before


def test_the_journal_says_what_was_asked_and_what_was_answered(node: Node, pso: Pso) -> None:
    plan = pso.plan()
    node.answer(pso.request(plan, 1))
    node.clock.now += 60
    node.config.pause_file.touch()
    node.answer(pso.request(plan, 2))
    node.config.pause_file.unlink()
    node.answer(pso.approval(node.enrolment(), serial=2))
    rows = [
        (one.kind, one.request_id, one.plan_id, one.year, one.quarter, one.outcome) for one in node.journal.recent(9)
    ]
    assert rows == [
        ("approval", "serial 2", "", 0, 0, "acknowledgement"),
        ("request", "r-2", "plan-1", 2025, 2, "paused"),
        ("request", "r-1", "plan-1", 2025, 1, "release"),
    ]
    assert node.journal.heard_at_s() == NOW + 60
    newest = node.journal.newest_plan()
    assert newest is not None
    assert newest == seal_statement(plan, pso.key)


def test_of_a_year_s_plans_the_one_that_asks_for_most_is_shown_and_the_others_by_their_id(node: Node, pso: Pso) -> None:
    large = pso.plan(("supported", "activations"), plan_id="benchmark")
    trend = pso.plan(("supported",), plan_id="trend", issued_at_s=NOW + 5)
    earlier = pso.plan(("supported", "activations"), plan_id="earlier", year=2024, issued_at_s=NOW + 9)
    for plan in (large, trend, earlier):
        node.answer(pso.request(plan, 1))
    assert node.journal.newest_plan() == seal_statement(large, pso.key)
    assert node.journal.newest_plan("trend") == seal_statement(trend, pso.key)
    assert node.journal.newest_plan("nothing") is None
    assert node.journal.plan_ids() == ("benchmark", "trend", "earlier")
    for number in range(12):
        node.answer(pso.request(pso.plan(plan_id=f"p{number}"), 1))
    assert len(node.journal.plan_ids()) == PLANS


def test_what_nobody_trusted_has_signed_is_counted_without_a_row_of_its_own(node: Node, pso: Pso) -> None:
    node.answer(pso.request(pso.plan(), 1))
    stranger = Pso(Ed25519PrivateKey.generate())
    for number in range(30):
        node.answer(stranger.request(stranger.plan(), 1, request_id=f"x{number}"))
        node.answer(b"garbage %d" % number)
        node.answer(pso.request(pso.plan(), 1, site_id=f"other-{number}"))
    assert len(node.journal.recent(100)) == 1
    assert sum(times for _, _, times in node.journal.unverified()) == 1, "a flood is not written at each drop"
    node.clock.now += 10
    node.answer(b"one more")
    counted = {reason: times for _, reason, times in node.journal.unverified()}
    assert counted["unknown_key"] == counted["wrong_site"] == 30
    assert sum(counted.values()) == 91


def test_a_request_that_is_sent_again_and_again_does_not_push_others_out(node: Node, pso: Pso) -> None:
    node.answer(pso.request(pso.plan(), 1))
    for _ in range(40):
        node.answer(pso.request(pso.plan(), 2))
    rows = node.journal.recent(100)
    assert [(row.request_id, row.times) for row in rows] == [("r-2", 40), ("r-1", 1)]


def test_the_journal_is_bounded_in_rows_and_in_text(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite", rows=20)
    for number in range(50):
        journal.note(Asked(NOW + number, "request", f"r{number}", "p" * 10_000, 2025, 1, "release", "d" * 10_000))
    rows = journal.recent(10_000)
    assert len(rows) == 20
    assert rows[0].request_id == "r49"
    assert {(len(row.plan_id), len(row.detail)) for row in rows} == {(300, 300)}
    for day in range(DAYS + 10):
        journal.count_unverified("malformed", NOW + day * 86_400)
    assert len(journal.unverified()) == DAYS


def test_the_newest_head_that_the_pso_named_is_kept_whatever_the_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    assert journal.known() is None
    assert journal.heard_at_s() is None
    assert journal.newest_plan() is None
    for length in (0, 7, 3):
        journal.name_head(length, bytes([length] * 32))
    assert journal.known() == (7, bytes([7] * 32))


def test_a_journal_that_cannot_be_written_keeps_no_answer_back(
    node: Node, pso: Pso, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite3.connect(node.config.paths.journal) as db:
        db.executescript("drop table asked; drop table unverified;")
    db.close()
    assert node.kind(pso.request(pso.plan(), 1)) == "release"
    assert node.kind(b"garbage") == "refusal"
    assert "journal cannot be written" in caplog.text


def test_nothing_is_drawn_where_the_newest_head_cannot_be_remembered(node: Node, pso: Pso) -> None:
    with sqlite3.connect(node.config.paths.journal) as db:
        db.execute("drop table newest")
    db.close()
    assert node.refusal(pso.request(pso.plan(), 1)).code == Code.INTERNAL
    assert node.ledger.head().length == 1


def test_many_at_a_time_are_answered_as_one_after_the_other(node: Node, pso: Pso) -> None:
    requests = [pso.request(pso.plan(), 1 + number % 2, request_id=f"r{number}") for number in range(16)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(node.answer, requests))
    assert {parse_envelope(answer).kind for answer in answers} == {"release"}
    assert len(set(answers)) == 2
    assert len(node.journal.recent(100)) == 16


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_flipped_bit_gets_more_than_a_refusal(data: st.DataObject, node: Node) -> None:
    pso = node.pso
    whole = data.draw(st.sampled_from([pso.request(pso.plan(), 1), _published(pso, 4, _document(4))]))
    raw = bytearray(whole)
    position = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[position // 8] ^= 1 << position % 8
    assert node.kind(bytes(raw)) == "refusal"
    assert node.ledger.head().length == 1
    assert publications(node.config.paths.publications) == ()
