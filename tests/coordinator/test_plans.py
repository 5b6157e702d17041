"""Plans: sound against the catalogue, within the budget to the last nano-rho, and signed once."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from itertools import permutations
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.config import Budget, Config
from coordinator.plans import charged, ensure_plan, expected_noise, plan_message, purposes, read_plan
from coordinator.store.schema import Purpose
from privacy.accountant import NANO, rho_for_epsilon
from privacy.strategy import Shape, TableSpec, expected_variances, table_matrix
from protocols.catalogue import current_catalogue
from protocols.plan import check_plan
from protocols.statement import key_id, open_statement
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import SetClock, World

CATALOGUE, DIGEST = current_catalogue()


def plans(budget: Budget) -> dict[Purpose, pb.Plan]:
    config = Config(budget=budget)
    return {purpose: plan_message(2024, purpose, config, SetClock()) for purpose in purposes(config)}


@settings(deadline=None, max_examples=30)
@given(
    clinician=st.decimals("0.1", 10, places=3),
    record=st.decimals("0.1", 10, places=3),
    share=st.decimals("0.05", "0.95", places=3),
)
def test_a_year_never_asks_more_than_its_budget(clinician: Decimal, record: Decimal, share: Decimal) -> None:
    budget = Budget(clinician_epsilon=str(clinician), record_epsilon=str(record), trend_share=str(share))
    spent: Counter[str] = Counter()
    for plan in plans(budget).values():
        check_plan(plan, CATALOGUE, DIGEST)
        spent.update(charged(plan, CATALOGUE))
    for unit, epsilon in (("clinician", clinician), ("record", record)):
        ceiling = rho_for_epsilon(epsilon)
        assert ceiling - 40 <= spent[unit] <= ceiling


def test_the_benchmark_asks_every_tally_of_the_core_for_its_cells_over_the_year() -> None:
    plan = plans(Budget())[Purpose.BENCHMARK]
    core = {tally for measure in CATALOGUE.measures if measure.core for tally in measure.tallies}
    assert [request.tally for request in plan.tallies] == [t.id for t in CATALOGUE.tallies if t.id in core]
    assert {(t.grain, t.stratum, t.by_cell) for r in plan.tallies for t in r.tables} == {(pb.GRAIN_YEAR, "", True)}
    assert plan.mode == pb.MODE_SITE


def test_the_trend_asks_totals_by_month_quarter_and_year() -> None:
    plan = plans(Budget())[Purpose.TREND]
    assert {request.tally for request in plan.tallies} == {"supported", "activations", "serious_events"}
    for request in plan.tallies:
        shares = [table.rho_nano for table in request.tables]
        assert [table.grain for table in request.tables] == [pb.GRAIN_MONTH, pb.GRAIN_QUARTER, pb.GRAIN_YEAR]
        assert not any(table.by_cell for table in request.tables)
        best = _mean_variance([share / sum(shares) for share in shares])
        for more, less in permutations(range(3), 2):
            moved = [share / sum(shares) for share in shares]
            moved[more] += 0.02
            moved[less] -= 0.02
            assert _mean_variance(moved) > best, "no other split serves months, quarters and years better"


def _mean_variance(split: list[float]) -> float:
    """Mean over months, quarters and years of the noise variance of their values, after the fit."""
    shape, grains = (
        Shape(strata=1, cells=1),
        [TableSpec(months, by_stratum=False, by_cell=False) for months in (1, 3, 12)],
    )
    budgets = [round(share * 10**10) for share in split]
    queries = [table_matrix(grain, shape) for grain in grains]
    return float(np.mean([expected_variances(grains, budgets, shape, 1000, query).mean() for query in queries]))


def test_more_cells_get_more_of_the_budget_so_that_their_sum_is_not_drowned() -> None:
    plan = plans(Budget())[Purpose.BENCHMARK]
    asked = {request.tally: request.tables[0].rho_nano for request in plan.tallies}
    assert asked["activations"] / asked["serious_events"] == pytest.approx(3.0, rel=1e-6)  # nine cells, and one
    assert asked["recovery"] / asked["exposed"] == pytest.approx(sqrt(11), rel=1e-6)


def test_without_a_share_there_is_no_trend() -> None:
    assert set(plans(Budget(trend_share="0"))) == {Purpose.BENCHMARK}


def test_the_expected_noise_is_cap_over_the_root_of_twice_rho() -> None:
    caps = {tally.id: tally.cap for tally in CATALOGUE.tallies}
    for plan in plans(Budget()).values():
        for noise in expected_noise(plan):
            formula = caps[noise.tally] * sqrt(1 / (2 * noise.rho_nano / NANO))
            assert noise.noise_sd == pytest.approx(formula, abs=1 / 1024)


def test_a_plan_is_signed_once_and_verifies(world: World) -> None:
    which = (2024, Purpose.TREND)
    with world.store.writing() as writer:
        first = ensure_plan(writer, world.config, world.clock, world.key, which)
    world.clock.forward(days=1)
    with world.store.writing() as writer:
        again = ensure_plan(writer, world.config, world.clock, world.key, which)
    assert again.envelope == first.envelope
    verified = open_statement(first.envelope, pb.Plan, {key_id(world.pso): world.pso})
    assert verified.digest == first.digest
    assert verified.message == read_plan(first)
