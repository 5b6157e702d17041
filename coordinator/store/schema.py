"""The tables. Times are UTC in ISO 8601, which sorts as text; envelopes are kept as the exact bytes that were signed.

Plans, releases, publications, retired keys and audit events are immutable: triggers in the migrations refuse every
change.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Dialect, Enum, ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from coordinator.rounds.states import RequestState, RoundState


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime as UTC text with microseconds. ValueError for a naive one."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """To text."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored time needs a time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """From text."""
        return None if value is None else datetime.fromisoformat(value)


class SiteState(StrEnum):
    """Whether a site is asked and its answers are taken; one that left never is again."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    LEFT = "left"


class NoticeKind(StrEnum):
    """What a site is sent without being asked anything: its approval, or the newest publication."""

    APPROVAL = "approval"
    PUBLICATION = "publication"


class Purpose(StrEnum):
    """What a plan is for: the yearly benchmark, or trends by month and quarter."""

    BENCHMARK = "benchmark"
    TREND = "trend"


def _by_value(kind: type[StrEnum]) -> Enum:
    """A text column that holds the enum's values."""
    return Enum(kind, native_enum=False, length=16, values_callable=lambda members: [m.value for m in members])


class Base(DeclarativeBase):
    """Maps the Python types of this module to column types."""

    type_annotation_map = {  # noqa: RUF012  (SQLAlchemy reads it from the class)
        datetime: UtcDateTime(),
        bytes: LargeBinary(),
        dict[str, str]: JSON(),
        dict[str, Any]: JSON(),
        dict[str, list[str]]: JSON(),
        SiteState: _by_value(SiteState),
        NoticeKind: _by_value(NoticeKind),
        Purpose: _by_value(Purpose),
        RoundState: _by_value(RoundState),
        RequestState: _by_value(RequestState),
    }


class Site(Base):
    """An enrolled site: who it is, its keys and public attributes, its approval, and the newest ledger head it stated.

    `approval` is the envelope of the newest one, renewed from `renew_at` on. `ledger_at` is the site's own time.
    """

    __tablename__ = "sites"

    site_id: Mapped[str] = mapped_column(primary_key=True)
    public_key: Mapped[str] = mapped_column(unique=True)  # PEM
    key_id: Mapped[str] = mapped_column(unique=True)
    transport_key: Mapped[str] = mapped_column(unique=True)  # canonical PEM
    attributes: Mapped[dict[str, str]]
    state: Mapped[SiteState]
    ledger_head: Mapped[bytes]  # empty if it stated none yet
    ledger_length: Mapped[int]
    ledger_at: Mapped[datetime]
    enrolled_at: Mapped[datetime]
    approval: Mapped[bytes]
    approval_serial: Mapped[int]
    approval_until: Mapped[datetime]
    renew_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]  # when its relay was last online, to the minute


class RetiredKey(Base):
    """A key that a site exchanged. No site may enrol with it again; `is_stolen`: nothing that it signed is taken."""

    __tablename__ = "retired_keys"

    public_key: Mapped[str] = mapped_column(primary_key=True)  # PEM, of a signing or a transport key
    key_id: Mapped[str | None] = mapped_column(unique=True)  # of a signing key
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.site_id"), index=True)
    is_stolen: Mapped[bool]
    retired_at: Mapped[datetime]


class Notice(Base):
    """An approval (by serial) or a publication (by number) on its way to a site, until the site acknowledges it."""

    __tablename__ = "notices"

    site_id: Mapped[str] = mapped_column(ForeignKey("sites.site_id"), primary_key=True)
    kind: Mapped[NoticeKind] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[bytes]  # SHA-256 of the body that was last sent, which the acknowledgement names; empty before
    due_at: Mapped[datetime]
    attempts: Mapped[int]
    acknowledged_at: Mapped[datetime | None]


class Plan(Base):
    """A signed plan; `envelope` is what is sent, `digest` the SHA-256 of the plan's canonical bytes."""

    __tablename__ = "plans"

    plan_id: Mapped[str] = mapped_column(primary_key=True)
    envelope: Mapped[bytes]
    digest: Mapped[bytes] = mapped_column(unique=True)
    year: Mapped[int]
    purpose: Mapped[Purpose]
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("year", "purpose"),)


class Round(Base):
    """One plan carried out over the sites that were enabled when it opened. `reason` says why it ended."""

    __tablename__ = "rounds"

    round_id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.plan_id"), index=True)
    state: Mapped[RoundState]
    minimum_sites: Mapped[int]
    opened_at: Mapped[datetime]
    deadline: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    reason: Mapped[str]


class Request(Base):
    """One slice asked of one site. `due_at` is when it may be sent (again), never before its quarter has closed."""

    __tablename__ = "requests"

    request_id: Mapped[str] = mapped_column(primary_key=True)
    round_id: Mapped[str] = mapped_column(ForeignKey("rounds.round_id"), index=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.site_id"), index=True)
    quarter: Mapped[int]
    state: Mapped[RequestState]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    attempts: Mapped[int]  # sendings since the last refusal
    reasks: Mapped[int]  # refusals after which it was asked again
    refusal_code: Mapped[str]
    refusal_detail: Mapped[str]

    __table_args__ = (UniqueConstraint("round_id", "site_id", "quarter"),)


class Release(Base):
    """A site's verified answer to one slice of a plan: the exact envelope. There is one, whatever the round."""

    __tablename__ = "releases"

    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.plan_id"), primary_key=True)
    site_id: Mapped[str] = mapped_column(ForeignKey("sites.site_id"), primary_key=True)
    quarter: Mapped[int] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("requests.request_id"))
    envelope: Mapped[bytes]
    digest: Mapped[bytes]  # SHA-256 of the release's canonical bytes
    ledger_head: Mapped[bytes]
    ledger_length: Mapped[int]
    sealed_at: Mapped[datetime]
    received_at: Mapped[datetime]


class Publication(Base):
    """A published set of benchmarks: its canonical JSON bytes, their signature, and the same rows as tables.

    `content_digest` covers what it says apart from its number and date; `members` are the sites it used, by year.
    """

    __tablename__ = "publications"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    document: Mapped[bytes]
    csv: Mapped[bytes]
    parquet: Mapped[bytes]
    signature: Mapped[bytes]
    key_id: Mapped[str]
    content_digest: Mapped[bytes] = mapped_column(unique=True)
    members: Mapped[dict[str, list[str]]]
    created_at: Mapped[datetime]


class AuditEvent(Base):
    """Who did what, when, to what; each one carries the hash of the one before it."""

    __tablename__ = "audit_events"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    details: Mapped[dict[str, Any]]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
