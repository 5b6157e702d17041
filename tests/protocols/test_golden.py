"""Bytes that must never change: what was signed last year has to verify next year."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from protocols.statement import KINDS, canonical_bytes, fingerprint, key_id, open_statement, seal_statement
from tests.protocols.statements import EXAMPLES, KEY, KEYS, PUBLIC, envelope

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))


def test_every_kind_has_a_golden_example() -> None:
    assert set(GOLDEN["statements"]) == set(EXAMPLES) == set(KINDS.values())


@pytest.mark.parametrize("kind", EXAMPLES)
def test_bytes_are_golden(kind: str) -> None:
    golden = GOLDEN["statements"][kind]
    assert canonical_bytes(EXAMPLES[kind]).hex() == golden["body"]
    assert seal_statement(EXAMPLES[kind], KEY).hex() == golden["envelope"]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_golden_envelopes_open(kind: str) -> None:
    golden, message = GOLDEN["statements"][kind], EXAMPLES[kind]
    opened = open_statement(bytes.fromhex(golden["envelope"]), type(message), KEYS)
    assert opened.message == message
    assert opened.body.hex() == golden["body"]
    assert opened.key_id == GOLDEN["key_id"]
    assert opened.digest == hashlib.sha256(bytes.fromhex(golden["body"])).digest()


@pytest.mark.parametrize("kind", EXAMPLES)
def test_an_envelope_is_what_the_documented_layout_says(kind: str) -> None:
    assert seal_statement(EXAMPLES[kind], KEY) == envelope(kind, canonical_bytes(EXAMPLES[kind]))


def test_the_key_s_names_are_golden() -> None:
    assert fingerprint(PUBLIC) == GOLDEN["fingerprint"] == hashlib.sha256(PUBLIC.public_bytes_raw()).hexdigest()
    assert key_id(PUBLIC) == GOLDEN["key_id"] == GOLDEN["fingerprint"][:16]
