"""Rounds as files: a parcel is the bytes of a Batch, carried by hand instead of by the relay.

A parcel is looked through whole before anything in it is acted on: each statement must be signed by the site's PSO and
be for this site. What it holds then goes through the same inbox as what the relay brings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from google.protobuf.message import Message

from node.outbox import Outbox
from protocols.operator.errors import InputError
from protocols.outcomes import outcome_of
from protocols.refusals import Refused
from protocols.statement import KINDS, canonical_bytes, open_statement, parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

if TYPE_CHECKING:  # an inbox brings tables and noise, which exporting does without
    from node.inbox import Inbox

MAX_PARCEL_BYTES = 8 * 1024 * 1024
MAX_ENVELOPES = 64
_EXPECTED: Mapping[str, type[Message]] = {KINDS[kind]: kind for kind in (pb.Request, pb.Approval, pb.Published)}
_HINT = "ask the PSO to export it again, and carry the whole file"


@dataclass(frozen=True)
class Answered:
    """One statement of a parcel: its kind, and the kind of the answer, or the code of a refusal."""

    kind: str
    outcome: str


def read_parcel(path: Path, site_id: str, pso_keys: Mapping[str, Ed25519PublicKey]) -> tuple[bytes, ...]:
    """The envelopes of a file; InputError unless every one is the PSO's, whole, and for this site."""
    if not path.is_file():
        raise InputError("file", f"there is no file {path}", "give the file that the PSO sent")
    if path.stat().st_size > MAX_PARCEL_BYTES:
        message = f"{path} has {path.stat().st_size} bytes; the limit is {MAX_PARCEL_BYTES}"
        raise InputError("too_large", message, "check that it is the file that the PSO sent")
    try:
        envelopes = tuple(parse_canonical(path.read_bytes(), pb.Batch).envelopes)
        sites = {_site_of(envelope, pso_keys) for envelope in envelopes} - {None}
    except Refused as refused:
        raise InputError("parcel", f"{path} is not a whole file of your PSO's: {refused}", _HINT) from refused
    if not 0 < len(envelopes) <= MAX_ENVELOPES:
        raise InputError("parcel", f"{path} holds {len(envelopes)} statements, not 1 to {MAX_ENVELOPES}", _HINT)
    if foreign := sites - {site_id}:
        message = f"{path} is for {', '.join(sorted(map(str, foreign)))}, and this is {site_id}"
        raise InputError("foreign_parcel", message, "ask the PSO for the file of your own site")
    return envelopes


def answer_parcel(envelopes: tuple[bytes, ...], inbox: Inbox, outbox: Outbox) -> tuple[Answered, ...]:
    """Hand every statement to the inbox, in order, and keep the answers for the next export."""
    answered = []
    for envelope in envelopes:
        answer = _kept_receipt(outbox.answer_to(envelope)) or inbox.take(envelope)
        outbox.put(envelope, answer)
        answered.append(Answered(parse_envelope(envelope).kind, outcome_of(answer)[0]))
    return tuple(answered)


def pack_parcel(answers: tuple[bytes, ...]) -> bytes:
    """The bytes of the file that goes to the PSO."""
    return canonical_bytes(pb.Batch(envelopes=answers))


def count_outcomes(answers: tuple[bytes, ...]) -> Mapping[str, int]:
    """How many answers there are of each kind, and of refusals by code; the kinds of statements are public."""
    return Counter(outcome_of(answer)[0] for answer in answers)


def has_releases(answers: tuple[bytes, ...]) -> bool:
    """Whether the hospital's figures are among the answers, and not refusals and receipts alone."""
    return any(parse_envelope(answer).kind == KINDS[pb.Release] for answer in answers)


def _site_of(envelope: bytes, pso_keys: Mapping[str, Ed25519PublicKey]) -> str | None:
    """The site that a verified statement is for; None for a publication, which is for all."""
    kind = _EXPECTED.get(parse_envelope(envelope).kind, pb.Request)
    message = open_statement(envelope, kind, pso_keys).message
    return message.site_id if isinstance(message, pb.Request | pb.Approval) else None


def _kept_receipt(answer: bytes | None) -> bytes | None:
    """A receipt names the moment it was made, so the one that was given is given again; a request is always asked
    anew, because the site may have paused or left since, and what is sealed comes back byte for byte anyhow.
    """
    if answer is None or parse_envelope(answer).kind != KINDS[pb.Acknowledgement]:
        return None
    return answer
