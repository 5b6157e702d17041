"""Reading the store. Nothing here writes; the research interface and the pages get no more than this."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from coordinator.rounds.states import RequestState, RoundState
from coordinator.store.schema import (
    AuditEvent,
    Notice,
    NoticeKind,
    Plan,
    Publication,
    Purpose,
    Release,
    Request,
    RetiredKey,
    Round,
    Site,
    SiteState,
)

# Refusals after which the slice may have been drawn: a fault at the node, and what intake finds in a release.


@dataclass(frozen=True)
class RoundProgress:
    """How far a round is: numbers of sites in it, complete ones, and requests not yet settled."""

    sites: int
    complete_sites: int
    open_requests: int


class Reader:
    """One consistent view of the store."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def sites(self, state: SiteState | None = None) -> Sequence[Site]:
        """All sites by id, or those in `state`."""
        query = select(Site).order_by(Site.site_id)
        return self._session.scalars(query if state is None else query.where(Site.state == state)).all()

    def site(self, site_id: str) -> Site | None:
        """The site with this id."""
        return self._session.get(Site, site_id)

    def site_by_key_id(self, key_id: str) -> Site | None:
        """The site that signs with this key."""
        return self._session.scalar(select(Site).where(Site.key_id == key_id))

    def retired_key(self, public_key: str) -> RetiredKey | None:
        """The retired key with this PEM text."""
        return self._session.get(RetiredKey, public_key)

    def retired_signing_key(self, key_id: str) -> RetiredKey | None:
        """The retired signing key with this key id."""
        return self._session.scalar(select(RetiredKey).where(RetiredKey.key_id == key_id))

    def notice(self, site_id: str, kind: NoticeKind, number: int) -> Notice | None:
        """The notice of this approval or publication to this site."""
        return self._session.get(Notice, (site_id, kind, number))

    def notice_with_digest(self, site_id: str, digest: bytes) -> Notice | None:
        """The notice to this site whose body has this SHA-256."""
        return self._session.scalar(select(Notice).where(Notice.site_id == site_id, Notice.digest == digest))

    def acknowledged(self, site_id: str, kind: NoticeKind) -> int:
        """The highest serial or number that the site said it received; 0 if none."""
        query = select(func.max(Notice.number)).where(
            Notice.site_id == site_id, Notice.kind == kind, Notice.acknowledged_at.is_not(None)
        )
        return self._session.scalar(query) or 0

    def sites_to_notify(self, now: datetime, publication: int) -> set[str]:
        """Ids of the sites whose approval is to be renewed, or to which it, or this publication, may be sent now.

        Without a publication to send, its number is 0.
        """
        newest = or_(
            and_(Notice.kind == NoticeKind.APPROVAL, Notice.number == Site.approval_serial),
            and_(Notice.kind == NoticeKind.PUBLICATION, Notice.number == publication),
        )
        waiting = (
            select(Notice.site_id)
            .join(Site, Site.site_id == Notice.site_id)
            .where(newest, Notice.acknowledged_at.is_(None), Notice.due_at <= now)
        )
        was_sent = exists().where(
            Notice.site_id == Site.site_id, Notice.kind == NoticeKind.PUBLICATION, Notice.number == publication
        )
        new = select(Site.site_id).where(or_(Site.renew_at <= now, and_(literal(publication > 0), ~was_sent)))
        return set(self._session.scalars(waiting)) | set(self._session.scalars(new))

    def plan(self, year: int, purpose: Purpose) -> Plan | None:
        """The plan of this year and purpose."""
        return self._session.scalar(select(Plan).where(Plan.year == year, Plan.purpose == purpose))

    def plans(self) -> Sequence[Plan]:
        """All plans by year and purpose."""
        return self._session.scalars(select(Plan).order_by(Plan.year, Plan.purpose)).all()

    def plan_by_id(self, plan_id: str) -> Plan | None:
        """The plan with this id."""
        return self._session.get(Plan, plan_id)

    def plan_by_digest(self, digest: bytes) -> Plan | None:
        """The plan whose canonical bytes have this SHA-256."""
        return self._session.scalar(select(Plan).where(Plan.digest == digest))

    def rounds(self, state: RoundState | None = None) -> Sequence[Round]:
        """All rounds in the order of their opening, or those in `state`."""
        query = select(Round).order_by(Round.opened_at, Round.round_id)
        return self._session.scalars(query if state is None else query.where(Round.state == state)).all()

    def rounds_of_plan(self, plan_id: str) -> Sequence[Round]:
        """The rounds in which a plan was carried out."""
        return self._session.scalars(
            select(Round).where(Round.plan_id == plan_id).order_by(Round.opened_at, Round.round_id)
        ).all()

    def requests(self, round_id: str, site_id: str | None = None) -> Sequence[Request]:
        """The requests of a round by site and quarter."""
        query = select(Request).where(Request.round_id == round_id).order_by(Request.site_id, Request.quarter)
        if site_id is not None:
            query = query.where(Request.site_id == site_id)
        return self._session.scalars(query).all()

    def request(self, request_id: str) -> Request | None:
        """The request with this id."""
        return self._session.get(Request, request_id)

    def sites_due(self, now: datetime) -> set[str]:
        """Ids of the sites with a request in an open round that waits and may be sent."""
        query = (
            select(Request.site_id)
            .join(Round, Round.round_id == Request.round_id)
            .where(Round.state == RoundState.OPEN, Request.state == RequestState.WAITING, Request.due_at <= now)
            .distinct()
        )
        return set(self._session.scalars(query))

    def open_request(self, plan_id: str, site_id: str, quarter: int) -> Request | None:
        """The request for this slice in the open round of the plan, if it was ever sent."""
        return self._session.scalar(
            select(Request)
            .join(Round, Round.round_id == Request.round_id)
            .where(
                Round.plan_id == plan_id,
                Round.state == RoundState.OPEN,
                Request.site_id == site_id,
                Request.quarter == quarter,
                Request.sent_at.is_not(None),
            )
        )

    def progress(self, round_id: str) -> RoundProgress:
        """Counts of a round's sites and requests."""
        per_site = (
            select(
                Request.site_id,
                func.count().filter(Request.state == RequestState.ANSWERED).label("answered"),
                func.count().filter(Request.state == RequestState.WAITING).label("waiting"),
                func.count().label("asked"),
            )
            .where(Request.round_id == round_id)
            .group_by(Request.site_id)
            .subquery()
        )
        row = self._session.execute(
            select(
                func.count(),
                func.count().filter(per_site.c.answered == per_site.c.asked),
                func.coalesce(func.sum(per_site.c.waiting), 0),
            ).select_from(per_site)
        ).one()
        return RoundProgress(*(int(value) for value in row))

    def undelivered(self, site_id: str) -> Sequence[Request]:
        """The requests that were ever sent to a site, and for which no release is stored: their slices may be drawn.

        A refusal shows nothing: whoever carries the answers can keep a release back and hand in an older refusal.
        """
        was_released = exists().where(
            Release.plan_id == Round.plan_id, Release.site_id == site_id, Release.quarter == Request.quarter
        )
        return self._session.scalars(
            select(Request)
            .join(Round, Round.round_id == Request.round_id)
            .where(Request.site_id == site_id, Request.sent_at.is_not(None), ~was_released)
        ).all()

    def round(self, round_id: str) -> Round | None:
        """The round with this id."""
        return self._session.get(Round, round_id)

    def release(self, plan_id: str, site_id: str, quarter: int) -> Release | None:
        """The stored answer to one slice."""
        return self._session.get(Release, (plan_id, site_id, quarter))

    def releases_of_plan(self, plan_id: str) -> Sequence[Release]:
        """All answers to a plan by site and quarter."""
        return self._session.scalars(
            select(Release).where(Release.plan_id == plan_id).order_by(Release.site_id, Release.quarter)
        ).all()

    def releases_of_site(self, site_id: str) -> Sequence[Release]:
        """All answers of a site in the order of its ledger."""
        return self._session.scalars(
            select(Release).where(Release.site_id == site_id).order_by(Release.ledger_length)
        ).all()

    def newest_publication(self) -> int:
        """The highest number of a publication; 0 before the first one."""
        return self._session.scalar(select(func.max(Publication.number))) or 0

    def publication_numbers(self) -> Sequence[int]:
        """The numbers of all publications, rising."""
        return self._session.scalars(select(Publication.number).order_by(Publication.number)).all()

    def publication_with_content(self, digest: bytes) -> Publication | None:
        """The publication that says exactly this already."""
        return self._session.scalar(select(Publication).where(Publication.content_digest == digest))

    def last_publication(self) -> Publication | None:
        """The publication with the highest number."""
        return self._session.scalar(select(Publication).order_by(Publication.number.desc()).limit(1))

    def publication(self, number: int) -> Publication | None:
        """The publication with this number; numbers beyond what a database can hold have none."""
        return self._session.get(Publication, number) if number < 2**63 else None

    def audit_events(self) -> Sequence[AuditEvent]:
        """The whole audit log in order."""
        return self._session.scalars(select(AuditEvent).order_by(AuditEvent.seq)).all()

    def last_audit_event(self) -> AuditEvent | None:
        """The newest audit event."""
        return self._session.scalar(select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(1))
