"""The register of sites: what an operator sees of each, and stopping, resuming or ending its part."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.rounds.states import RequestState, RoundState
from coordinator.sites.approvals import Issuer, is_valid, read_approval
from coordinator.store.audit import Actor, Event
from coordinator.store.database import Store
from coordinator.store.reader import Reader
from coordinator.store.schema import NoticeKind, Site, SiteState
from protocols.enrolment import enrolment_fingerprint
from protocols.operator.errors import InputError, RuleError
from protocols.refusals import EXPLANATIONS, Code


@dataclass(frozen=True)
class SiteStatus:
    """A site as an operator sees it. `fingerprint` covers both keys; the two numbers are what it acknowledged."""

    site: Site
    fingerprint: str
    is_approved: bool
    acknowledged_serial: int
    acknowledged_publication: int

    def as_data(self) -> dict[str, object]:
        """For programs; times in ISO 8601."""
        site = self.site
        seen = site.last_seen_at
        return {
            "site_id": site.site_id,
            "state": site.state.value,
            "key_id": site.key_id,
            "fingerprint": self.fingerprint,
            "attributes": site.attributes,
            "ledger_length": site.ledger_length,
            "last_seen_at": None if seen is None else seen.isoformat(timespec="seconds"),
            "approval_serial": site.approval_serial,
            "approval_until": site.approval_until.isoformat(timespec="seconds"),
            "is_approved": self.is_approved,
            "acknowledged_serial": self.acknowledged_serial,
            "acknowledged_publication": self.acknowledged_publication,
        }


@dataclass(frozen=True)
class Farewell:
    """What remains of a site that left: years with all of its slices, and the end of its approval."""

    site: Site
    years: tuple[int, ...]


def known_site(reader: Reader, site_id: str) -> Site:
    """The site with this id; InputError if there is none."""
    site = reader.site(site_id)
    if site is None:
        raise InputError("site_unknown", f"there is no site {site_id}", "see: sites list")
    return site


def site_status(reader: Reader, site: Site, now: datetime) -> SiteStatus:
    """What an operator sees of a site."""
    return SiteStatus(
        site,
        enrolment_fingerprint(read_approval(site)),
        is_valid(site, now),
        reader.acknowledged(site.site_id, NoticeKind.APPROVAL),
        reader.acknowledged(site.site_id, NoticeKind.PUBLICATION),
    )


def ago(moment: datetime | None, now: datetime) -> str:
    """How long ago, as people say it: "never", "just now", "3 min ago", "5 h ago", "12 days ago"."""
    if moment is None:
        return "never"
    minutes = int((now - moment).total_seconds()) // 60
    if minutes < 2:
        return "just now"
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days ago"


def disable_site(store: Store, site_id: str) -> Site:
    """Ask a site nothing, take nothing and send it nothing, no approval either. What it released stays."""
    with store.writing() as writer:
        site = _member(writer, site_id)
        if site.state is SiteState.ENABLED:
            writer.set_site_state(site, SiteState.DISABLED, _event("site.disable", site_id))
    return site


def enable_site(store: Store, clock: Clock, config: Config, key: Ed25519PrivateKey, site_id: str) -> Site:
    """Ask a disabled site again; a fresh approval goes out with the next exchange."""
    with store.writing() as writer:
        site = _member(writer, site_id)
        if site.state is SiteState.DISABLED:
            writer.set_site_state(site, SiteState.ENABLED, _event("site.enable", site_id))
            issued = Issuer(config, clock, key).issue(site)
            writer.approve_site(site, issued, _event("site.approve", site_id, serial=issued.serial))
    return site


def dismiss_site(store: Store, site_id: str) -> Farewell:
    """End a site's part for good: its open requests are settled, its keys are never used again, nor is its id.

    What it released stays, in the figures of later publications too: a figure with it and one without it would show
    it by subtraction.
    """
    with store.writing() as writer:
        site = _member(writer, site_id)
        writer.set_site_state(site, SiteState.LEFT, _event("site.leave", site_id))
        words = (Code.SITE_LEFT.value, EXPLANATIONS[Code.SITE_LEFT].why)
        for round_ in writer.rounds(RoundState.OPEN):
            for request in writer.requests(round_.round_id, site_id):
                if request.state is RequestState.WAITING:
                    event = Event(Actor.OPERATOR, "request.refused", request.request_id, {"code": words[0]})
                    writer.refuse_request(request, words, event)
        return Farewell(site, _years(writer, site_id))


def _years(reader: Reader, site_id: str) -> tuple[int, ...]:
    plans = {plan.plan_id: plan.year for plan in reader.plans()}
    return tuple(sorted({plans[release.plan_id] for release in reader.releases_of_site(site_id)}))


def _member(reader: Reader, site_id: str) -> Site:
    site = known_site(reader, site_id)
    if site.state is SiteState.LEFT:
        message = f"site {site_id} left the network for good"
        raise RuleError("site_left", message, "the hospital enrols again under another id, with other keys")
    return site


def _event(action: str, site_id: str, **details: int) -> Event:
    return Event(Actor.OPERATOR, action, site_id, details)
