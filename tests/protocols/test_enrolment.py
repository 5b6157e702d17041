"""Enrolments and approvals: whose they are, what they may say, and the digits that two people compare."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

from protocols.enrolment import (
    enrolled_profile,
    enrolment_fingerprint,
    open_approval,
    open_enrolment,
    open_first_approval,
    pso_key,
    root_certificates,
    same_fingerprint,
    show_fingerprint,
)
from protocols.refusals import Code, Refused
from protocols.statement import seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.protocols.statements import APPROVAL, ENROLMENT, KEY, KEYS, PROFILE, PUBLIC

SITE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
M = TypeVar("M", bound=Message)
OWN = SITE_KEY.public_key().public_bytes_raw()


def enrolment(**changes: Any) -> pb.Enrolment:
    return _changed(ENROLMENT, {"signing_key": OWN} | changes)


def approval(**changes: Any) -> pb.Approval:
    return _changed(APPROVAL, changes)


def _changed(example: M, changes: dict[str, Any]) -> M:
    message = type(example)()
    message.CopyFrom(example)
    for name, value in changes.items():
        if isinstance(value, list):
            del getattr(message, name)[:]
            getattr(message, name).extend(value)
        else:
            setattr(message, name, value)
    return message


def _code(act: Callable[[], object]) -> Code:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


def _certificate() -> bytes:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM)


def test_an_enrolment_opens_with_the_key_that_it_names() -> None:
    opened = open_enrolment(seal_statement(enrolment(), SITE_KEY))
    assert opened.message == enrolment()
    assert enrolled_profile(opened.message) == PROFILE


def test_an_enrolment_signed_with_another_key_proves_nothing() -> None:
    assert _code(lambda: open_enrolment(seal_statement(enrolment(), KEY))) is Code.UNKNOWN_KEY
    forged = pb.Envelope.FromString(seal_statement(enrolment(), KEY))
    forged.key_id = hashlib.sha256(OWN).hexdigest()[:16]
    assert _code(lambda: open_enrolment(forged.SerializeToString(deterministic=True))) is Code.BAD_SIGNATURE


def test_another_kind_of_statement_is_no_enrolment() -> None:
    assert _code(lambda: open_enrolment(seal_statement(APPROVAL, KEY))) is Code.WRONG_KIND
    assert _code(lambda: open_first_approval(seal_statement(enrolment(), SITE_KEY))) is Code.WRONG_KIND


def _attributes(**changes: str) -> list[pb.Attribute]:
    return [pb.Attribute(name=name, value=value) for name, value in sorted((PROFILE | changes).items())]


@pytest.mark.parametrize(
    "changes",
    [
        {"site_id": "Site 01"},
        {"site_id": "site-01\n"},
        {"site_id": ""},
        {"transport_key": "no key"},
        {"transport_key": ENROLMENT.transport_key.strip()},
        {"transport_key": ENROLMENT.transport_key + "\n"},
        {"profile": []},
        {"profile": _attributes()[::-1]},
        {"profile": [*_attributes(), _attributes()[-1]]},
        {"profile": _attributes(teaching="some")},
        {"profile": _attributes(zz="1")},
        {"profile": _attributes(**{"z\x1b[31m": "1"})},
        {"profile": _attributes(bed_band="none")},
        {"made_at_s": 0},
        {"made_at_s": 2**62},
        {"ledger_head": b"short"},
        {"ledger_length": 0},
        {"ledger_length": 2**60},
    ],
    ids=str,
)
def test_an_enrolment_that_breaks_the_rules_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        open_enrolment(seal_statement(enrolment(**changes), SITE_KEY))
    assert caught.value.code is Code.MALFORMED
    assert caught.value.detail.isprintable()


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_signing_key_of_another_length_is_refused(length: int) -> None:
    assert _code(lambda: open_enrolment(seal_statement(enrolment(signing_key=bytes(length)), KEY))) is Code.MALFORMED


def test_the_fingerprint_is_the_documented_hash_and_covers_both_keys() -> None:
    message = enrolment()
    digits = hashlib.sha256(b"leadline/enrolment/1\x00" + OWN + message.transport_key.encode()).hexdigest()
    assert enrolment_fingerprint(message) == digits
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    pem = other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    assert enrolment_fingerprint(enrolment(transport_key=pem)) != digits
    assert enrolment_fingerprint(enrolment(signing_key=PUBLIC.public_bytes_raw())) != digits
    assert enrolment_fingerprint(approval(signing_key=OWN)) == digits, "both sides see the same digits"


def test_a_fingerprint_is_shown_in_groups_and_compared_however_it_is_typed() -> None:
    digits = enrolment_fingerprint(enrolment())
    shown = show_fingerprint(digits)
    assert {len(group) for group in shown.split(" ")} == {4}
    assert len(shown.split(" ")) == 16
    for typed in (
        digits,
        shown,
        shown.upper(),
        f"  {shown}\n",
        shown.replace(" ", "\t"),
        digits[:32] + "\n" + digits[32:],
    ):
        assert same_fingerprint(typed, digits)


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_every_digit_counts(position: int, digit: str) -> None:
    digits = enrolment_fingerprint(enrolment())
    typed = digits[:position] + digit + digits[position + 1 :]
    assert same_fingerprint(typed, digits) is (typed == digits)


@given(st.integers(0, 63))
def test_part_of_a_fingerprint_is_never_enough(length: int) -> None:
    digits = enrolment_fingerprint(enrolment())
    assert not same_fingerprint(digits[:length], digits)
    assert not same_fingerprint(digits[:length], digits[:length])
    assert not same_fingerprint(digits + digits[:length] + "0", digits)


def test_an_approval_opens_with_the_pso_s_key_alone() -> None:
    raw = seal_statement(APPROVAL, KEY)
    assert open_approval(raw, KEYS).message == APPROVAL
    assert open_first_approval(raw).message == APPROVAL
    assert pso_key(APPROVAL) == PUBLIC
    assert _code(lambda: open_approval(raw, {})) is Code.UNKNOWN_KEY


def test_an_approval_must_name_the_key_that_signs_it() -> None:
    """Otherwise the key that a person compares would not be the one that is kept."""
    raw = seal_statement(approval(pso_key=OWN), KEY)
    assert _code(lambda: open_approval(raw, KEYS)) is Code.UNKNOWN_KEY
    assert _code(lambda: open_first_approval(raw)) is Code.UNKNOWN_KEY


@pytest.mark.parametrize(
    "changes",
    [
        {"site_id": "../site"},
        {"signing_key": b""},
        {"transport_key": ""},
        {"serial": 0},
        {"serial": 2**60},
        {"valid_from_s": 0},
        {"valid_from_s": APPROVAL.valid_until_s},
        {"valid_until_s": 2**62},
        {"pso_title": ""},
        {"pso_title": "PSO\nSUPERLINK=evil"},
        {"pso_title": "P" * 201},
        {"superlink": ""},
        {"superlink": "pso.example.org"},
        {"superlink": "pso.example.org:0"},
        {"superlink": "pso.example.org:70000"},
        {"superlink": "pso.example.org:9092\nX=1"},
        {"superlink": 'pso.example.org"$(reboot):9092'},
        {"superlink": "-o.example.org:9092"},
        {"superlink": "http://pso.example.org:9092"},
        {"root_certificates": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
        {"root_certificates": b"\xff\x00"},
        {"known_head": b"short"},
        {"known_length": 0},
    ],
    ids=str,
)
def test_an_approval_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    assert _code(lambda: open_approval(seal_statement(approval(**changes), KEY), KEYS)) is Code.MALFORMED


@pytest.mark.parametrize("superlink", ["localhost:9092", "10.0.0.1:443", "[::1]:9092", "pso.example.org:65535"])
def test_hosts_and_addresses_are_accepted(superlink: str) -> None:
    assert open_approval(seal_statement(approval(superlink=superlink), KEY), KEYS).message.superlink == superlink


def test_root_certificates_are_certificates() -> None:
    pem = _certificate() + _certificate()
    assert len(list(root_certificates(approval(root_certificates=pem)))) == 2
    assert list(root_certificates(approval())) == []


@given(st.data())
def test_no_flipped_bit_of_an_envelope_passes(data: st.DataObject) -> None:
    for raw, open_ in (
        (seal_statement(enrolment(), SITE_KEY), open_enrolment),
        (seal_statement(APPROVAL, KEY), _approve),
    ):
        position = data.draw(st.integers(0, len(raw) * 8 - 1))
        flipped = bytearray(raw)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(Refused):
            open_(bytes(flipped))


def _approve(raw: bytes) -> object:
    return open_approval(raw, KEYS)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_never_an_error(raw: bytes) -> None:
    for open_ in (open_enrolment, open_first_approval, _approve):
        with pytest.raises(Refused):
            open_(raw)
