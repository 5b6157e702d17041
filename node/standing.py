"""Whether this site answers anything at all today."""

from __future__ import annotations

from node.config import NodeConfig
from node.ledger.store import Ledger
from node.membership import MembershipState, load_membership
from protocols.refusals import Code, Refused

_WORDS = {
    MembershipState.ENDED: "the approval has ended",
    MembershipState.NOT_YET: "the approval has not begun",
    MembershipState.OTHER_KEYS: "the site has other keys than the approval names",
}


def check_standing(config: NodeConfig, ledger: Ledger, signing_key: bytes, now_s: int) -> None:
    """Refused with SITE_LEFT, PAUSED or MEMBERSHIP_ENDED.

    `signing_key` is the raw public key of whoever asks this: a daemon may have been started before the keys on the
    disk were changed, and must not go on with the old ones.
    """
    check_left(ledger)
    if config.pause_file.exists():
        raise Refused(Code.PAUSED)
    membership = load_membership(config)
    if membership is None:
        raise Refused(Code.MEMBERSHIP_ENDED, "no approval was imported yet")
    state = membership.state(now_s) if membership.signing_key == signing_key else MembershipState.OTHER_KEYS
    if state is not MembershipState.VALID:
        raise Refused(Code.MEMBERSHIP_ENDED, _WORDS[state])


def check_left(ledger: Ledger) -> None:
    """Refused with SITE_LEFT if the site has left for good."""
    if ledger.has_left():
        raise Refused(Code.SITE_LEFT)
