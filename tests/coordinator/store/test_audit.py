"""No write without its audit event, proved over every method that writes; and the chain over all events."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from typing import get_type_hints

import pytest

from coordinator.rounds.states import RequestState, RoundEvent, RoundState
from coordinator.store.audit import Actor, Event, first_broken
from coordinator.store.reader import Reader
from coordinator.store.records import Head, IssuedApproval, SiteKeys
from coordinator.store.schema import (
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
from coordinator.store.writer import Writer
from tests.coordinator.conftest import World

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = Event(Actor.OPERATOR, "test.act", "thing", {"number": 1})


def a_site() -> Site:
    return Site(
        site_id="new",
        public_key="k",
        key_id="i",
        transport_key="t",
        attributes={},
        state=SiteState.ENABLED,
        ledger_head=b"",
        ledger_length=0,
        ledger_at=MOMENT,
        enrolled_at=MOMENT,
        approval=b"",
        approval_serial=0,
        approval_until=MOMENT,
        renew_at=MOMENT,
        last_seen_at=None,
    )


def a_retired_key(writer: Writer) -> RetiredKey:
    site = writer.sites()[0]
    return RetiredKey(
        public_key=site.public_key, key_id=site.key_id, site_id=site.site_id, is_stolen=False, retired_at=MOMENT
    )


def a_plan() -> Plan:
    return Plan(plan_id="p", envelope=b"e", digest=b"d", year=2020, purpose=Purpose.TREND, created_at=MOMENT)


def a_round() -> Round:
    return Round(
        round_id="r",
        plan_id="2024-benchmark",
        state=RoundState.OPEN,
        minimum_sites=1,
        opened_at=MOMENT,
        deadline=MOMENT,
        closed_at=None,
        reason="",
    )


def a_release(request: Request) -> Release:
    return Release(
        plan_id="2024-benchmark",
        site_id=request.site_id,
        quarter=request.quarter,
        request_id=request.request_id,
        envelope=b"e",
        digest=b"d",
        ledger_head=b"h",
        ledger_length=1,
        sealed_at=MOMENT,
        received_at=MOMENT,
    )


def a_publication() -> Publication:
    return Publication(
        number=1,
        document=b"",
        csv=b"",
        parquet=b"",
        signature=b"",
        key_id="k",
        content_digest=b"c",
        members={},
        created_at=MOMENT,
    )


def first_request(writer: Writer) -> Request:
    return writer.requests("2024-benchmark-1")[0]


def first_notice(writer: Writer) -> Notice:
    site = writer.sites()[0]
    notice = writer.notice(site.site_id, NoticeKind.APPROVAL, site.approval_serial)
    assert notice is not None
    return notice


HEAD = Head(b"h", 99, MOMENT)
APPROVAL = IssuedApproval(b"e", 99, MOMENT, MOMENT)
KEYS = SiteKeys("p", "i", "t")

ACTS: dict[str, Callable[[Writer, Event], object]] = {
    "note": lambda w, e: w.note(e),
    "add_site": lambda w, e: w.add_site(a_site(), e),
    "set_site_state": lambda w, e: w.set_site_state(w.sites()[0], SiteState.DISABLED, e),
    "set_attributes": lambda w, e: w.set_attributes(w.sites()[0], {"type": "rehab"}, e),
    "exchange_keys": lambda w, e: w.exchange_keys(w.sites()[0], KEYS, [a_retired_key(w)], e),
    "approve_site": lambda w, e: w.approve_site(w.sites()[0], APPROVAL, e),
    "move_head": lambda w, e: w.move_head(w.sites()[0], HEAD, e),
    "add_publication_notice": lambda w, e: w.add_publication_notice("site-01", 1, e),
    "mark_notified": lambda w, e: w.mark_notified(first_notice(w), b"d", MOMENT, e),
    "acknowledge": lambda w, e: w.acknowledge(first_notice(w), HEAD, e),
    "add_plan": lambda w, e: w.add_plan(a_plan(), e),
    "open_round": lambda w, e: w.open_round(a_round(), [], e),
    "end_round": lambda w, e: w.end_round(w.rounds()[0], RoundEvent.ENDED_SHORT, "why", e),
    "mark_sent": lambda w, e: w.mark_sent({first_request(w).request_id: MOMENT}, e),
    "store_release": lambda w, e: w.store_release(a_release(first_request(w)), HEAD, e),
    "refuse_request": lambda w, e: w.refuse_request(first_request(w), ("paused", ""), e),
    "postpone_request": lambda w, e: w.postpone_request(first_request(w), ("paused", ""), MOMENT, e),
    "add_publication": lambda w, e: w.add_publication(a_publication(), e),
}


def write_methods() -> set[str]:
    own = {name for name, _ in inspect.getmembers(Writer, inspect.isfunction) if not name.startswith("_")}
    return own - {name for name, _ in inspect.getmembers(Reader, inspect.isfunction)}


def test_every_write_method_takes_an_audit_event_and_is_tried_below() -> None:
    assert write_methods() == set(ACTS)
    for name in write_methods():
        hints = get_type_hints(getattr(Writer, name))
        parameters = inspect.signature(getattr(Writer, name)).parameters
        assert hints.get("event") is Event, f"{name} takes no audit event"
        assert parameters["event"].default is inspect.Parameter.empty, f"{name} can be called without its event"


def write_and_fail(world: World, name: str) -> None:
    with world.store.writing() as writer:
        ACTS[name](writer, EVENT)
        raise RuntimeError


@pytest.mark.parametrize("name", sorted(ACTS))
def test_every_write_stores_its_event_in_the_same_transaction(world: World, name: str) -> None:
    world.open()
    content = dump(world)
    with pytest.raises(RuntimeError):
        write_and_fail(world, name)
    assert dump(world) == content, "the write was not undone together with its event"
    with world.store.writing() as writer:
        before = writer.last_audit_event()
        ACTS[name](writer, EVENT)
        after = writer.last_audit_event()
    assert before is not None
    assert after is not None
    assert (after.seq, after.action, after.details) == (before.seq + 1, "test.act", {"number": 1})
    assert name == "note" or dump(world, without="audit_events") != content


@pytest.mark.parametrize("name", sorted(set(ACTS) - {"note"}))
def test_no_write_happens_if_its_event_cannot_be_stored(world: World, name: str) -> None:
    world.open()
    content = dump(world)
    unstorable = Event(Actor.OPERATOR, "test.act", "thing", {"number": float("nan")})  # type: ignore[dict-item]
    with pytest.raises(ValueError, match="JSON"), world.store.writing() as writer:
        ACTS[name](writer, unstorable)
    assert dump(world) == content


def dump(world: World, without: str = "") -> list[str]:
    lines = sqlite3.connect(world.config.paths.database).iterdump()
    return [line for line in lines if not without or without not in line]


def test_requests_state_is_the_tables_alone(world: World) -> None:
    """A settled request cannot be settled again: the table of states has no way out."""
    world.open()
    with world.store.writing() as writer:
        request = first_request(writer)
        writer.refuse_request(request, ("paused", ""), EVENT)
        assert request.state is RequestState.REFUSED
    for act in ("store_release", "refuse_request", "postpone_request", "mark_sent"):
        with pytest.raises(LookupError), world.store.writing() as writer:
            ACTS[act](writer, EVENT)


TAMPERING = [
    "UPDATE audit_events SET details = '{}' WHERE seq = 3",
    "UPDATE audit_events SET actor = 'broker' WHERE seq = 3",
    "UPDATE audit_events SET at = '2020-01-01T00:00:00.000000+00:00' WHERE seq = 3",
    "DELETE FROM audit_events WHERE seq = 3",
    "UPDATE audit_events SET seq = 300 WHERE seq = 3",
]


@pytest.mark.parametrize("statement", TAMPERING)
def test_the_chain_shows_what_was_changed_behind_the_triggers(world: World, statement: str) -> None:
    with world.store.reading() as reader:
        assert first_broken(reader.audit_events()) is None
    database = sqlite3.connect(world.config.paths.database)
    for trigger in ("audit_events_no_update", "audit_events_no_delete"):
        database.execute(f"DROP TRIGGER {trigger}")
    database.execute(statement)
    database.commit()
    with world.store.reading() as reader:
        assert first_broken(reader.audit_events()) in (3, 4)
