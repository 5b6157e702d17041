"""The privacy budget in words: spent, reserved but not sealed, left, when it renews, and what a year's plan costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.clock import Clock, today
from node.config import NodeConfig
from node.console.context import Context, site_ledger
from node.journal import Journal
from node.ledger.budget import describe_budget
from node.ledger.reading import LedgerReader
from node.policy import scopes
from privacy.accountant import NANO
from protocols.catalogue import current_catalogue
from protocols.plan import plan_rho_nano
from protocols.statement import parse_envelope
from protocols.v1 import leadline_pb2 as pb

SCOPE_WORDS = {
    "clinician": "For each clinician",
    "record": "For each shared record, such as an event or an activation",
}


@dataclass(frozen=True)
class Account:
    """One ledger year and scope, in nano-rho. `unsealed` is the part of `spent` that was reserved and never sealed.

    `renews` is the ISO date on which the next ledger year's budget begins.
    """

    year: int
    scope: str
    spent_nano: int
    unsealed_nano: int
    ceiling_nano: int
    left_nano: int
    renews: str

    @property
    def spent_percent(self) -> float:
        """Share of the ceiling: rho adds up, epsilon does not."""
        return min(100.0, 100 * self.spent_nano / self.ceiling_nano)

    @property
    def unsealed_percent(self) -> float:
        """The part of `spent_percent` that was reserved and never sealed."""
        return self.spent_percent * self.unsealed_nano / self.spent_nano if self.spent_nano else 0.0


@dataclass(frozen=True)
class PlanCost:
    """What all four slices of a plan cost, per scope in nano-rho."""

    plan_id: str
    year: int
    charges: Mapping[str, int]


def router(context: Context) -> APIRouter:
    """`/budget`."""
    pages = APIRouter()

    @pages.get("/budget")
    def budget(request: Request) -> Response:
        ceiling = context.config.policy.budget_nano()
        year = today(context.clock).year
        with site_ledger(context) as ledger:
            accounts = read_accounts(ledger, ceiling, context.clock)
        years = sorted({account.year for account in accounts}, reverse=True)
        by_year = {item: [account for account in accounts if account.year == item] for item in years}
        values: dict[str, Any] = {
            "by_year": by_year,
            "year": year,
            "scope_words": SCOPE_WORDS,
            "ceiling": ceiling,
            "nano": NANO,
        }
        return context.render(request, "budget.html", "budget", plan=newest_plan(context.config), **values)

    return pages


def read_accounts(ledger: LedgerReader, ceiling: Mapping[str, int], clock: Clock) -> tuple[Account, ...]:
    """The accounts of every year with a charge, and of this year."""
    contents = {entry.number: entry.content for entry in ledger.entries()}
    sealed = {content["reserved"] for content in contents.values() if content["kind"] == "sealed"}
    unsealed = [c for number, c in contents.items() if c["kind"] == "reserved" and number not in sealed]
    return tuple(
        Account(
            year=row["year"],
            scope=row["scope"],
            spent_nano=row["spent_nano"],
            unsealed_nano=sum(c["charges"].get(row["scope"], 0) for c in unsealed if c["year"] == row["year"]),
            ceiling_nano=row["ceiling_nano"],
            left_nano=row["left_nano"],
            renews=row["renews"],
        )
        for row in describe_budget(ledger, ceiling, clock)
    )


def newest_plan(config: NodeConfig) -> PlanCost | None:
    """What the newest verified plan costs in a year, if all of it is answered; None before the first plan."""
    raw = Journal(config.paths.journal).newest_plan()
    if raw is None:
        return None
    plan, catalogue = pb.Plan.FromString(parse_envelope(raw).body), current_catalogue()[0]
    charges = {scope: plan_rho_nano(plan, tallies) for scope, tallies in scopes(plan, catalogue).items()}
    return PlanCost(plan.plan_id, plan.year, charges)
