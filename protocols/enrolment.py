"""How a site joins: its enrolment, the fingerprint that two people compare, and the PSO's approval.

The fingerprint covers both keys of the site, so that neither can be exchanged on the way:

    SHA-256( "leadline/enrolment/1" 0x00  signing key (32 raw bytes)  transport key (SubjectPublicKeyInfo PEM) )
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from protocols.keys import canonical_transport_key
from protocols.operator.errors import InputError
from protocols.profile import SITE_ID, check_profile
from protocols.refusals import Code, Refused
from protocols.statement import KINDS, Verified, key_id, open_statement, parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

_DOMAIN = b"leadline/enrolment/1\x00"
_GROUP = 4
_SUPERLINK = re.compile(r"(?:[A-Za-z0-9]([A-Za-z0-9.-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\]):([0-9]{1,5})")
_MAX_TITLE = 200
_MAX_ENTRIES = 2**53
_LAST_SECOND = 253_402_300_799  # 9999-12-31, the last day that a date can show

M = TypeVar("M", pb.Enrolment, pb.Approval)


def enrolment_fingerprint(message: pb.Enrolment | pb.Approval) -> str:
    """64 hex digits over both keys of the site: what the two sides read to each other by telephone."""
    return hashlib.sha256(_DOMAIN + message.signing_key + message.transport_key.encode()).hexdigest()


def show_fingerprint(digits: str) -> str:
    """A fingerprint in groups of four, as it is read aloud."""
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def same_fingerprint(typed: str, digits: str) -> bool:
    """Whether all 64 digits were typed; white space and the case of letters do not matter."""
    found = "".join(typed.split()).lower()
    return len(digits) == 64 and hmac.compare_digest(found.encode(), digits.lower().encode())


def open_enrolment(raw: bytes) -> Verified[pb.Enrolment]:
    """Verify an enrolment with the key that it names itself: its sender holds that key, whoever the sender is.

    Raises Refused with the codes of `open_statement`, and MALFORMED for an id, key or profile that breaks the rules.
    """
    opened = _open_by_own_key(raw, pb.Enrolment)
    message = opened.message
    _check_site(message)
    _check_ledger(message.ledger_head, message.ledger_length)
    _need(0 < message.made_at_s <= _LAST_SECOND, "its date")
    enrolled_profile(message)
    return opened


def enrolled_profile(message: pb.Enrolment) -> dict[str, str]:
    """The public attributes that a site declares; MALFORMED unless each is allowed and there once, in order of name."""
    names = [attribute.name for attribute in message.profile]
    _need(names == sorted(set(names)) and all(name.isprintable() for name in names), "its profile's order or names")
    try:
        return check_profile({attribute.name: attribute.value for attribute in message.profile}, "the enrolment")
    except InputError as error:
        raise Refused(Code.MALFORMED, error.message[:200]) from error


def open_approval(raw: bytes, pso_keys: Mapping[str, Ed25519PublicKey]) -> Verified[pb.Approval]:
    """Verify an approval by a PSO whose key is known.

    Raises Refused with the codes of `open_statement`, and MALFORMED for an approval that contradicts itself.
    """
    return _checked_approval(open_statement(raw, pb.Approval, pso_keys))


def open_first_approval(raw: bytes) -> Verified[pb.Approval]:
    """Verify an approval with the key that it names itself. Whose key that is, people find out by its fingerprint."""
    return _checked_approval(_open_by_own_key(raw, pb.Approval))


def pso_key(message: pb.Approval) -> Ed25519PublicKey:
    """The key that signs this PSO's statements."""
    return _public_key(message.pso_key)


def root_certificates(message: pb.Approval) -> Iterator[x509.Certificate]:
    """The authorities that may have signed the SuperLink's certificate; none: those that the system trusts."""
    if message.root_certificates:
        try:
            yield from x509.load_pem_x509_certificates(message.root_certificates)
        except ValueError as error:
            raise Refused(Code.MALFORMED, "its root certificates are no certificates in PEM form") from error


def _open_by_own_key(raw: bytes, kind: type[M]) -> Verified[M]:
    """The body is parsed twice: once for the key, which is not trusted until its own signature holds."""
    envelope = parse_envelope(raw)
    if envelope.kind != KINDS[kind]:
        raise Refused(Code.WRONG_KIND, f"expected a {KINDS[kind]}")
    claimed = parse_canonical(envelope.body, kind)
    public = _public_key(claimed.pso_key if isinstance(claimed, pb.Approval) else claimed.signing_key)
    return open_statement(raw, kind, {key_id(public): public})


def _checked_approval(opened: Verified[pb.Approval]) -> Verified[pb.Approval]:
    message = opened.message
    _check_site(message)
    _check_ledger(message.known_head, message.known_length)
    if key_id(pso_key(message)) != opened.key_id:
        raise Refused(Code.UNKNOWN_KEY, "the approval names another key than the one that signs it")
    _need(0 < message.serial <= _MAX_ENTRIES, "its serial number")
    _need(0 < message.valid_from_s < message.valid_until_s <= _LAST_SECOND, "its days")
    _need(0 < len(message.pso_title) <= _MAX_TITLE and message.pso_title.isprintable(), "the PSO's title")
    address = _SUPERLINK.fullmatch(message.superlink)
    _need(address is not None and 0 < int(address[2]) <= 65535, "the SuperLink's address, which is no host:port")
    list(root_certificates(message))
    return opened


def _check_site(message: pb.Enrolment | pb.Approval) -> None:
    _need(re.fullmatch(SITE_ID, message.site_id) is not None, "its site id")
    _public_key(message.signing_key)
    try:
        spelling = canonical_transport_key(message.transport_key)
    except ValueError as error:
        raise Refused(Code.MALFORMED, f"its transport key {error}") from error
    _need(spelling == message.transport_key, "its transport key, which is not in canonical form")


def _check_ledger(head: bytes, length: int) -> None:
    _need(len(head) == (32 if length else 0) and length <= _MAX_ENTRIES, "the ledger's head")


def _public_key(raw: bytes) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError as error:
        raise Refused(Code.MALFORMED, "a signing key is 32 raw bytes of Ed25519") from error


def _need(fits: bool, what: str) -> None:
    if not fits:
        raise Refused(Code.MALFORMED, f"there is something wrong with {what}")
