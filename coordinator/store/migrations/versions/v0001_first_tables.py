"""The first tables, and the triggers that keep what is signed or logged from being changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_IMMUTABLE = ("plans", "releases", "publications", "retired_keys", "audit_events")


def _time(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String, nullable=False)


def _state(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(16), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _bytes(name: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False)


def upgrade() -> None:
    """Apply."""
    _sites()
    _rounds()
    _what_is_kept_for_ever()
    for table in _IMMUTABLE:
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
            )


def _sites() -> None:
    op.create_table(
        "sites",
        sa.Column("site_id", sa.String, primary_key=True),
        sa.Column("public_key", sa.String, nullable=False, unique=True),
        sa.Column("key_id", sa.String, nullable=False, unique=True),
        sa.Column("transport_key", sa.String, nullable=False, unique=True),
        sa.Column("attributes", sa.JSON, nullable=False),
        _state("state"),
        _bytes("ledger_head"),
        _number("ledger_length"),
        _time("ledger_at"),
        _time("enrolled_at"),
        _bytes("approval"),
        _number("approval_serial"),
        _time("approval_until"),
        _time("renew_at"),
        _time("last_seen_at", nullable=True),
    )
    op.create_table(
        "retired_keys",
        sa.Column("public_key", sa.String, primary_key=True),
        sa.Column("key_id", sa.String, nullable=True, unique=True),
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.site_id"), nullable=False, index=True),
        sa.Column("is_stolen", sa.Boolean, nullable=False),
        _time("retired_at"),
    )
    op.create_table(
        "notices",
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.site_id"), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        _bytes("digest"),
        _time("due_at"),
        _number("attempts"),
        _time("acknowledged_at", nullable=True),
    )


def _rounds() -> None:
    op.create_table(
        "plans",
        sa.Column("plan_id", sa.String, primary_key=True),
        _bytes("envelope"),
        sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
        _number("year"),
        _state("purpose"),
        _time("created_at"),
        sa.UniqueConstraint("year", "purpose"),
    )
    op.create_table(
        "rounds",
        sa.Column("round_id", sa.String, primary_key=True),
        sa.Column("plan_id", sa.String, sa.ForeignKey("plans.plan_id"), nullable=False, index=True),
        _state("state"),
        _number("minimum_sites"),
        _time("opened_at"),
        _time("deadline"),
        _time("closed_at", nullable=True),
        _text("reason"),
    )
    op.create_table(
        "requests",
        sa.Column("request_id", sa.String, primary_key=True),
        sa.Column("round_id", sa.String, sa.ForeignKey("rounds.round_id"), nullable=False, index=True),
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.site_id"), nullable=False, index=True),
        _number("quarter"),
        _state("state"),
        _time("due_at"),
        _time("sent_at", nullable=True),
        _number("attempts"),
        _number("reasks"),
        _text("refusal_code"),
        _text("refusal_detail"),
        sa.UniqueConstraint("round_id", "site_id", "quarter"),
    )


def _what_is_kept_for_ever() -> None:
    op.create_table(
        "releases",
        sa.Column("plan_id", sa.String, sa.ForeignKey("plans.plan_id"), primary_key=True),
        sa.Column("site_id", sa.String, sa.ForeignKey("sites.site_id"), primary_key=True),
        sa.Column("quarter", sa.Integer, primary_key=True),
        sa.Column("request_id", sa.String, sa.ForeignKey("requests.request_id"), nullable=False),
        _bytes("envelope"),
        _bytes("digest"),
        _bytes("ledger_head"),
        _number("ledger_length"),
        _time("sealed_at"),
        _time("received_at"),
    )
    op.create_table(
        "publications",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _bytes("document"),
        _bytes("csv"),
        _bytes("parquet"),
        _bytes("signature"),
        _text("key_id"),
        sa.Column("content_digest", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("members", sa.JSON, nullable=False),
        _time("created_at"),
    )
    op.create_table(
        "audit_events",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=False),
        _time("at"),
        _text("actor"),
        _text("action"),
        _text("object"),
        sa.Column("details", sa.JSON, nullable=False),
        _bytes("previous"),
        _bytes("digest"),
    )
