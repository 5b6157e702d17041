"""Every check of intake has an answer that fails it and it alone; and a list of what arrives malformed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import Message

from coordinator.answers import take_answers
from coordinator.intake import authenticate
from coordinator.plans import read_plan
from coordinator.rounds.conduct import close_rounds
from coordinator.rounds.states import RequestState
from coordinator.sites.register import disable_site, enable_site
from coordinator.store.audit import first_broken
from privacy.accountant import sigma_1024
from protocols.plan import HEADCOUNT_BY_ROLE
from protocols.refusals import Code, Refused
from protocols.statement import (
    MAX_STATEMENT_BYTES,
    canonical_bytes,
    key_id,
    seal_statement,
)
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World
from tests.coordinator.site import TinySite

BENCHMARK = f"{YEAR}-benchmark"


@dataclass
class Case:
    """One site that was asked for the benchmark's four quarters, and a sound release of it to spoil."""

    world: World
    site: TinySite
    plan: pb.Plan
    digest: bytes
    releases: dict[int, pb.Release] = field(default_factory=dict)

    def sound(self, quarter: int = 4) -> pb.Release:
        if quarter not in self.releases:
            self.releases[quarter] = self.site.release(self.plan, self.digest, quarter)
        made = pb.Release()
        made.CopyFrom(self.releases[quarter])
        return made

    def sealed(self, message: Message) -> bytes:
        return seal_statement(message, self.site.key)

    def take(self, raw: bytes, site_id: str = "site-01") -> Code | None:
        world = self.world
        return take_answers(world.store, world.clock, world.config.rounds, site_id, [raw])[0]

    def state(self, quarter: int = 4) -> tuple[RequestState, str]:
        with self.world.store.reading() as reader:
            request = reader.requests(f"{BENCHMARK}-1", "site-01")[quarter - 1]
        return request.state, request.refusal_code


@pytest.fixture
def case(world: World) -> Case:
    world.open()
    world.take()
    with world.store.reading() as reader:
        plan = reader.plan_by_id(BENCHMARK)
    assert plan is not None
    return Case(world, world.sites[0], read_plan(plan), plan.digest)


def test_a_sound_release_is_taken_and_its_ledger_head_remembered(case: Case) -> None:
    message = case.sound()
    assert case.take(case.sealed(message)) is None
    assert case.state() == (RequestState.ANSWERED, "")
    with case.world.store.reading() as reader:
        site, release = reader.site("site-01"), reader.release(BENCHMARK, "site-01", 4)
    assert site is not None
    assert release is not None
    assert (site.ledger_head, site.ledger_length) == (message.ledger_head, message.ledger_length)
    assert release.envelope == case.sealed(message)


def test_the_same_bytes_again_are_fine_even_after_the_round(case: Case) -> None:
    raw = case.sealed(case.sound())
    assert [case.take(raw), case.take(raw)] == [None, None]
    close_rounds(case.world.store)
    assert case.take(raw) is None
    with case.world.store.reading() as reader:
        assert len(reader.releases_of_site("site-01")) == 1


def test_other_bytes_for_the_same_request_conflict_and_the_first_stands(case: Case) -> None:
    first = case.sealed(case.sound())
    case.take(first)
    other = case.sound()
    other.tables[0].values[0] += 1
    assert case.take(case.sealed(other)) is Code.RELEASE_CONFLICT
    assert case.state() == (RequestState.ANSWERED, "")
    with case.world.store.reading() as reader:
        stored = reader.release(BENCHMARK, "site-01", 4)
    assert stored is not None
    assert stored.envelope == first


Spoil = Callable[[pb.Release], object]

SPOILT: dict[str, tuple[Code, Spoil]] = {
    "site of another": (Code.WRONG_SITE, lambda m: setattr(m, "site_id", "site-02")),
    "plan of nobody": (Code.UNKNOWN_PLAN, lambda m: setattr(m, "plan_digest", bytes(32))),
    "no plan": (Code.UNKNOWN_PLAN, lambda m: m.ClearField("plan_digest")),
    "quarter 0": (Code.NOT_ASKED, lambda m: setattr(m, "quarter", 0)),
    "quarter 5": (Code.NOT_ASKED, lambda m: setattr(m, "quarter", 5)),
    "quarter of another slice": (Code.WRONG_SHAPE, lambda m: setattr(m, "quarter", 1)),
    "no release id": (Code.WRONG_SHAPE, lambda m: m.ClearField("release_id")),
    "long release id": (Code.WRONG_SHAPE, lambda m: setattr(m, "release_id", "x" * 65)),
    "table missing": (Code.WRONG_SHAPE, lambda m: m.tables.pop()),
    "table twice": (Code.WRONG_SHAPE, lambda m: m.tables.append(m.tables[0])),
    "tables in another order": (Code.WRONG_SHAPE, lambda m: m.tables.reverse()),
    "table of another tally": (Code.WRONG_SHAPE, lambda m: setattr(m.tables[0], "tally", "salaries")),
    "table position": (Code.WRONG_SHAPE, lambda m: setattr(m.tables[0], "table", 1)),
    "value missing": (Code.WRONG_SHAPE, lambda m: m.tables[-1].values.pop()),
    "value too many": (Code.WRONG_SHAPE, lambda m: m.tables[0].values.append(0)),
    "no values": (Code.WRONG_SHAPE, lambda m: m.tables[0].ClearField("values")),
    "impossible count": (Code.WRONG_SHAPE, lambda m: m.tables[0].values.__setitem__(0, 2**62)),
    "impossible negative": (Code.WRONG_SHAPE, lambda m: m.tables[0].values.__setitem__(0, -(2**63))),
    "unit missing": (Code.WRONG_SHAPE, lambda m: m.units.pop()),
    "unit of another tally": (Code.WRONG_SHAPE, lambda m: setattr(m.units[0], "tally", "salaries")),
    "unit unknown": (Code.WRONG_SHAPE, lambda m: setattr(m.units[-1], "unit", "nobody")),
    "record as encounter": (Code.WRONG_SHAPE, lambda m: setattr(m.units[0], "unit", "encounter")),
    "too little noise": (Code.WRONG_NOISE, lambda m: setattr(m.tables[0], "sigma_1024", m.tables[0].sigma_1024 - 1)),
    "too much noise": (Code.WRONG_NOISE, lambda m: setattr(m.tables[3], "sigma_1024", m.tables[3].sigma_1024 + 1)),
    "no noise": (Code.WRONG_NOISE, lambda m: setattr(m.tables[0], "sigma_1024", 0)),
    "exposure missing": (Code.WRONG_SHAPE, lambda m: m.exposures.pop()),
    "exposure twice": (Code.WRONG_SHAPE, lambda m: m.exposures.append(m.exposures[0])),
    "exposure unknown": (Code.WRONG_SHAPE, lambda m: setattr(m.exposures[0], "name", "beds")),
    "exposure of two months": (Code.WRONG_SHAPE, lambda m: m.exposures[0].months.pop()),
    "exposure not rounded": (Code.WRONG_SHAPE, lambda m: m.exposures[0].months.__setitem__(0, 901)),
    "exposure impossible": (Code.WRONG_SHAPE, lambda m: m.exposures[0].months.__setitem__(0, 10**15)),
    "ledger head short": (Code.WRONG_SHAPE, lambda m: setattr(m, "ledger_head", bytes(31))),
    "ledger empty": (Code.WRONG_SHAPE, lambda m: m.ClearField("ledger_length")),
    "ledger too long": (Code.WRONG_SHAPE, lambda m: setattr(m, "ledger_length", 2**64 - 1)),
    "sealed in the future": (Code.WRONG_SHAPE, lambda m: setattr(m, "sealed_at_s", 2**62)),
    "sealed before time": (Code.WRONG_SHAPE, lambda m: setattr(m, "sealed_at_s", -(2**62))),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_release_that_is_wrong_in_one_thing_is_refused_for_it(case: Case, name: str) -> None:
    code, spoil = SPOILT[name]
    message = case.sound()
    spoil(message)
    assert case.take(case.sealed(message)) is code
    with case.world.store.reading() as reader:
        assert reader.releases_of_site("site-01") == []
    quarter = message.quarter if message.quarter in (1, 4) else 4
    settled = code in (Code.WRONG_SHAPE, Code.WRONG_NOISE)
    expected = (RequestState.REFUSED, code.value) if settled else (RequestState.WAITING, "")
    assert case.state(quarter) == expected


def with_roles(message: pb.Release, names: Sequence[str] = HEADCOUNT_BY_ROLE) -> pb.Release:
    roles = [pb.Exposure(name=name, months=[180, 180, 190]) for name in names]
    declared = sorted([*message.exposures, *roles], key=lambda exposure: exposure.name)
    del message.exposures[:]
    message.exposures.extend(declared)
    return message


def test_a_site_may_declare_its_headcount_by_role(case: Case) -> None:
    assert case.take(case.sealed(with_roles(case.sound()))) is None


@pytest.mark.parametrize(
    "names", [HEADCOUNT_BY_ROLE[:5], (*HEADCOUNT_BY_ROLE, "headcount_volunteer"), HEADCOUNT_BY_ROLE * 2]
)
def test_of_the_role_groups_all_are_declared_or_none(case: Case, names: Sequence[str]) -> None:
    assert case.take(case.sealed(with_roles(case.sound(), names))) is Code.WRONG_SHAPE


def test_a_slice_without_closing_periods_has_no_tables(case: Case) -> None:
    assert len(case.sound(1).tables) == 0
    assert case.take(case.sealed(case.sound(1))) is None
    padded = case.sound(2)
    padded.tables.add(tally="serious_events", sigma_1024=sigma_1024(1, case.plan.tallies[0].tables[0].rho_nano))
    assert case.take(case.sealed(padded)) is Code.WRONG_SHAPE


def test_a_site_without_person_keys_protects_encounters(case: Case) -> None:
    message = case.sound()
    for unit in message.units:
        unit.unit = "encounter" if unit.unit == "clinician" else unit.unit
    assert case.take(case.sealed(message)) is None


# --- what arrives unauthenticated -------------------------------------------------------------------------------


def with_unknown_field(body: bytes) -> bytes:
    return body + b"\xfa\x01\x01x"


def with_long_varint(body: bytes, quarter: int) -> bytes:
    """The same message with field 4 (quarter) as a varint of two bytes instead of one."""
    short, padded = bytes([4 << 3, quarter]), bytes([4 << 3, 0x80 | quarter, 0])
    assert body.count(short) >= 1
    return body.replace(short, padded, 1)


def resigned(case: Case, body: bytes, kind: str = "release") -> bytes:
    signature = case.site.key.sign(b"leadline/v1/" + kind.encode() + b"\x00" + body)
    name = key_id(case.site.key.public_key())
    return canonical_bytes(pb.Envelope(kind=kind, body=body, key_id=name, signature=signature))


def spoilt_envelope(raw: bytes, **fields: object) -> bytes:
    envelope = pb.Envelope.FromString(raw)
    for name, value in fields.items():
        setattr(envelope, name, value)
    return canonical_bytes(envelope)


def malformed(case: Case) -> dict[str, tuple[bytes, Code]]:
    message = case.sound()
    body, raw = canonical_bytes(message), case.sealed(message)
    stranger = Ed25519PrivateKey.generate()
    request = pb.Request(request_id="x", site_id="site-01", quarter=4)
    return {
        "nothing": (b"", Code.WRONG_KIND),
        "text": (b"GET / HTTP/1.1\r\n\r\n", Code.MALFORMED),
        "huge": (b"\x00" * (MAX_STATEMENT_BYTES + 1), Code.TOO_LARGE),
        "a second envelope behind": (raw + raw, Code.NOT_CANONICAL),
        "an extra field in the envelope": (with_unknown_field(raw), Code.NOT_CANONICAL),
        "a batch instead": (pb.Batch(envelopes=[raw]).SerializeToString(), Code.MALFORMED),
        "another kind": (case.sealed(request), Code.WRONG_KIND),
        "a plan": (seal_statement(case.plan, case.world.key), Code.WRONG_KIND),
        "a release that says it is a refusal": (spoilt_envelope(raw, kind="refusal"), Code.BAD_SIGNATURE),
        "a kind in capitals": (spoilt_envelope(raw, kind="Release"), Code.WRONG_KIND),
        "a stranger's key": (seal_statement(message, stranger), Code.UNKNOWN_KEY),
        "a stranger under the site's key id": (
            spoilt_envelope(seal_statement(message, stranger), key_id=key_id(case.site.key.public_key())),
            Code.BAD_SIGNATURE,
        ),
        "the PSO's own key": (seal_statement(message, case.world.key), Code.UNKNOWN_KEY),
        "no signature": (spoilt_envelope(raw, signature=b""), Code.BAD_SIGNATURE),
        "a signature too long": (spoilt_envelope(raw, signature=bytes(65)), Code.BAD_SIGNATURE),
        "another body": (spoilt_envelope(raw, body=canonical_bytes(case.sound(1))), Code.BAD_SIGNATURE),
        "an extra field, signed": (resigned(case, with_unknown_field(body)), Code.NOT_CANONICAL),
        "a long varint, signed": (resigned(case, with_long_varint(body, 4)), Code.NOT_CANONICAL),
        "no protobuf, signed": (resigned(case, b"\xff\xff\xff"), Code.MALFORMED),
        "an empty body, signed": (resigned(case, b""), Code.WRONG_SITE),
        "another site's answer": (seal_statement(message, case.world.sites[1].key), Code.WRONG_SITE),
    }


def test_what_is_not_authentic_changes_nothing_but_the_audit_log(case: Case) -> None:
    for name, (raw, code) in malformed(case).items():
        assert case.take(raw) is code, name
        assert case.state() == (RequestState.WAITING, ""), name
    with case.world.store.reading() as reader:
        refused = [event for event in reader.audit_events() if event.action == "answer.refused"]
        assert first_broken(reader.audit_events()) is None
    assert [event.details["code"] for event in refused] == [code.value for _, code in malformed(case).values()]


def test_the_answer_of_one_site_does_not_pass_for_another(case: Case) -> None:
    raw = case.sealed(case.sound())
    assert case.take(raw, site_id="site-02") is Code.WRONG_SITE
    assert case.take(raw, site_id="") is Code.WRONG_SITE
    with case.world.store.reading() as reader:
        assert reader.releases_of_site("site-01") == []


def test_a_disabled_site_is_not_believed(case: Case) -> None:
    disable_site(case.world.store, "site-01")
    assert case.take(case.sealed(case.sound())) is Code.UNKNOWN_KEY
    world = case.world
    enable_site(world.store, world.clock, world.config, world.key, "site-01")
    assert case.take(case.sealed(case.sound())) is None


def test_every_truncation_and_many_bit_flips_are_refused(case: Case) -> None:
    """All truncations, and each byte flipped in one bit: none may be believed, none may end in another error."""
    raw = case.sealed(case.sound())
    flips = random.Random(7)  # noqa: S311
    with case.world.store.reading() as reader:
        for length in range(len(raw)):
            refuse(raw[:length], reader)
        for position in range(len(raw)):
            changed = bytearray(raw)
            changed[position] ^= 1 << flips.randrange(8)
            refuse(bytes(changed), reader)


def refuse(raw: bytes, reader: object) -> None:
    with pytest.raises(Refused):
        authenticate(raw, "site-01", reader)  # type: ignore[arg-type]


# --- asked, and the ledger --------------------------------------------------------------------------------------


def test_a_slice_that_was_not_sent_is_not_taken(world: World) -> None:
    world.open()
    with world.store.reading() as reader:
        plan = reader.plan_by_id(BENCHMARK)
    assert plan is not None
    case = Case(world, world.sites[0], read_plan(plan), plan.digest)
    assert case.take(case.sealed(case.sound())) is Code.NOT_ASKED


def test_an_answer_after_the_round_has_ended_is_not_taken(case: Case) -> None:
    close_rounds(case.world.store)
    assert case.take(case.sealed(case.sound())) is Code.NOT_ASKED


def test_an_old_sealed_answer_that_arrives_late_is_in_order(case: Case) -> None:
    first = case.sealed(case.sound(1))
    case.world.clock.forward(hours=1)
    second = case.sealed(case.sound(2))
    assert case.take(second) is None
    assert case.take(first) is None
    with case.world.store.reading() as reader:
        site = reader.site("site-01")
    assert site is not None
    assert site.ledger_length == case.sound(2).ledger_length


def test_an_answer_from_a_restored_ledger_is_refused(case: Case) -> None:
    for quarter in (1, 2):
        assert case.take(case.sealed(case.sound(quarter))) is None
        case.world.clock.forward(hours=1)
    case.site.entries = 0  # the backup of before
    assert case.take(case.sealed(case.sound(3))) is Code.LEDGER_REWOUND
    assert case.state(3) == (RequestState.REFUSED, "ledger_rewound")


def test_a_forked_ledger_of_the_same_length_is_refused(case: Case) -> None:
    assert case.take(case.sealed(case.sound(1))) is None
    forked = case.sound(2)
    forked.ledger_length = case.sound(1).ledger_length
    assert case.take(case.sealed(forked)) is Code.LEDGER_REWOUND


# --- refusals ---------------------------------------------------------------------------------------------------


def refusal(case: Case, **fields: str | int) -> pb.Refusal:
    with case.world.store.reading() as reader:
        request = reader.requests(f"{BENCHMARK}-1", "site-01")[3]
    made = pb.Refusal(request_id=request.request_id, site_id="site-01", quarter=4, code="paused", detail="x")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize("code", sorted(Code))
def test_every_code_of_the_list_is_understood(case: Case, code: Code) -> None:
    assert case.take(case.sealed(refusal(case, code=code.value))) is None
    assert case.state()[1] == code.value


def test_a_refusal_with_another_code_or_of_another_request_is_not_taken(case: Case) -> None:
    assert case.take(case.sealed(refusal(case, code="tired"))) is Code.MALFORMED
    assert case.take(case.sealed(refusal(case, request_id="none"))) is Code.NOT_ASKED
    with case.world.store.reading() as reader:
        theirs = reader.requests(f"{BENCHMARK}-1", "site-02")[0].request_id
    assert case.take(case.sealed(refusal(case, request_id=theirs))) is Code.NOT_ASKED
    assert case.state() == (RequestState.WAITING, "")


def test_a_refusal_cannot_undo_an_answer(case: Case) -> None:
    case.take(case.sealed(case.sound()))
    assert case.take(case.sealed(refusal(case, code="budget_exhausted"))) is None
    assert case.state() == (RequestState.ANSWERED, "")


def test_a_refusals_detail_is_made_safe_for_a_terminal(case: Case) -> None:
    case.take(case.sealed(refusal(case, detail="\x1b[2Jgone\n" + "x" * 5000)))
    with case.world.store.reading() as reader:
        detail = reader.requests(f"{BENCHMARK}-1", "site-01")[3].refusal_detail
    assert detail.startswith(" [2Jgone ")
    assert len(detail) == 300
