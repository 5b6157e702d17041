from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.refusals import Code, Refused
from protocols.statement import (
    KINDS,
    MAX_STATEMENT_BYTES,
    canonical_bytes,
    open_statement,
    parse_canonical,
    seal_statement,
)
from protocols.v1 import leadline_pb2 as pb
from tests.protocols.statements import EXAMPLES, KEY, KEYS, PLAN, REFUSAL, RELEASE, envelope, number, text, varint

WORDS = st.text(max_size=12)
DIGESTS = st.binary(max_size=33)
U32, U64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
TABLES = st.builds(pb.Table, grain=st.sampled_from([0, 1, 2, 3]), stratum=WORDS, by_cell=st.booleans(), rho_nano=U64)
TALLIES = st.builds(pb.TallyRequest, tally=WORDS, cap=U32, tables=st.lists(TABLES, max_size=3))
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(
        pb.Plan,
        plan_id=WORDS,
        catalogue_digest=DIGESTS,
        year=U32,
        mode=st.sampled_from([0, 1, 2]),
        tallies=st.lists(TALLIES, max_size=3),
        minimum_honest_sites=U32,
        issued_at_s=I64,
    ),
    st.builds(
        pb.Request,
        request_id=WORDS,
        site_id=WORDS,
        plan=DIGESTS,
        quarter=U32,
        known_head=DIGESTS,
        known_length=U64,
    ),
    st.builds(
        pb.Release,
        release_id=WORDS,
        plan_digest=DIGESTS,
        tables=st.lists(
            st.builds(pb.NoisyTable, tally=WORDS, table=U32, values=st.lists(I64, max_size=4), sigma_1024=U32),
            max_size=3,
        ),
        exposures=st.lists(st.builds(pb.Exposure, name=WORDS, months=st.lists(U64, max_size=3)), max_size=2),
        units=st.lists(st.builds(pb.ProtectedUnit, tally=WORDS, unit=WORDS), max_size=2),
        ledger_length=U64,
        sealed_at_s=I64,
    ),
    st.builds(pb.Refusal, request_id=WORDS, plan_digest=DIGESTS, quarter=U32, code=WORDS, detail=WORDS),
)


def refusal_code(act: Callable[[], object]) -> Code:
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.code


@settings(max_examples=150, deadline=None, database=None)
@given(MESSAGES)
def test_what_is_sealed_is_read_back(message: Message) -> None:
    body = canonical_bytes(message)
    assert parse_canonical(body, type(message)) == message
    opened = open_statement(seal_statement(message, KEY), type(message), KEYS)
    assert (opened.message, opened.body) == (message, body)


@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=60), st.sampled_from(list(KINDS)))
def test_any_bytes_are_refused_or_are_canonical(raw: bytes, kind: type[Message]) -> None:
    try:
        message = parse_canonical(raw, kind)
    except Refused as refused:
        codes = {refused.code}
    else:
        codes = set() if canonical_bytes(message) == raw else {None}
    assert codes <= {Code.MALFORMED, Code.NOT_CANONICAL}


REFUSAL_BODIES_THAT_ARE_NOT_CANONICAL = {
    "fields in another sequence": text(2, "s") + text(1, "r"),
    "length with padding": text(1, "r", padding=1),
    "number with padding": number(4, 3, padding=2),
    "tag with padding": varint(4 << 3, padding=1) + varint(3),
    "field twice, same value": text(1, "r") + text(1, "r"),
    "field twice, another value": number(4, 1) + number(4, 2),
    "default number written out": number(4, 0),
    "default text written out": text(1, ""),
    "default bytes written out": text(3, b""),
    "unknown field": text(1, "r") + number(15, 1),
    "unknown field far away": text(1, "r") + text(20_000, "x"),
    "known field of another wire type": text(1, "r") + text(4, "x"),
    "number above 32 bits": number(4, 2**32 + 3),
    "group": varint(9 << 3 | 3) + varint(9 << 3 | 4),
}


@pytest.mark.parametrize("name", REFUSAL_BODIES_THAT_ARE_NOT_CANONICAL)
def test_other_encodings_of_a_message_are_refused(name: str) -> None:
    body = REFUSAL_BODIES_THAT_ARE_NOT_CANONICAL[name]
    assert refusal_code(lambda: parse_canonical(body, pb.Refusal)) is Code.NOT_CANONICAL
    assert refusal_code(lambda: open_statement(envelope("refusal", body), pb.Refusal, KEYS)) is Code.NOT_CANONICAL


@pytest.mark.parametrize(
    "body",
    [
        text(5, text(3, varint(6, padding=1))),  # a padded number among packed values
        text(5, number(3, 6)),  # a repeated number that is not packed
        text(5, text(3, b"")),  # an empty pack
        text(5, number(9, 1)),  # an unknown field of an inner message
        text(5, number(2, 0)),  # an inner default
        text(6, text(1, "a")) + text(5, text(1, "t")),  # repeated messages out of sequence
    ],
)
def test_inner_messages_are_held_to_the_same_form(body: bytes) -> None:
    assert refusal_code(lambda: parse_canonical(body, pb.Release)) is Code.NOT_CANONICAL


@pytest.mark.parametrize(
    "body",
    [
        b"\xff",
        text(1, "abc")[:-1],
        varint(0),
        varint(1 << 3 | 7) + b"x",
        b"\x08" + b"\xff" * 11,
        text(1, b"\xff\xfe"),
        text(1, b"\xed\xa0\x80"),  # half of a surrogate pair
        text(1, b"\xc0\x80"),  # an overlong zero
        varint(9 << 3 | 3),  # a group that never ends
    ],
    ids=str,
)
def test_bytes_that_are_no_message_are_malformed(body: bytes) -> None:
    assert refusal_code(lambda: parse_canonical(body, pb.Refusal)) is Code.MALFORMED
    assert refusal_code(lambda: open_statement(envelope("refusal", body), pb.Refusal, KEYS)) is Code.MALFORMED


def test_half_of_a_surrogate_pair_cannot_be_written_either() -> None:
    with pytest.raises((UnicodeEncodeError, ValueError)):
        pb.Refusal(detail="\ud800")


STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
BODY = canonical_bytes(REFUSAL)
SIGNED = envelope("refusal", BODY)
NAME = next(iter(KEYS))
WRONG = text(4, bytes(64))
OPENING = text(1, "refusal") + text(2, BODY)
ENVELOPES = [
    ("nothing", b"", Code.WRONG_KIND),
    ("noise", b"\x00\x01\x02", Code.MALFORMED),
    ("not UTF-8 in the kind", text(1, b"\xff"), Code.MALFORMED),
    ("something after the envelope", SIGNED + number(9, 1), Code.NOT_CANONICAL),
    ("two envelopes in a row", SIGNED + SIGNED, Code.NOT_CANONICAL),
    ("fields in another sequence", text(2, BODY) + text(1, "refusal"), Code.NOT_CANONICAL),
    ("a kind that nobody knows", envelope("gossip", BODY), Code.WRONG_KIND),
    ("the kind in capitals", envelope("REFUSAL", BODY), Code.WRONG_KIND),
    ("a plan, well signed", envelope("plan", canonical_bytes(PLAN)), Code.WRONG_KIND),
    ("a stranger's signature", envelope("refusal", BODY, key=STRANGER), Code.UNKNOWN_KEY),
    ("a stranger's plan: the kind is looked at first", envelope("plan", BODY, key=STRANGER), Code.WRONG_KIND),
    (
        "a longer key id",
        OPENING + text(3, NAME + "00") + WRONG,
        Code.UNKNOWN_KEY,
    ),
    ("no signature", OPENING + text(3, NAME), Code.BAD_SIGNATURE),
    (
        "a signature of zeros",
        OPENING + text(3, NAME) + WRONG,
        Code.BAD_SIGNATURE,
    ),
    ("signed as a release", envelope("refusal", BODY, signed_kind="release"), Code.BAD_SIGNATURE),
    ("signed without a kind", envelope("refusal", BODY, signed_kind=""), Code.BAD_SIGNATURE),
    (
        "the signature is looked at before the body",
        envelope("refusal", b"\xff", signed_kind="plan"),
        Code.BAD_SIGNATURE,
    ),
    ("too large", b"\x00" * (MAX_STATEMENT_BYTES + 1), Code.TOO_LARGE),
    ("as large as may be, but nothing", b"\x00" * MAX_STATEMENT_BYTES, Code.MALFORMED),
]


@pytest.mark.parametrize(("raw", "code"), [case[1:] for case in ENVELOPES], ids=[case[0] for case in ENVELOPES])
def test_envelopes_are_refused_with_their_code(raw: bytes, code: Code) -> None:
    assert refusal_code(lambda: open_statement(raw, pb.Refusal, KEYS)) is code


def test_a_statement_of_just_the_limit_is_read() -> None:
    empty = len(envelope("refusal", canonical_bytes(pb.Refusal(detail="x" * 4_000_000)))) - 4_000_000
    fits = seal_statement(pb.Refusal(detail="x" * (MAX_STATEMENT_BYTES - empty)), KEY)
    assert len(fits) == MAX_STATEMENT_BYTES
    assert open_statement(fits, pb.Refusal, KEYS).key_id in KEYS
    over = seal_statement(pb.Refusal(detail="x" * (MAX_STATEMENT_BYTES - empty + 1)), KEY)
    assert refusal_code(lambda: open_statement(over, pb.Refusal, KEYS)) is Code.TOO_LARGE


@pytest.mark.parametrize("signed", EXAMPLES)
@pytest.mark.parametrize("claimed", EXAMPLES)
def test_a_signature_over_one_kind_never_passes_for_another(signed: str, claimed: str) -> None:
    raw, kind = seal_statement(EXAMPLES[signed], KEY), type(EXAMPLES[claimed])
    if signed == claimed:
        assert open_statement(raw, kind, KEYS).message == EXAMPLES[signed]
        return
    assert refusal_code(lambda: open_statement(raw, kind, KEYS)) is Code.WRONG_KIND
    relabelled = pb.Envelope.FromString(raw)
    relabelled.kind = claimed
    assert refusal_code(lambda: open_statement(canonical_bytes(relabelled), kind, KEYS)) is Code.BAD_SIGNATURE


def test_the_empty_message_of_one_kind_is_not_that_of_another() -> None:
    raw = pb.Envelope.FromString(seal_statement(pb.Release(), KEY))
    assert open_statement(canonical_bytes(raw), pb.Release, KEYS).body == b""
    raw.kind = "refusal"
    assert refusal_code(lambda: open_statement(canonical_bytes(raw), pb.Refusal, KEYS)) is Code.BAD_SIGNATURE


def test_every_truncation_is_refused() -> None:
    raw = seal_statement(RELEASE, KEY)
    for length in range(len(raw)):
        refusal_code(lambda cut=raw[:length]: open_statement(cut, pb.Release, KEYS))


def test_every_flip_of_a_single_bit_is_refused() -> None:
    raw = seal_statement(pb.Refusal(request_id="r", quarter=1, code="paused"), KEY)
    for position in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[position // 8] ^= 1 << position % 8
        refusal_code(lambda bad=bytes(flipped): open_statement(bad, pb.Refusal, KEYS))


def test_a_signature_with_its_group_order_added_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    forged = pb.Envelope.FromString(SIGNED)
    scalar = int.from_bytes(forged.signature[32:], "little") + order
    forged.signature = forged.signature[:32] + scalar.to_bytes(32, "little")
    assert refusal_code(lambda: open_statement(canonical_bytes(forged), pb.Refusal, KEYS)) is Code.BAD_SIGNATURE


def test_a_refusal_of_an_unknown_key_quotes_little_of_what_was_sent() -> None:
    raw = OPENING + text(3, "k" * 5000) + WRONG
    with pytest.raises(Refused) as caught:
        open_statement(raw, pb.Refusal, KEYS)
    assert len(caught.value.detail) <= 60
