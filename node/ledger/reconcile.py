"""The way back after an old backup was restored: what the PSO holds of this site, and what follows from it.

A ledger that is behind has forgotten charges, answers and whom earlier slices counted. From the PSO's statement:

- every lost release is kept again, so that a repeated request gets the same bytes at no cost;
- what it cost is charged again: the year of its plan once, and a slice once more for every further attempt;
- its plan is closed, because the admission register of the lost slices is gone;
- a slice that was drawn again after the restore (the ledger holds another answer than the PSO) keeps the answer that
  the PSO has; its plan is closed and its ledger year charged to the ceiling, for two answers may have left;
- a ledger year in which a slice was asked for and not answered is charged to the ceiling and its plans are closed: the
  slice may have been drawn, and lost with the ledger. So are the years concerned where entries are missing that the
  releases do not explain, and all of them where the two have grown apart: nobody knows from which entry on.

The statement is the PSO's word, and so is that a ledger is behind: whoever can both restore old ledgers here and speak
for the PSO can hide charges.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from node.ledger.acts import SCOPES
from node.ledger.seen import SeenHead
from protocols.operator.errors import RuleError
from protocols.plan import plan_rho_nano, slice_rho_nano
from protocols.refusals import Refused
from protocols.statement import key_id, open_statement, parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

if TYPE_CHECKING:
    from node.ledger.reading import LedgerReader

ENTRIES_PER_RELEASE = 3  # reserved, sealed, sent


@dataclass(frozen=True)
class Lost:
    """A release that the PSO holds and the ledger does not: its envelope, and its slice of a plan.

    `is_second`: the ledger has an answer of its own to the slice, with other bytes.
    """

    plan: pb.Plan
    digest: bytes
    release: pb.Release
    envelope: bytes
    is_second: bool = False

    @property
    def attempt(self) -> int:
        """How often the slice had been reserved when this answer was drawn."""
        return int(self.release.release_id.rpartition("-")[2])

    def tallies(self, scope: str) -> tuple[str, ...]:
        """The tallies that it answers and that are charged to `scope`."""
        return tuple(u.tally for u in self.release.units if (u.unit == "record") == (scope == "record"))


@dataclass(frozen=True)
class Closed:
    """A plan of which nothing more may be drawn."""

    plan_id: str
    year: int


@dataclass(frozen=True)
class Reconciled:
    """What a reconciliation does. `is_known`: nothing, because the ledger knows every head that was seen.

    `seen` are the heads that this machine has seen and the ledger has forgotten.
    `charges` are nano-rho by ledger year and scope, on top of what the ledger holds; `plans`, by digest in hex, are
    closed; `years_closed` are charged to the ceiling.
    """

    is_known: bool
    own_length: int
    known_head: bytes
    known_length: int
    made_at_s: int
    seen: tuple[SeenHead, ...] = ()
    lost: tuple[Lost, ...] = ()
    charges: Mapping[int, Mapping[str, int]] = field(default_factory=dict)
    plans: Mapping[str, Closed] = field(default_factory=dict)
    years_closed: tuple[int, ...] = ()

    def content(self, now_s: int) -> dict[str, object]:
        """The ledger entry that says so (see `node.ledger.chain`)."""
        return {
            "kind": "reconciled",
            "seen": [[n, head.hex()] for n, head in sorted({(self.known_length, self.known_head), *self.seen}) if n],
            "made_at": self.made_at_s,
            "charges": {str(year): dict(scopes) for year, scopes in self.charges.items()},
            "releases": [sha256(lost.envelope).hexdigest() for lost in self.lost],
            "plans": {digest: asdict(plan) for digest, plan in self.plans.items()},
            "years_closed": list(self.years_closed),
            "at": now_s,
        }


def assess(
    ledger: LedgerReader,
    statement: pb.Reconciliation,
    budget_nano: Mapping[str, int],
    now_s: int,
    heads: Iterable[SeenHead] = (),
) -> Reconciled:
    """What the statement means for this ledger, of which `heads` were seen before on this machine.

    Changes nothing; RuleError if the statement and the ledger do not fit together.
    """
    _check_statement(ledger, statement)
    seen = tuple(head for head in heads if not ledger.knows(*head))
    own = ledger.head().length
    named = own, statement.known_head, statement.known_length, statement.made_at_s, seen
    lost = _lost_releases(ledger, statement)
    if not lost and _is_settled(ledger, statement, seen):
        return Reconciled(True, *named)
    charges = _prices(ledger, lost)
    years = {*statement.unanswered_years, *(item.plan.year for item in lost if item.is_second)}
    if _has_gap(ledger, statement, seen, lost):
        this_year = datetime.fromtimestamp(now_s, UTC).year
        years.update(ledger.years(), charges, (this_year, this_year - 1))
    for year in years:
        charges[year] = _to_the_ceiling(charges.get(year, {}), ledger.spent(year), budget_nano)
    plans = {item.digest.hex(): Closed(item.plan.plan_id, item.plan.year) for item in lost} | _plans_of(ledger, years)
    return Reconciled(False, *named, lost, dict(sorted(charges.items())), plans, tuple(sorted(years)))


def _is_settled(ledger: LedgerReader, statement: pb.Reconciliation, seen: Sequence[SeenHead]) -> bool:
    """It was taken in before, or adds nothing: the ledger knows every head, and nothing may be lost."""
    named = [statement.known_length, statement.known_head.hex()]
    before = (c for c in ledger.contents("reconciled") if c["made_at"] == statement.made_at_s)
    if any(named in content["seen"] for content in before):
        if seen:
            raise _refuse("it was taken in before, and entries were lost since")
        return True
    return _knows_head(ledger, statement) and not statement.unanswered_years and not seen


def _knows_head(ledger: LedgerReader, statement: pb.Reconciliation) -> bool:
    return statement.known_length == 0 or ledger.knows(statement.known_length, statement.known_head)


def _has_gap(
    ledger: LedgerReader, statement: pb.Reconciliation, seen: Sequence[SeenHead], lost: Sequence[Lost]
) -> bool:
    """Whether there may be draws that neither the releases nor the unanswered years account for.

    What only this machine has seen are the last acts of a known release, or slices that the PSO waits for.
    """
    own, explained = ledger.head().length, _explained(ledger, lost)
    forgotten = seen if _knows_head(ledger, statement) else (*seen, (statement.known_length, statement.known_head))
    if any(length <= own for length, _ in forgotten):
        if statement.after_length:
            raise _refuse("both have grown apart, so it must tell of everything that the PSO holds")
        return True
    beyond = max((length for length, _ in seen), default=0) - own
    return statement.known_length - own > explained or (beyond > explained and not statement.unanswered_years)


def _check_statement(ledger: LedgerReader, statement: pb.Reconciliation) -> None:
    if statement.site_id != ledger.site():
        raise _refuse(f"it is about {statement.site_id}, and this is the ledger of {ledger.site()}")
    if statement.made_at_s < max((c["made_at"] for c in ledger.contents("reconciled")), default=0):
        raise _refuse("it is older than the one that this ledger was reconciled with")
    own = ledger.head().length
    if statement.after_length > own:
        raise _refuse(f"it begins after entry {statement.after_length}, and this ledger ends with entry {own}")


def _lost_releases(ledger: LedgerReader, statement: pb.Reconciliation) -> tuple[Lost, ...]:
    plans = dict(map(_open_plan, statement.plans))
    keys = {key_id(key): key for key in ledger.public_keys()}
    found: dict[tuple[bytes, int], Lost] = {}
    for envelope in statement.releases:
        try:
            release = open_statement(envelope, pb.Release, keys).message
        except Refused as refused:
            raise _refuse(f"one of its releases is not this site's: {refused}") from refused
        slice_ = release.plan_digest, release.quarter
        if release.site_id != ledger.site() or release.plan_digest not in plans:
            raise _refuse(f"its release {release.release_id} is another site's, or its plan is missing")
        if slice_ in found and found[slice_].envelope != envelope:
            raise _refuse(f"its release {release.release_id} is the second one of the same slice")
        own = ledger.sealed(*slice_)
        if own != envelope:
            digest = release.plan_digest
            found[slice_] = Lost(plans[digest], digest, release, envelope, is_second=own is not None)
    return tuple(found.values())


def _open_plan(envelope: bytes) -> tuple[bytes, pb.Plan]:
    """Digest and plan. That the PSO vouches for it follows from its signature over the whole statement."""
    try:
        body = parse_envelope(envelope).body
        return sha256(body).digest(), parse_canonical(body, pb.Plan)
    except Refused as refused:
        raise _refuse(f"one of its plans cannot be read: {refused}") from refused


def _prices(ledger: LedgerReader, lost: Iterable[Lost]) -> dict[int, dict[str, int]]:
    """What the lost releases cost, by ledger year and scope: their plan's year unless it is paid for, and attempts."""
    by_plan: dict[bytes, list[Lost]] = {}
    for item in lost:
        by_plan.setdefault(item.digest, []).append(item)
    prices: dict[int, dict[str, int]] = {}
    for digest, items in by_plan.items():
        year = prices.setdefault(items[0].plan.year, dict.fromkeys(SCOPES, 0))
        for scope in SCOPES:
            year[scope] += _price(ledger, digest, items, scope)
    return prices


def _price(ledger: LedgerReader, digest: bytes, items: Sequence[Lost], scope: str) -> int:
    plan, tallies = items[0].plan, {tally for item in items for tally in item.tallies(scope)}
    is_paid = ledger.attempts(digest) > 0 or ledger.is_closed(digest)
    nano = 0 if is_paid else plan_rho_nano(plan, tallies)
    return nano + sum(_again(ledger, item) * slice_rho_nano(plan, tallies, item.release.quarter) for item in items)


def _again(ledger: LedgerReader, item: Lost) -> int:
    """How often the slice was charged once more in the entries that are lost."""
    own = ledger.attempts(item.digest, item.release.quarter)
    return max(0, item.attempt - max(1, own))


def _explained(ledger: LedgerReader, lost: Sequence[Lost]) -> int:
    return sum(ENTRIES_PER_RELEASE + _again(ledger, item) for item in lost)


def _to_the_ceiling(
    charges: Mapping[str, int], spent: Mapping[str, int], budget_nano: Mapping[str, int]
) -> dict[str, int]:
    return {scope: max(charges.get(scope, 0), budget_nano[scope] - spent[scope]) for scope in SCOPES}


def _plans_of(ledger: LedgerReader, years: Container[int]) -> dict[str, Closed]:
    reserved = ledger.contents("reserved")
    return {c["plan"]: Closed(c["plan_id"], c["year"]) for c in reserved if c["year"] in years}


def _refuse(reason: str) -> RuleError:
    hint = "ask the PSO for a new one: leadline-coordinator sites ledger --after 0"
    return RuleError("reconciliation", f"the PSO's statement does not fit this ledger: {reason}", hint)
