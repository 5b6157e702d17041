"""Canonical bytes and signatures. What is unverified is `bytes`; what `open_statement` returns is verified.

An envelope on the wire (protobuf, see v1/leadline.proto):

    1: kind        UTF-8   one of KINDS
    2: body        bytes   canonical bytes of the message of that kind
    3: key_id      UTF-8   first 16 hex digits of SHA-256 of the signer's raw public key
    4: signature   64 B    Ed25519 over  "leadline/v1/" kind 0x00 body

Bytes are canonical if parsing and serialising them deterministically gives them back and no field is unknown.
The kind is part of what is signed, so a signature over one kind never passes for another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from google.protobuf.message import DecodeError, Message

from protocols.refusals import Code, Refused
from protocols.v1 import leadline_pb2 as pb

MAX_STATEMENT_BYTES = 4 * 1024 * 1024
_DOMAIN = b"leadline/v1/"

M = TypeVar("M", bound=Message)

KINDS: Mapping[type[Message], str] = {
    pb.Plan: "plan",
    pb.Request: "request",
    pb.Release: "release",
    pb.Refusal: "refusal",
    pb.Enrolment: "enrolment",
    pb.Approval: "approval",
    pb.Published: "publication",
    pb.Acknowledgement: "acknowledgement",
    pb.Reconciliation: "reconciliation",
}


@dataclass(frozen=True)
class Verified(Generic[M]):
    """A message whose signature and canonical form were checked, with the bytes that were signed."""

    message: M
    body: bytes
    key_id: str

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical body, 32 bytes."""
        return hashlib.sha256(self.body).digest()


def canonical_bytes(message: Message) -> bytes:
    """The one serialisation of `message` that is ever signed."""
    return message.SerializeToString(deterministic=True)


def parse_canonical(body: bytes, kind: type[M]) -> M:
    """Parse `body` as a `kind`; refuse what is not exactly its canonical bytes (MALFORMED, NOT_CANONICAL)."""
    message = kind()
    try:
        message.ParseFromString(body)
    except DecodeError as error:
        raise Refused(Code.MALFORMED, f"the body is no {kind.DESCRIPTOR.name}") from error
    known_only = kind()
    known_only.CopyFrom(message)
    known_only.DiscardUnknownFields()
    if canonical_bytes(known_only) != body:
        raise Refused(Code.NOT_CANONICAL, f"{kind.DESCRIPTOR.name}")
    return message


def key_id(public: Ed25519PublicKey) -> str:
    """First 16 hex digits of SHA-256 over the 32 raw bytes of the key."""
    return fingerprint(public)[:16]


def fingerprint(public: Ed25519PublicKey) -> str:
    """SHA-256 over the 32 raw bytes of the key, 64 hex digits: what two people compare by telephone."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()


def _signing_input(kind: str, body: bytes) -> bytes:
    return _DOMAIN + kind.encode() + b"\x00" + body


def seal_statement(message: Message, key: Ed25519PrivateKey) -> bytes:
    """Sign `message` and return the bytes of its envelope."""
    kind, body = KINDS[type(message)], canonical_bytes(message)
    signature = key.sign(_signing_input(kind, body))
    return canonical_bytes(pb.Envelope(kind=kind, body=body, key_id=key_id(key.public_key()), signature=signature))


def parse_envelope(raw: bytes) -> pb.Envelope:
    """Parse an envelope without trusting it (TOO_LARGE, MALFORMED, NOT_CANONICAL)."""
    if len(raw) > MAX_STATEMENT_BYTES:
        raise Refused(Code.TOO_LARGE, f"{len(raw)} bytes; the limit is {MAX_STATEMENT_BYTES}")
    return parse_canonical(raw, pb.Envelope)


def open_statement(raw: bytes, kind: type[M], keys: Mapping[str, Ed25519PublicKey]) -> Verified[M]:
    """Verify an envelope, in this order: size, envelope, kind, key, signature, canonical body.

    `keys` are the enrolled keys by key id. Raises Refused with TOO_LARGE, MALFORMED, NOT_CANONICAL,
    WRONG_KIND, UNKNOWN_KEY or BAD_SIGNATURE.
    """
    envelope = parse_envelope(raw)
    if envelope.kind != KINDS[kind]:
        raise Refused(Code.WRONG_KIND, f"expected a {KINDS[kind]}")
    public = keys.get(envelope.key_id)
    if public is None:
        raise Refused(Code.UNKNOWN_KEY, f"key id {envelope.key_id!r}"[:60])
    try:
        public.verify(envelope.signature, _signing_input(envelope.kind, envelope.body))
    except InvalidSignature as error:
        raise Refused(Code.BAD_SIGNATURE) from error
    return Verified(parse_canonical(envelope.body, kind), envelope.body, envelope.key_id)
