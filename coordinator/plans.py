"""Yearly plans from the catalogue and the budget, signed once per year and purpose.

The benchmark plan asks for every tally's cells over the year; the trend plan for the totals of a few tallies by month,
quarter and year. Tallies whose unit is a clinician share one budget, those whose unit is a record another (zCDP adds
up within each). All shares are whole nano-rho, rounded down, so their sum never exceeds the budget.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.benchmarks.selection import selected
from coordinator.clock import Clock
from coordinator.config import Budget, Config
from coordinator.store.audit import Actor, Event
from coordinator.store.schema import Plan, Purpose
from coordinator.store.writer import Writer
from privacy.accountant import SIGMA_UNIT, rho_for_epsilon, sigma_1024
from privacy.strategy import Shape, TableSpec, optimal_split, split_budget, table_matrix
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Catalogue, Tally
from protocols.operator.errors import RuleError
from protocols.plan import GRAINS, plan_rho_nano
from protocols.statement import canonical_bytes, seal_statement
from protocols.v1 import leadline_pb2 as pb

TREND_TALLIES = ("supported", "activations", "serious_events")
TREND_GRAINS = (pb.GRAIN_MONTH, pb.GRAIN_QUARTER, pb.GRAIN_YEAR)


@dataclass(frozen=True)
class ExpectedNoise:
    """Noise SD, in counts, of each value of one table of a plan at one site."""

    tally: str
    grain: str
    rho_nano: int
    noise_sd: float


def purposes(config: Config) -> tuple[Purpose, ...]:
    """The plans of a year: no trend plan where it has no share of the budget."""
    return tuple(Purpose) if config.budget.trend_share > 0 else (Purpose.BENCHMARK,)


def part_of(rho_nano: int, share: Decimal) -> int:
    """`share` of a budget in whole nano-rho, rounded down."""
    return int(rho_nano * share)


def scope_budgets(budget: Budget, purpose: Purpose) -> dict[str, int]:
    """Nano-rho that a plan of this purpose may ask of each unit: {"clinician": …, "record": …}."""
    parts = {}
    for scope, epsilon in (("clinician", budget.clinician_epsilon), ("record", budget.record_epsilon)):
        whole = rho_for_epsilon(epsilon)
        trend = part_of(whole, budget.trend_share)
        parts[scope] = trend if purpose is Purpose.TREND else whole - trend
    return parts


def _shares(tallies: Sequence[Tally], purpose: Purpose, budgets: Mapping[str, int]) -> dict[str, int]:
    """Nano-rho per tally: what minimises the total noise variance of a scope's values, counted in caps.

    A table of n values has noise variance n / (2 rho) in all, in units of its cap, so rho goes with sqrt(n) (Lagrange).
    """
    weights = {t.id: math.sqrt(len(t.cell_names) if purpose is Purpose.BENCHMARK else 1) for t in tallies}
    shares: dict[str, int] = {}
    for unit, budget in budgets.items():
        own = [tally.id for tally in tallies if tally.unit == unit]
        whole = sum(weights[tally_id] for tally_id in own)
        parts = split_budget(budget, np.array([weights[tally_id] / whole for tally_id in own]))
        shares |= dict(zip(own, parts, strict=True))
    return shares


@cache
def _trend_split() -> tuple[float, ...]:
    """Shares of months, quarters and the year that minimise the mean variance of the three kinds after the fit."""
    shape = Shape(strata=1, cells=1)
    specs = [TableSpec(GRAINS[grain].months, by_stratum=False, by_cell=False) for grain in TREND_GRAINS]
    query = np.vstack([table_matrix(spec, shape) / math.sqrt(spec.rows(shape)) for spec in specs])
    return tuple(optimal_split(specs, shape, query))


def _tables(purpose: Purpose, rho_nano: int) -> list[pb.Table]:
    if purpose is Purpose.BENCHMARK:
        return [pb.Table(grain=pb.GRAIN_YEAR, by_cell=True, rho_nano=rho_nano)]
    parts = split_budget(rho_nano, np.array(_trend_split()))
    return [pb.Table(grain=g, by_cell=False, rho_nano=part) for g, part in zip(TREND_GRAINS, parts, strict=True)]


def plan_message(year: int, purpose: Purpose, config: Config, clock: Clock) -> pb.Plan:
    """The plan of a year and purpose, unsigned, from the catalogue that this version ships."""
    catalogue, digest = current_catalogue()
    wanted = {tally for measure in selected(catalogue, config.benchmarks.measures) for tally in measure.tallies}
    wanted &= set(TREND_TALLIES) if purpose is Purpose.TREND else wanted
    tallies = [tally for tally in catalogue.tallies if tally.id in wanted]
    shares = _shares(tallies, purpose, scope_budgets(config.budget, purpose))
    return pb.Plan(
        plan_id=f"{year}-{purpose}",
        catalogue_digest=digest,
        year=year,
        mode=pb.MODE_SITE,
        tallies=[
            pb.TallyRequest(tally=tally.id, cap=tally.cap, tables=_tables(purpose, shares[tally.id]))
            for tally in tallies
        ],
        minimum_honest_sites=config.rounds.minimum_honest_sites,
        issued_at_s=int(clock.now().timestamp()),
    )


def ensure_plan(
    writer: Writer, config: Config, clock: Clock, key: Ed25519PrivateKey, which: tuple[int, Purpose]
) -> Plan:
    """The stored plan of (year, purpose); made and signed if there is none.

    One plan per year and purpose, whatever the number of rounds: a site that answered it answers again with the same
    sealed bytes, at no cost. RuleError if it was written against another catalogue.
    """
    found = writer.plan(*which)
    if found is not None:
        current_plan(found)
        return found
    message = plan_message(*which, config, clock)
    plan = Plan(
        plan_id=message.plan_id,
        envelope=seal_statement(message, key),
        digest=hashlib.sha256(canonical_bytes(message)).digest(),
        year=which[0],
        purpose=which[1],
        created_at=clock.now(),
    )
    writer.add_plan(plan, Event(Actor.OPERATOR, "plan.sign", plan.plan_id, {"digest": plan.digest.hex()}))
    return plan


def read_plan(plan: Plan) -> pb.Plan:
    """The message inside a plan that we signed and stored."""
    message = pb.Plan()
    message.ParseFromString(pb.Envelope.FromString(plan.envelope).body)
    return message


def current_plan(plan: Plan) -> pb.Plan:
    """The message inside a stored plan; RuleError if it was written against another catalogue than this version's."""
    message = read_plan(plan)
    if message.catalogue_digest != current_catalogue()[1]:
        raise RuleError(
            "other_catalogue",
            f"plan {plan.plan_id} was written against catalogue {message.catalogue_digest.hex()[:16]}",
            "run the release of Leadline that holds this catalogue",
        )
    return message


def expected_noise(plan: pb.Plan) -> list[ExpectedNoise]:
    """What the noise will be, before anything is sent: cap sqrt(1 / (2 rho)) for each table."""
    return [
        ExpectedNoise(
            request.tally,
            GRAINS[table.grain].value,
            table.rho_nano,
            sigma_1024(request.cap, table.rho_nano) / SIGMA_UNIT,
        )
        for request in plan.tallies
        for table in request.tables
    ]


def charged(plan: pb.Plan, catalogue: Catalogue) -> dict[str, int]:
    """Nano-rho that the plan costs one clinician and one record: {"clinician": …, "record": …}."""
    return {
        unit: plan_rho_nano(plan, (tally.id for tally in catalogue.tallies if tally.unit == unit))
        for unit in ("clinician", "record")
    }
