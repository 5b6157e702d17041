"""A receipt for every answer that left: what, when, to whom, digest, bytes, charge."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from node.receipts import explain_receipt, receipts
from protocols.catalogue import current_catalogue
from protocols.statement import key_id
from tests.node.ledger.story import Story
from tests.node.world import NOW, Node, Pso, supported_site


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, supported_site(4))


def test_nothing_has_left_a_new_site(node: Node) -> None:
    assert receipts(node.ledger) == ()


def test_a_receipt_names_the_very_bytes_that_left(node: Node, pso: Pso) -> None:
    raw = node.answerer.answer(pso.request(pso.plan(("supported", "activations")), 1))
    (receipt,) = receipts(node.ledger)
    assert receipt.digest == hashlib.sha256(raw).hexdigest()
    assert receipt.bytes == len(raw)
    assert (receipt.number, receipt.at, receipt.to) == (1, NOW, key_id(pso.key.public_key()))
    assert (receipt.plan_id, receipt.year, receipt.quarter) == ("plan-1", 2025, 1)
    assert receipt.tallies == ("supported", "activations")
    assert receipt.charges == {"clinician": 30_000_000, "record": 30_000_000}


def test_sending_again_makes_no_second_receipt_and_refusals_make_none(node: Node, pso: Pso) -> None:
    for request in (pso.request(pso.plan(), 1), pso.request(pso.plan(), 1), pso.request(pso.plan(year=2026), 4)):
        node.answerer.answer(request)
    assert len(receipts(node.ledger)) == 1


def test_receipts_come_newest_first_and_later_quarters_cost_nothing(node: Node, pso: Pso) -> None:
    for quarter in (1, 2):
        node.answerer.answer(pso.request(pso.plan(), quarter))
    newest, oldest = receipts(node.ledger)
    assert (newest.number, newest.quarter, oldest.number, oldest.quarter) == (2, 2, 1, 1)
    assert newest.charges == {"clinician": 0, "record": 0}


def test_what_was_sealed_and_not_handed_over_has_no_receipt(tmp_path: Path) -> None:
    story = Story(tmp_path)
    story.ask(0, 1, fault="sealed")
    assert receipts(story.node.ledger) == ()
    story.node.start()
    story.ask(0, 1)
    assert len(receipts(story.node.ledger)) == 1


def test_the_explanation_has_a_sentence_for_each_tally(node: Node, pso: Pso) -> None:
    node.answerer.answer(pso.request(pso.plan(("supported", "activations")), 1))
    (receipt,) = receipts(node.ledger)
    words = explain_receipt(receipt, current_catalogue()[0])
    assert receipt.digest in words
    assert "activations: 27 counts, each with noise of SD 7.1. Activations received, by who referred" in words
    assert "the noise protects one clinician, counted at most once a year" in words
    assert "clinician rho 0.030000, record rho 0.030000" in words
    assert "headcount" in words


def test_an_answer_that_came_back_has_a_receipt_that_says_so(tmp_path: Path) -> None:
    story = Story(tmp_path)
    raw = story.ask(0, 1)
    story.restore(0)
    story.reconcile()
    story.ask(0, 1)
    (receipt,) = receipts(story.node.ledger)
    assert receipt.is_restored
    assert receipt.digest == hashlib.sha256(raw).hexdigest()
    assert (receipt.plan_id, receipt.year) == ("first", 2025)
    assert "charged by the reconciliation" in receipt.text
    assert "lost and restored" in explain_receipt(receipt, current_catalogue()[0])
