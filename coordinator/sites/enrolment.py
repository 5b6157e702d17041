"""Enrolling a site, or giving it other keys: from the file that it sent to its approval.

That the sender holds the keys is in the file's own signature; that the sender is the hospital is shown by comparing the
fingerprint over both keys out of band, which nothing here can replace. A key belongs to one site for ever: neither
another site's key nor one that any site exchanged is enrolled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.intake import CLOCK_SKEW
from coordinator.ledgers import newest_head, stated_head
from coordinator.sites.approvals import Issuer
from coordinator.store.audit import Actor, Detail, Event
from coordinator.store.database import Store
from coordinator.store.reader import Reader
from coordinator.store.records import SiteKeys
from coordinator.store.schema import RetiredKey, Site, SiteState
from coordinator.store.writer import Writer
from protocols.enrolment import enrolled_profile, enrolment_fingerprint, open_enrolment, same_fingerprint
from protocols.keys import public_pem
from protocols.operator.errors import InputError, RuleError, SignatureError
from protocols.refusals import Refused
from protocols.statement import key_id
from protocols.v1 import leadline_pb2 as pb

MAX_FILE_BYTES = 64 * 1024


@dataclass(frozen=True)
class Enrolment:
    """What a site's file says, with the fingerprint (64 hex digits) to compare."""

    message: pb.Enrolment
    attributes: Mapping[str, str]
    fingerprint: str

    @property
    def site_id(self) -> str:
        """The id under which the site takes part."""
        return self.message.site_id

    @property
    def keys(self) -> SiteKeys:
        """Both keys as they are stored."""
        public = Ed25519PublicKey.from_public_bytes(self.message.signing_key)
        return SiteKeys(public_pem(public), key_id(public), self.message.transport_key)


@dataclass(frozen=True)
class Terms:
    """What the operator decided: the fingerprint as the hospital read it out, and whether other keys are meant.

    `is_stolen`: the old keys may be in other hands, so that nothing that they signed is taken any more.
    """

    fingerprint: str
    new_keys: bool = False
    is_stolen: bool = False


@dataclass(frozen=True)
class Approved:
    """The site as it stands, what was done with it, and what its ledger's head says, if that needs a person."""

    site: Site
    act: str
    ledger_warning: str


def read_enrolment(path: Path) -> Enrolment:
    """Read and verify a site's file; InputError or SignatureError if it is none, or damaged, or forged."""
    hint = "ask the hospital for the file that `leadline-node request` made"
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError("enrolment", f"{path} cannot be read: {error.strerror}", hint) from error
    if len(raw) > MAX_FILE_BYTES:
        raise InputError("enrolment", f"{path} is too large for an enrolment", hint)
    try:
        message = open_enrolment(raw).message
        attributes = enrolled_profile(message)
    except Refused as refused:
        words = refused.detail or refused.explanation.why.rstrip(".")
        raise SignatureError("enrolment", f"{path} is no sound enrolment: {words}", hint) from refused
    return Enrolment(message, attributes, enrolment_fingerprint(message))


def approve(
    store: Store, clock: Clock, config: Config, key: Ed25519PrivateKey, asked: Enrolment, terms: Terms
) -> Approved:
    """Enrol a site, approve it afresh, or give it other keys; one transaction, and nothing changes on a refusal.

    SignatureError if the fingerprint is not the one that was read out; RuleError if a key, the site or its state
    forbids it.
    """
    _require_same(asked, terms.fingerprint)
    if asked.message.made_at_s > (clock.now() + CLOCK_SKEW).timestamp():
        raise InputError("enrolment", "the enrolment was made in the future", "check the hospital's clock and ours")
    issuer = Issuer(config, clock, key)
    with store.writing() as writer:
        known = writer.site(asked.site_id)
        _refuse_keys_of_others(writer, asked)
        if known is None:
            return _enrol(writer, clock, issuer, asked)
        act = _take_again(writer, clock, known, asked, terms)
        warning = _take_head(writer, known, asked)
        _approve(writer, issuer, known)
        return Approved(known, act, warning)


def _require_same(asked: Enrolment, typed: str) -> None:
    if not same_fingerprint(typed, asked.fingerprint):
        raise SignatureError(
            "other_fingerprint",
            f"the fingerprint that was read out is not that of the enrolment of {asked.site_id}",
            "compare all 64 digits once more; if they differ, the file is not the hospital's: enrol nobody",
        )


def _refuse_keys_of_others(reader: Reader, asked: Enrolment) -> None:
    hint = "every site makes its own keys, and new ones when it changes them: leadline-node rekey"
    for pem, words in ((asked.keys.public_key, "signing key"), (asked.keys.transport_key, "transport key")):
        retired = reader.retired_key(pem)
        if retired is not None:
            message = f"the {words} was retired by site {retired.site_id} and is never used again"
            raise RuleError("key_retired", message, hint)
        for other in reader.sites():
            if other.site_id != asked.site_id and pem in (other.public_key, other.transport_key):
                raise RuleError("key_exists", f"the {words} belongs to site {other.site_id} already", hint)


def _enrol(writer: Writer, clock: Clock, issuer: Issuer, asked: Enrolment) -> Approved:
    stated = stated_head(asked.message.ledger_head, asked.message.ledger_length, asked.message.made_at_s)
    site = Site(
        site_id=asked.site_id,
        **vars(asked.keys),
        attributes=dict(asked.attributes),
        state=SiteState.ENABLED,
        ledger_head=stated.hash,
        ledger_length=stated.length,
        ledger_at=stated.at,
        enrolled_at=clock.now(),
        approval=b"",
        approval_serial=0,
        approval_until=clock.now(),
        renew_at=clock.now(),
        last_seen_at=None,
    )
    writer.add_site(site, _event("site.enrol", asked))
    _approve(writer, issuer, site)
    return Approved(site, "enrolled", "")


def _take_again(writer: Writer, clock: Clock, site: Site, asked: Enrolment, terms: Terms) -> str:
    """Refuse what may not be, then take over other keys and attributes; what was done, in words."""
    if site.state is not SiteState.ENABLED:
        hint = "see: sites enable" if site.state is SiteState.DISABLED else "the hospital enrols under another id"
        raise RuleError(f"site_{site.state.value}", f"site {site.site_id} is {_STATES[site.state]}", hint)
    act = "approved afresh"
    own = SiteKeys(site.public_key, site.key_id, site.transport_key)
    if own != asked.keys:
        if not terms.new_keys:
            hint = "if the hospital changed its keys, compare the fingerprint and pass --new-keys"
            raise RuleError("other_keys", f"site {site.site_id} is enrolled with other keys", hint)
        _exchange(writer, clock, site, asked, terms)
        act = "enrolled with its new keys; the old ones are retired"
    if site.attributes != asked.attributes:
        writer.set_attributes(site, asked.attributes, _event("site.attributes", asked, **asked.attributes))
    return act


_STATES = {SiteState.DISABLED: "disabled", SiteState.LEFT: "gone: it left the network for good"}


def _exchange(writer: Writer, clock: Clock, site: Site, asked: Enrolment, terms: Terms) -> None:
    old = {site.public_key: site.key_id, site.transport_key: None}
    new = (asked.keys.public_key, asked.keys.transport_key)
    retired = [
        RetiredKey(
            public_key=pem,
            key_id=old_key_id,
            site_id=site.site_id,
            is_stolen=terms.is_stolen,
            retired_at=clock.now(),
        )
        for pem, old_key_id in old.items()
        if pem not in new
    ]
    event = _event("site.exchange_keys", asked, old_key_id=site.key_id, retired=len(retired), stolen=terms.is_stolen)
    writer.exchange_keys(site, asked.keys, retired, event)


def _take_head(writer: Writer, site: Site, asked: Enrolment) -> str:
    """Remember the ledger's head if it is the newest; words for a person if the ledger went back."""
    message = asked.message
    if not message.ledger_length:
        return ""
    stated = stated_head(message.ledger_head, message.ledger_length, message.made_at_s)
    try:
        head = newest_head(stated, site, writer)
    except Refused:
        return (
            f"Its ledger has {message.ledger_length} entries, and we have seen {site.ledger_length}: a backup was "
            f"restored. It answers again once it is reconciled; see: sites ledger --after {message.ledger_length}"
        )
    if head is not None:
        writer.move_head(site, head, _event("site.ledger_head", asked, length=head.length))
    return ""


def _approve(writer: Writer, issuer: Issuer, site: Site) -> None:
    issued = issuer.issue(site)
    details: dict[str, Detail] = {"serial": issued.serial, "until": issued.until.isoformat()}
    writer.approve_site(site, issued, Event(Actor.OPERATOR, "site.approve", site.site_id, details))


def _event(action: str, asked: Enrolment, **details: Detail) -> Event:
    keys = {"key_id": asked.keys.key_id, "fingerprint": asked.fingerprint}
    return Event(Actor.OPERATOR, action, asked.site_id, {**keys, **details})
