"""Opening rounds, watching them, and ending them as the table of states says."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.plans import ensure_plan, purposes
from coordinator.rounds.asking import closes_at
from coordinator.rounds.states import ROUND_MACHINE, RequestState, RoundEvent, RoundState
from coordinator.store.audit import Actor, Detail, Event
from coordinator.store.database import Store
from coordinator.store.reader import RoundProgress
from coordinator.store.schema import Plan, Request, Round, SiteState
from coordinator.store.writer import Writer
from protocols.operator.errors import InputError, RuleError
from protocols.plan import QUARTERS


def open_rounds(
    store: Store, clock: Clock, config: Config, key: Ed25519PrivateKey, year: int, deadline_s: int | None = None
) -> list[Round]:
    """Open the benchmark round and the trend round of a year over all enabled sites.

    The deadline is `deadline_s` (the configuration's by default) after now, or after the year's end if that is later.
    RuleError if one is open already or too few sites are enabled; InputError for a year that has not begun.
    """
    now = clock.now()
    if not 2000 <= year <= now.year:
        raise InputError("year", f"{year} has not begun, or is before 2000", "pass a year up to the present one")
    wait = timedelta(seconds=config.rounds.deadline_s if deadline_s is None else deadline_s)
    deadline = max(now, datetime(year + 1, 1, 1, tzinfo=UTC)) + wait
    with store.writing() as writer:
        _refuse_too_few(writer, config.rounds.minimum_sites)
        return [
            _open_round(writer, ensure_plan(writer, config, clock, key, (year, purpose)), (now, deadline), config)
            for purpose in purposes(config)
        ]


def _refuse_too_few(writer: Writer, minimum: int) -> None:
    enabled = len(writer.sites(SiteState.ENABLED))
    if enabled < minimum:
        raise RuleError(
            "too_few_sites",
            f"{enabled} sites are enabled, and a round needs {minimum}",
            "add sites, or lower rounds.minimum_sites in the configuration",
        )


def _open_round(writer: Writer, plan: Plan, span: tuple[datetime, datetime], config: Config) -> Round:
    earlier = writer.rounds_of_plan(plan.plan_id)
    if any(round_.state is RoundState.OPEN for round_ in earlier):
        raise RuleError(
            "round_open", f"a round of plan {plan.plan_id} is open", "wait for it, or end it with: rounds close"
        )
    opened = Round(
        round_id=f"{plan.plan_id}-{len(earlier) + 1}",
        plan_id=plan.plan_id,
        state=ROUND_MACHINE.first,
        minimum_sites=config.rounds.minimum_sites,
        opened_at=span[0],
        deadline=span[1],
        closed_at=None,
        reason="",
    )
    requests = [
        _request(writer, opened, site.site_id, (plan.year, quarter))
        for site in writer.sites(SiteState.ENABLED)
        for quarter in QUARTERS
    ]
    details: dict[str, Detail] = {
        "plan": plan.plan_id,
        "requests": len(requests),
        "deadline": opened.deadline.isoformat(),
    }
    writer.open_round(opened, requests, Event(Actor.OPERATOR, "round.open", opened.round_id, details))
    return opened


def _request(writer: Writer, opened: Round, site_id: str, slice_: tuple[int, int]) -> Request:
    """A request for (year, quarter), due once the quarter has closed.

    It is answered from the start if an earlier round of the same plan brought the release.
    """
    year, quarter = slice_
    has_release = writer.release(opened.plan_id, site_id, quarter) is not None
    return Request(
        request_id=uuid.uuid4().hex,
        round_id=opened.round_id,
        site_id=site_id,
        quarter=quarter,
        state=RequestState.ANSWERED if has_release else RequestState.WAITING,
        due_at=max(opened.opened_at, closes_at(year, quarter)),
        sent_at=None,
        attempts=0,
        reasks=0,
        refusal_code="",
        refusal_detail="",
    )


def advance_rounds(store: Store, clock: Clock) -> list[Round]:
    """End every open round that is settled or past its deadline; the ended ones are returned."""
    with store.reading() as reader:
        due = [r.round_id for r in reader.rounds(RoundState.OPEN) if _event_now(r, reader.progress(r.round_id), clock)]
    if not due:
        return []
    ended = []
    with store.writing() as writer:
        for round_ in writer.rounds(RoundState.OPEN):
            progress = writer.progress(round_.round_id)
            event = _event_now(round_, progress, clock)
            if event is not None:
                _end(writer, round_, event, progress, (Actor.CLOCK, "deadline passed"))
                ended.append(round_)
    return ended


def close_rounds(store: Store, round_id: str | None = None) -> list[Round]:
    """End one open round, or all, by hand before the deadline. InputError if there is none."""
    with store.writing() as writer:
        chosen = [r for r in writer.rounds(RoundState.OPEN) if round_id in (None, r.round_id)]
        if not chosen:
            raise InputError("round_unknown", "no such round is open", "see: rounds status")
        for round_ in chosen:
            progress = writer.progress(round_.round_id)
            event = RoundEvent.ENDED_ENOUGH if _has_enough(round_, progress) else RoundEvent.ENDED_SHORT
            _end(writer, round_, event, progress, (Actor.OPERATOR, "closed by hand"))
    return chosen


def _has_enough(round_: Round, progress: RoundProgress) -> bool:
    return progress.complete_sites >= round_.minimum_sites


def _event_now(round_: Round, progress: RoundProgress, clock: Clock) -> RoundEvent | None:
    enough = _has_enough(round_, progress)
    if progress.open_requests == 0:
        return RoundEvent.SETTLED_ENOUGH if enough else RoundEvent.SETTLED_SHORT
    if clock.now() >= round_.deadline:
        return RoundEvent.ENDED_ENOUGH if enough else RoundEvent.ENDED_SHORT
    return None


def _end(writer: Writer, round_: Round, event: RoundEvent, progress: RoundProgress, cause: tuple[Actor, str]) -> None:
    actor, what = cause
    if event in (RoundEvent.SETTLED_ENOUGH, RoundEvent.SETTLED_SHORT):
        what = "every request settled"
    reason = f"{what}; {progress.complete_sites} of {progress.sites} sites complete, minimum {round_.minimum_sites}"
    writer.end_round(round_, event, reason, Event(actor, "round.end", round_.round_id, {"reason": reason}))
