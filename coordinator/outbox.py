"""What is due to a site: its approval, the newest publication, and requests. Handing out is stored before it happens.

One place for both ways, the pipe and files: what goes out is marked as sent, with the time from which it may go again.
An approval and a publication go out until the site acknowledges them, and no request waits for that.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import random
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.rounds.asking import due_requests, resend_at
from coordinator.rounds.states import RoundState
from coordinator.sites.approvals import Issuer
from coordinator.store.audit import Actor, Detail, Event
from coordinator.store.database import Store
from coordinator.store.reader import Reader
from coordinator.store.schema import Notice, NoticeKind, Plan, Request, Site, SiteState
from coordinator.store.writer import Writer
from protocols.operator.errors import OperatorError
from protocols.statement import seal_statement
from protocols.v1 import leadline_pb2 as pb

MAX_ENVELOPES = 64  # in one payload, either way; a node takes no more, and a year's two rounds need eight
MAX_PUBLICATION_BYTES = 512 * 1024  # compressed; half of what one delivery may hold

_log = logging.getLogger("leadline.coordinator.outbox")


@dataclass(frozen=True)
class Parcel:
    """What goes to a site at once: a serialised Batch under a delivery id, and how many envelopes are in it."""

    delivery_id: str
    payload: bytes
    envelopes: int


class Outbox:
    """Everything that goes out to sites."""

    def __init__(self, store: Store, clock: Clock, config: Config, key: Ed25519PrivateKey) -> None:
        self._store, self._clock, self._rules, self._key = store, clock, config.rounds, key
        self._issuer = Issuer(config, clock, key)
        self._jitter = random.Random()  # noqa: S311  (spreads resending; nothing secret)
        self._packed: dict[int, bytes | None] = {}  # envelopes of publications; None where one is too large

    def sites_due(self) -> set[str]:
        """Ids of the sites to which something may be sent now."""
        with self._store.reading() as reader:
            now, publication = self._clock.now(), self._newest_publication(reader)
            return reader.sites_due(now) | reader.sites_to_notify(now, publication)

    def hand_out(self, site_id: str, unanswered: bool = False) -> Parcel | None:
        """What is due to an enabled site, marked as sent; None if nothing is.

        With `unanswered`, also what was sent before and is not answered yet, or was put off, however short a time ago.
        """
        now = self._clock.now()
        with self._store.writing() as writer:
            site = writer.site(site_id)
            if site is None or site.state is not SiteState.ENABLED:
                return None
            delivery_id = f"{site_id}/{secrets.token_hex(8)}"
            envelopes = self._send_notices(writer, site, (delivery_id, unanswered), now)
            room = MAX_ENVELOPES - len(envelopes)
            due = self._due(writer, site_id, unanswered, now)[:room]
            if due:
                self._mark_sent(writer, delivery_id, [request for _, request in due])
            envelopes += [self._request(site, plan, request) for plan, request in due]
        if not envelopes:
            return None
        return Parcel(delivery_id, pb.Batch(envelopes=envelopes).SerializeToString(), len(envelopes))

    def _due(self, reader: Reader, site_id: str, unanswered: bool, now: datetime) -> list[tuple[Plan, Request]]:
        due = []
        for round_ in reader.rounds(RoundState.OPEN):
            plan = reader.plan_by_id(round_.plan_id)
            assert plan is not None  # noqa: S101  (a foreign key)
            requests = reader.requests(round_.round_id, site_id)
            due += [(plan, request) for request in due_requests(requests, now, unanswered)]
        return due

    def _mark_sent(self, writer: Writer, delivery_id: str, requests: Iterable[Request]) -> None:
        due_again: Mapping[str, datetime] = {request.request_id: self._again(request.attempts) for request in requests}
        details = {"requests": ",".join(due_again)}
        writer.mark_sent(due_again, Event(Actor.BROKER, "delivery.hand_out", delivery_id, details))

    def _again(self, attempts: int) -> datetime:
        return resend_at(self._clock.now(), attempts + 1, self._rules, self._jitter)

    def _request(self, site: Site, plan: Plan, request: Request) -> bytes:
        message = pb.Request(
            request_id=request.request_id,
            site_id=site.site_id,
            plan=plan.envelope,
            quarter=request.quarter,
            known_head=site.ledger_head,
            known_length=site.ledger_length,
        )
        return seal_statement(message, self._key)

    def _send_notices(self, writer: Writer, site: Site, sending: tuple[str, bool], now: datetime) -> list[bytes]:
        """The approval first: a node whose approval has ended answers nothing before it has the new one."""
        delivery_id, unanswered = sending
        self._renew(writer, site, now)
        envelopes = []
        for notice, envelope in self._notices(writer, site):
            if notice.acknowledged_at is None and (notice.due_at <= now or unanswered):
                details = {"kind": notice.kind.value, "number": notice.number}
                event = Event(Actor.BROKER, "notice.hand_out", delivery_id, details)
                digest = hashlib.sha256(pb.Envelope.FromString(envelope).body).digest()
                writer.mark_notified(notice, digest, self._again(notice.attempts), event)
                envelopes.append(envelope)
        return envelopes

    def _renew(self, writer: Writer, site: Site, now: datetime) -> None:
        """A fresh approval once two thirds of the last one's life have passed."""
        if now < site.renew_at:
            return
        try:
            issued = self._issuer.issue(site)
        except OperatorError as error:
            _log.error("the approval of %s cannot be renewed: %s", site.site_id, error.message)
            return
        details: dict[str, Detail] = {"serial": issued.serial, "until": issued.until.isoformat()}
        writer.approve_site(site, issued, Event(Actor.BROKER, "site.renew", site.site_id, details))

    def _notices(self, writer: Writer, site: Site) -> list[tuple[Notice, bytes]]:
        """The site's approval and the newest publication, each with its envelope."""
        found = []
        approval = writer.notice(site.site_id, NoticeKind.APPROVAL, site.approval_serial)
        if approval is not None:
            found.append((approval, site.approval))
        number = self._newest_publication(writer)
        envelope = self._packed.get(number)
        if envelope is not None:
            notice = writer.notice(site.site_id, NoticeKind.PUBLICATION, number)
            if notice is None:
                event = Event(Actor.BROKER, "notice.add", site.site_id, {"kind": "publication", "number": number})
                notice = writer.add_publication_notice(site.site_id, number, event)
            found.append((notice, envelope))
        return found

    def _newest_publication(self, reader: Reader) -> int:
        """The number of the newest publication, if it can be sent, else 0."""
        number = reader.newest_publication()
        if number and number not in self._packed:
            self._packed = {number: self._pack(reader, number)}
        return number if self._packed.get(number) is not None else 0

    def _pack(self, reader: Reader, number: int) -> bytes | None:
        stored = reader.publication(number)
        assert stored is not None  # noqa: S101  (its number was read in this view)
        document = gzip.compress(stored.document, mtime=0)  # the same bytes each time: sites acknowledge their digest
        if len(document) > MAX_PUBLICATION_BYTES:
            _log.error("publication %d has %d bytes and is not sent to sites", number, len(document))
            return None
        message = pb.Published(number=number, document=document, signature=stored.signature)
        return seal_statement(message, self._key)
