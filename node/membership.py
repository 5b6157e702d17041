"""The PSO's approval of this site: checked against the site's own keys, kept, renewed, and turned into relay settings.

The first approval is believed once a person has compared the fingerprint of the PSO's key; that key is then kept, and
every later approval must be signed by it, carry a serial number that is not lower, and name this site and its keys.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from node.config import NodeConfig
from node.enrolment import load_transport_key
from node.files import PUBLIC, put_file
from node.identity import load_signing_key
from node.relay_settings import write_relay_settings
from protocols.enrolment import open_approval, open_first_approval, pso_key, same_fingerprint, show_fingerprint
from protocols.keys import KeyFileError, load_public_key, public_pem
from protocols.operator.errors import SignatureError
from protocols.refusals import Code, Refused
from protocols.statement import Verified, fingerprint, key_id
from protocols.v1 import leadline_pb2 as pb

CLOCK_SKEW_S = 86_400  # an approval that begins tomorrow by this machine's clock is in force


class MembershipState(StrEnum):
    """Whether the site may answer."""

    VALID = "valid"
    ENDED = "ended"
    NOT_YET = "not_yet"
    OTHER_KEYS = "other_keys"


@dataclass(frozen=True)
class Membership:
    """The approval that is kept, and the raw public keys that the site has now."""

    approval: pb.Approval
    signing_key: bytes
    transport_key: str

    def state(self, now_s: int) -> MembershipState:
        """Other keys come first: such an approval never was for this site as it is."""
        approval = self.approval
        if (approval.signing_key, approval.transport_key) != (self.signing_key, self.transport_key):
            return MembershipState.OTHER_KEYS
        if now_s >= approval.valid_until_s:
            return MembershipState.ENDED
        return MembershipState.NOT_YET if now_s < approval.valid_from_s - CLOCK_SKEW_S else MembershipState.VALID


def load_membership(config: NodeConfig) -> Membership | None:
    """The approval on disk, verified with the PSO's key as it was compared; None before the first import.

    SignatureError if a key file is missing or the approval was altered.
    """
    kept = _kept(config)
    if kept is None:
        return None
    return Membership(kept.message, *_own_keys(config))


def install_approval(config: NodeConfig, raw: bytes, pso_fingerprint: str | None, now_s: int) -> Membership:
    """Check an approval and keep it, with what the relay needs. `pso_fingerprint` is compared, where it is given,
    before anything is written; without one the PSO's key must be known already.

    SignatureError if the PSO's key does not fit; Refused with WRONG_SITE, MEMBERSHIP_ENDED or as `open_approval` does.
    """
    with _alone(config):
        opened = _open(config, raw, pso_fingerprint)
        membership = Membership(opened.message, *_own_keys(config))
        _check(membership, config.site.id, now_s)
        with suppress(SignatureError):  # what is kept and cannot be relied on stands in nobody's way
            _check_newer(opened, _kept(config))
        if not config.paths.pso_key.exists():
            put_file(config.paths.pso_key, public_pem(pso_key(opened.message)).encode(), PUBLIC)
        put_file(config.paths.approval, raw)
        write_relay_settings(config, opened.message)  # last: a relay's folder that is closed must not end a membership
        return membership


def describe(membership: Membership, now_s: int) -> str:
    """One sentence on whether the site may answer, and until when."""
    approval, until = membership.approval, day_of(membership.approval.valid_until_s)
    match membership.state(now_s):
        case MembershipState.VALID:
            return f"approved by {approval.pso_title} until {until} (serial {approval.serial}); it renews itself"
        case MembershipState.ENDED:
            return f"the approval ended on {until}: nothing is answered until {approval.pso_title} sends a new one"
        case MembershipState.NOT_YET:
            begins = day_of(approval.valid_from_s)
            return f"the approval begins on {begins}: check this machine's clock if that day has come"
        case MembershipState.OTHER_KEYS:
            return "the approval is for other keys than this site has: send a new `leadline-node request` to the PSO"


def day_of(moment_s: int) -> str:
    """The UTC day of a moment, as ISO 8601."""
    return datetime.fromtimestamp(moment_s, UTC).date().isoformat()


def _open(config: NodeConfig, raw: bytes, pso_fingerprint: str | None) -> Verified[pb.Approval]:
    if config.paths.pso_key.exists():
        known = load_public_key(config.paths.pso_key)
        _compare(pso_fingerprint, fingerprint(known))
        return open_approval(raw, {key_id(known): known})
    opened = open_first_approval(raw)
    if pso_fingerprint is None:
        hint = "ask the PSO by telephone for the fingerprint of its key, and give it with --fingerprint"
        raise SignatureError("fingerprint", "the PSO's key is not known here yet", hint)
    _compare(pso_fingerprint, fingerprint(pso_key(opened.message)))
    return opened


def _compare(typed: str | None, digits: str) -> None:
    if typed is not None and not same_fingerprint(typed, digits):
        message = f"the PSO's key has the fingerprint {show_fingerprint(digits)}, which is not what was typed"
        hint = "type all 64 digits again; if they differ from what the PSO read to you, do not use this file"
        raise SignatureError("fingerprint", message, hint)


def _check(membership: Membership, site_id: str, now_s: int) -> None:
    if membership.approval.site_id != site_id:
        raise Refused(Code.WRONG_SITE, f"this is {site_id}")
    match membership.state(now_s):
        case MembershipState.OTHER_KEYS:
            raise Refused(Code.WRONG_SITE, "the approval is for other keys than this site has now")
        case MembershipState.ENDED:
            raise Refused(Code.MEMBERSHIP_ENDED, f"it ended on {day_of(membership.approval.valid_until_s)}")
        case MembershipState.NOT_YET:
            raise Refused(Code.MEMBERSHIP_ENDED, f"it begins on {day_of(membership.approval.valid_from_s)}")


def _check_newer(opened: Verified[pb.Approval], kept: Verified[pb.Approval] | None) -> None:
    if kept is None or opened.body == kept.body:
        return
    if opened.message.serial <= kept.message.serial:
        raise Refused(Code.MEMBERSHIP_ENDED, f"approval {kept.message.serial} took its place")


def _kept(config: NodeConfig) -> Verified[pb.Approval] | None:
    path = config.paths.approval
    if not path.is_file():
        return None
    try:
        known = load_public_key(config.paths.pso_key)
        return open_approval(path.read_bytes(), {key_id(known): known})
    except (KeyFileError, Refused) as error:
        hint = "restore keys/pso.pub and keys/approval together from your backup, or ask the PSO for a new approval"
        raise SignatureError("approval", f"the approval {path} cannot be relied on: {error}", hint) from error


def _own_keys(config: NodeConfig) -> tuple[bytes, str]:
    return load_signing_key(config).public_key().public_bytes_raw(), load_transport_key(config)


@contextmanager
def _alone(config: NodeConfig) -> Iterator[None]:
    """The daemon renews while a person may import: one at a time, so that the newer approval stays."""
    with config.paths.approval.with_name("approval.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
