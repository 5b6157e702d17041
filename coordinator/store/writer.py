"""Writing to the store. Every method takes the audit event of what it does and stores it in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from coordinator.clock import Clock
from coordinator.rounds.states import (
    REQUEST_MACHINE,
    ROUND_MACHINE,
    RequestEvent,
    RoundEvent,
)
from coordinator.store.audit import GENESIS, Event, digest_of
from coordinator.store.reader import Reader
from coordinator.store.records import Head, IssuedApproval, SiteKeys
from coordinator.store.schema import (
    AuditEvent,
    Notice,
    NoticeKind,
    Plan,
    Publication,
    Release,
    Request,
    RetiredKey,
    Round,
    Site,
    SiteState,
)


class Writer(Reader):
    """A unit of work: reads, and writes that are committed together or not at all."""

    def __init__(self, session: Session, clock: Clock) -> None:
        super().__init__(session)
        self._clock = clock

    def note(self, event: Event) -> None:
        """Record something that changed nothing else, such as an answer that was not accepted."""
        self._record(event)

    def add_site(self, site: Site, event: Event) -> None:
        """Enrol a site."""
        self._record(event)
        self._session.add(site)
        self._session.flush()

    def set_site_state(self, site: Site, state: SiteState, event: Event) -> None:
        """Enable or disable a site, or note that it left."""
        self._record(event)
        site.state = state
        self._session.flush()

    def set_attributes(self, site: Site, attributes: Mapping[str, str], event: Event) -> None:
        """Note a site's public attributes as it declares them now."""
        self._record(event)
        site.attributes = dict(attributes)
        self._session.flush()

    def exchange_keys(self, site: Site, keys: SiteKeys, retired: Sequence[RetiredKey], event: Event) -> None:
        """Give a site other keys; the retired ones can never be enrolled again."""
        self._record(event)
        site.public_key, site.key_id, site.transport_key = keys.public_key, keys.key_id, keys.transport_key
        self._session.add_all(retired)
        self._session.flush()

    def approve_site(self, site: Site, issued: IssuedApproval, event: Event) -> None:
        """Keep a site's newest approval, which is sent until the site acknowledges it."""
        self._record(event)
        site.approval, site.approval_serial = issued.envelope, issued.serial
        site.approval_until, site.renew_at = issued.until, issued.renew_at
        self._session.add(_new_notice(site.site_id, NoticeKind.APPROVAL, issued.serial, self._clock))
        self._session.flush()

    def move_head(self, site: Site, head: Head, event: Event) -> None:
        """Remember the newest head that a site stated."""
        self._record(event)
        _set_head(site, head)
        self._session.flush()

    def add_publication_notice(self, site_id: str, number: int, event: Event) -> Notice:
        """Have a publication sent to a site until the site acknowledges it."""
        self._record(event)
        notice = _new_notice(site_id, NoticeKind.PUBLICATION, number, self._clock)
        self._session.add(notice)
        self._session.flush()
        return notice

    def mark_notified(self, notice: Notice, digest: bytes, due_at: datetime, event: Event) -> None:
        """Note that a notice is being handed out now, the digest of its body, and when it may be sent again."""
        self._record(event)
        notice.digest, notice.due_at, notice.attempts = digest, due_at, notice.attempts + 1
        self._session.flush()

    def acknowledge(self, notice: Notice, head: Head | None, event: Event) -> None:
        """Note that a site received a notice, and its ledger's head if that is the newest."""
        self._record(event)
        notice.acknowledged_at = self._clock.now()
        if head is not None:
            _set_head(self._session.get_one(Site, notice.site_id), head)
        self._session.flush()

    def add_plan(self, plan: Plan, event: Event) -> None:
        """Keep a signed plan."""
        self._record(event)
        self._session.add(plan)
        self._session.flush()

    def open_round(self, opened: Round, requests: Sequence[Request], event: Event) -> None:
        """Open a round with its requests."""
        self._record(event)
        self._session.add(opened)
        self._session.flush()
        self._session.add_all(requests)
        self._session.flush()

    def end_round(self, ended: Round, by: RoundEvent, reason: str, event: Event) -> None:
        """Move a round as the table says."""
        self._record(event)
        ended.state = ROUND_MACHINE.after(ended.state, by)
        ended.reason, ended.closed_at = reason, self._clock.now()
        self._session.flush()

    def mark_sent(self, due_again: Mapping[str, datetime], event: Event) -> None:
        """Note that requests (by id) are being handed out now, and when each may be sent again."""
        self._record(event)
        for request_id, due_at in due_again.items():
            request = self._session.get_one(Request, request_id)
            request.state = REQUEST_MACHINE.after(request.state, RequestEvent.SENT)
            request.sent_at, request.due_at = self._clock.now(), due_at
            request.attempts += 1
        self._session.flush()

    def store_release(self, release: Release, head: Head | None, event: Event) -> None:
        """Keep a verified release, settle its request, and remember its ledger's head if that is the newest."""
        self._record(event)
        request = self._session.get_one(Request, release.request_id)
        request.state = REQUEST_MACHINE.after(request.state, RequestEvent.RELEASE)
        if head is not None:
            _set_head(self._session.get_one(Site, release.site_id), head)
        self._session.add(release)
        self._session.flush()

    def refuse_request(self, request: Request, refusal: tuple[str, str], event: Event) -> None:
        """Settle a request as refused for good; `refusal` is its code and detail."""
        self._record(event)
        request.state = REQUEST_MACHINE.after(request.state, RequestEvent.REFUSED_FOR_GOOD)
        request.refusal_code, request.refusal_detail = refusal
        self._session.flush()

    def postpone_request(self, request: Request, refusal: tuple[str, str], due_at: datetime, event: Event) -> None:
        """Note a refusal that asking again at `due_at` can mend."""
        self._record(event)
        request.state = REQUEST_MACHINE.after(request.state, RequestEvent.REFUSED_FOR_NOW)
        request.refusal_code, request.refusal_detail = refusal
        request.attempts, request.reasks, request.due_at = 0, request.reasks + 1, due_at
        self._session.flush()

    def add_publication(self, publication: Publication, event: Event) -> None:
        """Keep a publication for ever."""
        self._record(event)
        self._session.add(publication)
        self._session.flush()

    def _record(self, event: Event) -> None:
        last = self.last_audit_event()
        row = AuditEvent(
            seq=1 if last is None else last.seq + 1,
            at=self._clock.now(),
            actor=event.actor.value,
            action=event.action,
            object=event.object,
            details=dict(event.details),
            previous=GENESIS if last is None else last.digest,
        )
        row.digest = digest_of(row)
        self._session.add(row)
        self._session.flush()


def _set_head(site: Site, head: Head) -> None:
    site.ledger_head, site.ledger_length, site.ledger_at = head.hash, head.length, head.at


def _new_notice(site_id: str, kind: NoticeKind, number: int, clock: Clock) -> Notice:
    return Notice(
        site_id=site_id,
        kind=kind,
        number=number,
        digest=b"",
        due_at=clock.now(),
        attempts=0,
        acknowledged_at=None,
    )
