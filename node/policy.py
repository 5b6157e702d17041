"""The site's policy against the effective plan. The coordinator can ask; this decides."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Literal

from node.config import ALL, Policy
from privacy.accountant import NANO, display_epsilon
from protocols.catalogue.model import Catalogue
from protocols.plan import plan_rho_nano, slice_rho_nano
from protocols.refusals import Code, Refused
from protocols.v1 import leadline_pb2 as pb

_MODES: Mapping[pb.Mode.ValueType, Literal["site", "pooled"]] = {pb.MODE_SITE: "site", pb.MODE_POOLED: "pooled"}


def check_policy(plan: pb.Plan, policy: Policy) -> None:
    """Refuse an effective plan that the policy does not allow: mode, honest sites, strata, in this order."""
    mode = _MODES[plan.mode]
    if mode not in policy.modes:
        raise Refused(Code.MODE_NOT_ALLOWED, f"mode {mode}; allowed: {', '.join(policy.modes)}")
    if plan.minimum_honest_sites < policy.minimum_honest_sites:
        raise Refused(Code.TOO_FEW_HONEST_SITES, f"the policy demands {policy.minimum_honest_sites}")
    for request in plan.tallies:
        for table in request.tables:
            if table.stratum and table.stratum not in policy.strata:
                raise Refused(Code.STRATUM_NOT_ALLOWED, f"tally {request.tally}, stratum {table.stratum}")


def effective_plan(plan: pb.Plan, answered_before: Container[str] | None, answerable: Container[str]) -> pb.Plan:
    """The part of a plan that this site answers: what policy and exports allow, and was answered from the start.

    `answered_before` are the tallies of the plan's first reservation, which paid for them; a tally that becomes
    possible later in the year waits for the next plan. TALLY_NOT_ALLOWED if nothing is left.
    """
    kept = pb.Plan()
    kept.CopyFrom(plan)
    del kept.tallies[:]
    for request in plan.tallies:
        if request.tally in answerable and (answered_before is None or request.tally in answered_before):
            kept.tallies.append(request)
    if not kept.tallies:
        raise Refused(Code.TALLY_NOT_ALLOWED, "policy and exports leave no tally of this plan")
    return kept


def allowed_tallies(policy: Policy, catalogue: Catalogue, mode: pb.Mode.ValueType) -> frozenset[str]:
    """The tallies that the allowed measures need and that the catalogue lets sites release in this mode.

    A measure that may be published pooled only is thus kept from a plan of single sites, whatever the policy allows.
    """
    allowed = {m.id for m in catalogue.measures} if ALL in policy.measures else set(policy.measures)
    return catalogue.releasable(_MODES[mode], allowed)


def scopes(plan: pb.Plan, catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """The plan's tallies by budget scope: a clinician's own rows, or shared records."""
    found: dict[str, tuple[str, ...]] = {"clinician": (), "record": ()}
    for request in plan.tallies:
        unit = catalogue.tally(request.tally).unit
        found[unit] = (*found[unit], request.tally)
    return found


def charges(plan: pb.Plan, quarter: int, catalogue: Catalogue, plan_paid: bool, slice_lost: bool) -> dict[str, int]:
    """What drawing this slice costs per scope, in nano-rho.

    The plan's first reservation pays for the whole year. A slice that was reserved before but never sealed (a crash)
    may have been drawn, so drawing it again costs that slice once more.
    """
    by_scope = scopes(plan, catalogue)
    costs: dict[str, int] = {}
    for scope, tallies in by_scope.items():
        year = 0 if plan_paid else plan_rho_nano(plan, tallies)
        costs[scope] = year + (slice_rho_nano(plan, tallies, quarter) if slice_lost else 0)
    return costs


def check_budget(year: int, wanted: Mapping[str, int], spent: Mapping[str, int], budget: Mapping[str, int]) -> None:
    """Refuse what would take any scope above its budget for the ledger year (BUDGET_EXHAUSTED)."""
    for scope, nano in wanted.items():
        if nano and spent[scope] + nano > budget[scope]:
            raise Refused(
                Code.BUDGET_EXHAUSTED,
                f"ledger year {year}, scope {scope}: spent {_words(spent[scope])}, asked {_words(nano)}, "
                f"ceiling {_words(budget[scope])}; it renews with ledger year {year + 1}",
            )


def _words(rho_nano: int) -> str:
    return f"rho {rho_nano / NANO:.6f} (epsilon {display_epsilon(rho_nano)})"
