"""What becomes of an answer: a release is stored, a refusal settles or postpones its request, an acknowledgement ends
the sending of what it names.

Whatever is not accepted leaves an audit event with its code and changes nothing, with one exception: what the right
site signed and got wrong settles its request as refused, since asking again would bring the same sealed bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.message import DecodeError

from coordinator.clock import Clock
from coordinator.config import Rounds
from coordinator.intake import (
    AuthenticAcknowledgement,
    AuthenticRefusal,
    AuthenticRelease,
    VerifiedAcknowledgement,
    VerifiedRefusal,
    VerifiedRelease,
    authenticate,
    find_request,
    verify_acknowledgement,
    verify_refusal,
    verify_release,
)
from coordinator.outbox import MAX_ENVELOPES
from coordinator.rounds.states import RequestState
from coordinator.store.audit import Actor, Event
from coordinator.store.database import Store
from coordinator.store.schema import Release
from coordinator.store.writer import Writer
from protocols.refusals import EXPLANATIONS, Code, Refused
from protocols.v1 import leadline_pb2 as pb


def take_payload(store: Store, clock: Clock, rules: Rounds, site_id: str, payload: bytes) -> list[Code | None]:
    """Take every envelope of a serialised Batch; one that is none, or holds too many, is noted and dropped."""
    problem: Code | None = None
    try:
        envelopes = list(pb.Batch.FromString(payload).envelopes)
    except DecodeError:
        problem = Code.MALFORMED
    else:
        problem = Code.TOO_LARGE if len(envelopes) > MAX_ENVELOPES else None
    if problem is None:
        return take_answers(store, clock, rules, site_id, envelopes)
    with store.writing() as writer:
        writer.note(Event(Actor.INTAKE, "payload.refused", site_id, {"code": problem.value}))
    return [problem]


def take_answers(
    store: Store, clock: Clock, rules: Rounds, site_id: str, envelopes: Sequence[bytes]
) -> list[Code | None]:
    """Take the envelopes that came back from a site, in one transaction. Safe to repeat.

    Returns for each why it was not accepted, or None; one that is not accepted does not keep back the others.
    """
    with store.writing() as writer:
        return [_take_answer(writer, clock, rules, site_id, raw) for raw in envelopes]


def _take_answer(writer: Writer, clock: Clock, rules: Rounds, site_id: str, raw: bytes) -> Code | None:
    try:
        answer = authenticate(raw, site_id, writer)
        if isinstance(answer, AuthenticRefusal):
            _take_refusal(writer, clock, rules, verify_refusal(answer, writer))
        elif isinstance(answer, AuthenticAcknowledgement):
            _take_acknowledgement(writer, verify_acknowledgement(answer, writer, clock.now()))
        else:
            _take_release(writer, clock, answer)
    except Refused as refused:
        details = {"code": refused.code.value, "detail": refused.detail}
        writer.note(Event(Actor.INTAKE, "answer.refused", site_id, details))
        return refused.code
    return None


def _take_release(writer: Writer, clock: Clock, answer: AuthenticRelease) -> None:
    found = find_request(answer, writer)
    request = found[1]
    try:
        release = verify_release(answer, found, writer, clock.now())
    except Refused as refused:
        if request.state is RequestState.WAITING:
            refusal = (refused.code.value, refused.detail)
            writer.refuse_request(request, refusal, _request_event("request.refused", request.request_id, refusal))
        raise
    if not release.is_repeated:
        writer.store_release(_row(release, clock), release.head, _release_event(release))


def _row(release: VerifiedRelease, clock: Clock) -> Release:
    message = release.message
    return Release(
        plan_id=release.plan.plan_id,
        site_id=message.site_id,
        quarter=message.quarter,
        request_id=release.request.request_id,
        envelope=release.envelope,
        digest=release.digest,
        ledger_head=message.ledger_head,
        ledger_length=message.ledger_length,
        sealed_at=datetime.fromtimestamp(message.sealed_at_s, UTC),
        received_at=clock.now(),
    )


def _release_event(release: VerifiedRelease) -> Event:
    details = {"site": release.message.site_id, "digest": release.digest.hex()}
    return Event(Actor.INTAKE, "release.store", release.request.request_id, details)


def _request_event(action: str, request_id: str, refusal: tuple[str, str]) -> Event:
    return Event(Actor.INTAKE, action, request_id, {"code": refusal[0], "detail": refusal[1]})


def _take_refusal(writer: Writer, clock: Clock, rules: Rounds, refusal: VerifiedRefusal) -> None:
    request, words = refusal.request, (refusal.code.value, refusal.detail)
    if request.state is not RequestState.WAITING:
        return
    if EXPLANATIONS[refusal.code].retryable and request.reasks < rules.max_reasks:
        due_at = clock.now() + timedelta(seconds=rules.reask_s)
        writer.postpone_request(request, words, due_at, _request_event("request.postponed", request.request_id, words))
    else:
        writer.refuse_request(request, words, _request_event("request.refused", request.request_id, words))


def _take_acknowledgement(writer: Writer, received: VerifiedAcknowledgement) -> None:
    notice = received.notice
    if notice.acknowledged_at is None or received.head is not None:
        details = {"kind": notice.kind.value, "number": notice.number}
        writer.acknowledge(notice, received.head, Event(Actor.INTAKE, "notice.acknowledge", notice.site_id, details))
