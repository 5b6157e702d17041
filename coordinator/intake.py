"""From bytes to a verified type. Nothing of an answer is used before it went through here.

The checks, in this order, each with its refusal:

     1  size, envelope                  too_large, malformed, not_canonical
     2  kind                            wrong_kind         (release, refusal or acknowledgement)
     3  key known, its site enabled     unknown_key
     4  the site that was asked         wrong_site         (by the delivery)
     5  signature                       bad_signature
     6  body in canonical form          malformed, not_canonical
     7  the site inside the body        wrong_site
     8  plan known                      unknown_plan, unknown_catalogue
     9  asked                           not_asked
    10  shape                           wrong_shape        (tables, lengths, units, fixed-size fields)
    11  noise                           wrong_noise        (the scale that cap and rho imply)
    12  exposures                       wrong_shape        (the closed list, three months, rounded to 10)
    13  ledger not rewound              ledger_rewound     (see coordinator.ledgers)
    14  no other answer before          release_conflict   (identical bytes are a repetition, and fine)

An acknowledgement goes through 1 to 7, its fields, whether we sent what it names (not_asked), and 13.

A site that exchanged its keys goes on sending what it sealed before, in the envelopes of that time: a slice is sealed
once. So a retired signing key is good for one thing, while the rounds last that were open when it was retired: a
release of such a round that was sealed before. If the key may be in other hands, `sites approve --new-keys --stolen`
retires it without this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from coordinator.ledgers import newest_head, stated_head
from coordinator.plans import read_plan
from coordinator.rounds.states import RoundState
from coordinator.store.reader import Reader
from coordinator.store.records import Head
from coordinator.store.schema import Notice, Plan, Request, Site, SiteState
from privacy.accountant import sigma_1024
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Catalogue
from protocols.keys import parse_public_pem
from protocols.plan import EXPOSURE_STEP, HEADCOUNT_BY_ROLE, QUARTERS, labels
from protocols.refusals import Code, Refused
from protocols.statement import KINDS, Verified, key_id, open_statement, parse_envelope
from protocols.v1 import leadline_pb2 as pb

TAKEN = (pb.Release, pb.Refusal, pb.Acknowledgement)
EXPOSURES = ("fte", "headcount", "patient_days")
MAX_EXPOSURE = 10**8
MAX_COUNT = 10**9
MAX_LEDGER_LENGTH = 2**53
HASH_BYTES = 32
MAX_ID_CHARACTERS = 64
MAX_DETAIL_CHARACTERS = 300
CLOCK_SKEW = timedelta(days=1)

M = TypeVar("M", pb.Release, pb.Refusal, pb.Acknowledgement)


@dataclass(frozen=True)
class AuthenticRelease:
    """A release whose signer is the site that was asked (checks 1 to 7); its content is not checked yet.

    `retired_at` is when the key that signed it was retired; None if the site signs with it now.
    """

    site: Site
    statement: Verified[pb.Release]
    envelope: bytes
    retired_at: datetime | None


@dataclass(frozen=True)
class AuthenticRefusal:
    """A refusal whose signer is the site that was asked (checks 1 to 7)."""

    site: Site
    statement: Verified[pb.Refusal]


@dataclass(frozen=True)
class AuthenticAcknowledgement:
    """An acknowledgement whose signer is the site that was asked (checks 1 to 7)."""

    site: Site
    statement: Verified[pb.Acknowledgement]


@dataclass(frozen=True)
class VerifiedRelease:
    """A release that passed every check. `is_repeated` if these very bytes are stored already; `head` is its ledger's
    if that is the newest of its site, else None.
    """

    plan: Plan
    request: Request
    message: pb.Release
    digest: bytes
    envelope: bytes
    is_repeated: bool
    head: Head | None


@dataclass(frozen=True)
class VerifiedRefusal:
    """A site's refusal of a request in an open round, with a code from the closed list."""

    request: Request
    code: Code
    detail: str


@dataclass(frozen=True)
class VerifiedAcknowledgement:
    """That a site received what a notice carried; `head` is its ledger's if that is the newest, else None."""

    notice: Notice
    head: Head | None


Authentic = AuthenticRelease | AuthenticRefusal | AuthenticAcknowledgement


def authenticate(raw: bytes, asked_site_id: str, reader: Reader) -> Authentic:
    """Checks 1 to 7: who said this? Refused if it is not the site that was asked."""
    envelope = parse_envelope(raw)
    if envelope.kind not in {KINDS[kind] for kind in TAKEN}:
        raise Refused(Code.WRONG_KIND, "expected a release, a refusal or an acknowledgement")
    site, pem, retired_at = _signer(envelope, reader)
    if site.state is not SiteState.ENABLED:
        raise Refused(Code.UNKNOWN_KEY, f"site {site.site_id} is {site.state.value}")
    if site.site_id != asked_site_id:
        raise Refused(Code.WRONG_SITE, f"site {site.site_id} signed what {asked_site_id} was asked")
    if envelope.kind == KINDS[pb.Refusal]:
        return AuthenticRefusal(site, _open(raw, pb.Refusal, pem, site))
    if envelope.kind == KINDS[pb.Acknowledgement]:
        return AuthenticAcknowledgement(site, _open(raw, pb.Acknowledgement, pem, site))
    return AuthenticRelease(site, _open(raw, pb.Release, pem, site), raw, retired_at)


def _signer(envelope: pb.Envelope, reader: Reader) -> tuple[Site, str, datetime | None]:
    """The site that signs with the envelope's key, the key as PEM, and when it was retired if it was."""
    site = reader.site_by_key_id(envelope.key_id)
    if site is not None:
        return site, site.public_key, None
    retired = reader.retired_signing_key(envelope.key_id)
    if retired is None or retired.is_stolen or envelope.kind != KINDS[pb.Release]:
        raise Refused(Code.UNKNOWN_KEY, f"key id {envelope.key_id!r}"[:60])
    site = reader.site(retired.site_id)
    assert site is not None  # noqa: S101  (a foreign key)
    return site, retired.public_key, retired.retired_at


def _open(raw: bytes, kind: type[M], pem: str, site: Site) -> Verified[M]:
    public = parse_public_pem(pem)
    opened = open_statement(raw, kind, {key_id(public): public})
    _same_site(opened.message.site_id, site)
    return opened


def _same_site(named: str, signer: Site) -> None:
    if named != signer.site_id:
        raise Refused(Code.WRONG_SITE, f"site {signer.site_id} signed for another one")


def find_request(answer: AuthenticRelease, reader: Reader) -> tuple[Plan, Request]:
    """Checks 8 and 9: the plan and the request that a release answers."""
    message = answer.statement.message
    plan = reader.plan_by_digest(message.plan_digest)
    if plan is None:
        raise Refused(Code.UNKNOWN_PLAN)
    if message.quarter not in QUARTERS:
        raise Refused(Code.NOT_ASKED, "a year has quarters 1 to 4")
    request = reader.open_request(plan.plan_id, answer.site.site_id, message.quarter)
    if request is None:
        stored = reader.release(plan.plan_id, answer.site.site_id, message.quarter)
        request = None if stored is None else reader.request(stored.request_id)
    if request is None:
        raise Refused(Code.NOT_ASKED, f"{plan.plan_id} quarter {message.quarter} has no open round")
    if answer.retired_at is not None:
        _check_retired(answer, request, answer.retired_at, reader)
    return plan, request


def _check_retired(answer: AuthenticRelease, request: Request, retired_at: datetime, reader: Reader) -> None:
    sealed_at = datetime.fromtimestamp(answer.statement.message.sealed_at_s, UTC)
    round_ = reader.round(request.round_id)
    if sealed_at > retired_at or (round_ is not None and round_.opened_at > retired_at):
        raise Refused(Code.UNKNOWN_KEY, f"key id {answer.statement.key_id} was retired before")


def verify_release(
    answer: AuthenticRelease, found: tuple[Plan, Request], reader: Reader, now: datetime
) -> VerifiedRelease:
    """Checks 10 to 14, against the plan that we signed and what the site sent before."""
    plan, request = found
    message, asked = answer.statement.message, read_plan(plan)
    catalogue, digest = current_catalogue()
    if asked.catalogue_digest != digest:
        raise Refused(Code.UNKNOWN_CATALOGUE, f"plan {plan.plan_id}")
    _check_fixed_fields(message, now)
    answered = _answered(message, asked)
    _check_tables(message, answered, catalogue)
    _check_units(message, catalogue)
    _check_noise(message, asked)
    _check_exposures(message.exposures)
    stored = reader.release(plan.plan_id, answer.site.site_id, message.quarter)
    is_repeated = stored is not None and stored.envelope == answer.envelope
    stated = stated_head(message.ledger_head, message.ledger_length, message.sealed_at_s)
    head = None if is_repeated else newest_head(stated, answer.site, reader)
    if stored is not None and not is_repeated:
        raise Refused(Code.RELEASE_CONFLICT, f"{plan.plan_id} quarter {message.quarter}")
    return VerifiedRelease(plan, request, message, answer.statement.digest, answer.envelope, is_repeated, head)


def verify_refusal(answer: AuthenticRefusal, reader: Reader) -> VerifiedRefusal:
    """The request that a refusal is about, and its code (NOT_ASKED, MALFORMED)."""
    message = answer.statement.message
    request = reader.request(message.request_id)
    if request is None or request.site_id != answer.site.site_id or request.sent_at is None:
        raise Refused(Code.NOT_ASKED, f"a refusal ({_printable(message.code)}) of no request that was sent")
    if not any(round_.round_id == request.round_id for round_ in reader.rounds(RoundState.OPEN)):
        raise Refused(Code.NOT_ASKED, f"round {request.round_id} has ended")
    try:
        code = Code(message.code)
    except ValueError as error:
        raise Refused(Code.MALFORMED, "a refusal with a code that is not in the list") from error
    return VerifiedRefusal(request, code, _printable(message.detail))


def verify_acknowledgement(answer: AuthenticAcknowledgement, reader: Reader, now: datetime) -> VerifiedAcknowledgement:
    """What a site received (WRONG_SHAPE, NOT_ASKED, LEDGER_REWOUND). To say it again, or late, does no harm."""
    message = answer.statement.message
    _shape(len(message.digest) == HASH_BYTES, "the digest has not 32 bytes")
    _check_head(message.ledger_head, message.ledger_length)
    _check_time(message.at_s, now)
    notice = reader.notice_with_digest(answer.site.site_id, message.digest)
    if notice is None:
        raise Refused(Code.NOT_ASKED, "an acknowledgement of nothing that was sent")
    head = stated_head(message.ledger_head, message.ledger_length, message.at_s)
    return VerifiedAcknowledgement(notice, newest_head(head, answer.site, reader))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text[:MAX_DETAIL_CHARACTERS])


def _shape(condition: bool, detail: str) -> None:
    if not condition:
        raise Refused(Code.WRONG_SHAPE, detail)


def _check_fixed_fields(message: pb.Release, now: datetime) -> None:
    _shape(0 < len(message.release_id) <= MAX_ID_CHARACTERS, "the release id is empty or too long")
    _check_head(message.ledger_head, message.ledger_length)
    _check_time(message.sealed_at_s, now)


def _check_head(head: bytes, length: int) -> None:
    _shape(len(head) == HASH_BYTES, "the ledger head has not 32 bytes")
    _shape(0 < length <= MAX_LEDGER_LENGTH, "the ledger length is out of range")


def _check_time(at_s: int, now: datetime) -> None:
    latest_s = (now + CLOCK_SKEW).timestamp()
    _shape(0 <= at_s <= latest_s, "it was made in the future; check the site's clock")


def _tables_due(asked: pb.Plan, quarter: int, catalogue: Catalogue) -> list[tuple[pb.TallyRequest, int, int]]:
    """The tables with values that close in the quarter, in the plan's order: request, position, number of values."""
    tables = [
        (request, position, len(labels(catalogue.tally(request.tally), table, asked.year, quarter)))
        for request in asked.tallies
        for position, table in enumerate(request.tables)
    ]
    return [table for table in tables if table[2]]


def _check_tables(message: pb.Release, asked: pb.Plan, catalogue: Catalogue) -> None:
    due = _tables_due(asked, message.quarter, catalogue)
    expected = [(request.tally, position, length) for request, position, length in due]
    found = [(table.tally, table.table, len(table.values)) for table in message.tables]
    _shape(found == expected, "the tables, their order or their lengths are not the plan's")
    for table in message.tables:
        _shape(all(abs(value) <= MAX_COUNT for value in table.values), f"{table.tally} holds impossible counts")


def _answered(message: pb.Release, asked: pb.Plan) -> pb.Plan:
    """The part of the plan that the site answers: it may leave tallies out, for policy or for want of an export."""
    named = [unit.tally for unit in message.units]
    requests = [request for request in asked.tallies if request.tally in named]
    is_part = bool(named) and named == [request.tally for request in requests]
    _shape(is_part, "the protected units are not those of the plan, in its order")
    return pb.Plan(year=asked.year, tallies=requests)


def _check_units(message: pb.Release, catalogue: Catalogue) -> None:
    for unit in message.units:
        needed = catalogue.tally(unit.tally).unit
        allowed = {"clinician", "encounter"} if needed == "clinician" else {needed}
        _shape(unit.unit in allowed, f"{unit.tally} protects another unit than the catalogue's")


def _check_noise(message: pb.Release, asked: pb.Plan) -> None:
    requests = {request.tally: request for request in asked.tallies}
    for table in message.tables:
        request = requests[table.tally]
        if table.sigma_1024 != sigma_1024(request.cap, request.tables[table.table].rho_nano):
            raise Refused(Code.WRONG_NOISE, table.tally)


def _check_exposures(exposures: Sequence[pb.Exposure]) -> None:
    """Either the three that every site declares, or these and the headcounts of all role groups; in order of name."""
    named = [exposure.name for exposure in exposures]
    lists = (sorted(EXPOSURES), sorted((*EXPOSURES, *HEADCOUNT_BY_ROLE)))
    _shape(named in lists, f"the exposures are not {', '.join(EXPOSURES)}, with or without headcounts by role")
    for exposure in exposures:
        _shape(len(exposure.months) == 3, f"{exposure.name} needs three months")
        for value in exposure.months:
            is_sane = value % EXPOSURE_STEP == 0 and value <= MAX_EXPOSURE
            _shape(is_sane, f"{exposure.name} is not rounded to {EXPOSURE_STEP}, or is impossible")
