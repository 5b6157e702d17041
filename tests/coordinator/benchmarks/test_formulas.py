"""Kinds of formulas that the core measures do not use: panels, groups of cells, weighted rates, complements."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from coordinator.benchmarks.assemble import benchmark_rows
from coordinator.benchmarks.formulas import compute, strata
from coordinator.benchmarks.model import SiteFigures, SiteTally
from coordinator.benchmarks.selection import CORE, answered, selected
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Histogram, Measure, Panel, Proportion, Publish, ReachedBy, Selection, WeightedRate
from protocols.publication.gate import GateRules
from protocols.publication.rows import Status
from tests.coordinator.benchmarks.test_assemble import TODAY, YEAR, _network

CATALOGUE, _ = current_catalogue()
RECOVERY = CATALOGUE.tally("recovery")
SOURCES = CATALOGUE.tally("activations")


def _measure(formula: Any) -> Measure:
    return CATALOGUE.measure("B3").model_copy(update={"formula": formula})


def _sites(tally: str, cells: list[list[int]], variance: float = 1.0, headcount: float = 1000.0) -> list[SiteFigures]:
    return [
        SiteFigures(f"s{n}", {}, {tally: SiteTally(np.array(values), variance)}, {"headcount": headcount})
        for n, values in enumerate(cells)
    ]


def test_groups_of_cells_are_shares_of_the_grouped_cells_alone() -> None:
    first, second, third = SOURCES.cell_names[:3]
    formula = Histogram(kind="histogram", tally="activations", groups={"near": (first, second), "far": (third,)})
    counts = [30, 20, 50, 900, *[0] * (len(SOURCES.cell_names) - 4)]
    measure = _measure(formula)
    found = {figure.stratum: figure.estimate for figure in compute(measure, CATALOGUE, _sites("activations", [counts]))}
    assert strata(measure, CATALOGUE) == ("near", "far")
    assert found["near"] is not None
    assert found["near"].value == pytest.approx(50)


def test_a_panel_is_one_proportion_per_part() -> None:
    cells = SOURCES.cell_names
    whole = Selection(tally="activations", cells=cells)
    parts = {
        name: Proportion(kind="proportion", numerator=Selection(tally="activations", cells=(name,)), denominator=whole)
        for name in cells[:2]
    }
    counts = [60, 20, 20, *[0] * (len(cells) - 3)]
    measure = _measure(Panel(kind="panel", parts=parts))
    found = compute(measure, CATALOGUE, _sites("activations", [counts]))
    assert [figure.stratum for figure in found] == list(strata(measure, CATALOGUE)) == list(cells[:2])
    assert [round(figure.estimate.value) for figure in found if figure.estimate] == [60, 20]


def test_a_share_may_be_told_per_thousand() -> None:
    part, whole = (Selection(tally="activations", cells=c) for c in (SOURCES.cell_names[:1], SOURCES.cell_names))
    formula = Proportion(kind="proportion", numerator=part, denominator=whole, per=1000)
    counts = [10, 190, *[0] * (len(SOURCES.cell_names) - 2)]
    (figure,) = compute(_measure(formula), CATALOGUE, _sites("activations", [counts]))
    assert figure.estimate is not None
    assert figure.estimate.value == pytest.approx(50)
    assert figure.bounds == (0, 1000)


def test_not_yet_is_the_complement_with_its_limits_in_order() -> None:
    horizon = RECOVERY.cells.edges[-1]  # type: ignore[union-attr]
    cells = _sites("recovery", [[40] * len(RECOVERY.cell_names)])
    over = ReachedBy(kind="reached_by", tally="recovery", time=horizon)
    (yes,) = compute(_measure(over), CATALOGUE, cells)
    (no,) = compute(_measure(over.model_copy(update={"not_yet": True})), CATALOGUE, cells)
    assert yes.estimate is not None
    assert no.estimate is not None
    assert no.estimate.value == pytest.approx(100 - yes.estimate.value)
    assert no.estimate.lower == pytest.approx(100 - yes.estimate.upper)
    assert no.estimate.lower <= no.estimate.value <= no.estimate.upper


def test_a_weighted_rates_interval_holds_the_true_level_as_often_as_it_says() -> None:
    weights = {name: Decimal(5 * position) for position, name in enumerate(SOURCES.cell_names)}
    formula = WeightedRate(kind="weighted_rate", tally="activations", weights=weights, exposure="headcount", per=1000)
    means = np.full(len(weights), 12.0)
    true = 1000 * float(np.array([float(w) for w in weights.values()]) @ means) * 5 / (5 * 1000 * 365)
    generator, inside = np.random.default_rng(20251122), 0
    for _ in range(400):
        counts = generator.poisson(means, (5, means.size)) + np.rint(4 * generator.standard_normal((5, means.size)))
        (figure,) = compute(_measure(formula), CATALOGUE, _sites("activations", counts.astype(int).tolist(), 16.0))
        assert figure.estimate is not None
        inside += figure.estimate.lower <= true <= figure.estimate.upper
    assert 368 <= inside <= 394  # 95 % of 400, four standard errors either way


def test_a_measure_with_a_higher_minimum_of_sites_is_held_back_below_it() -> None:
    measure = CATALOGUE.measure("B1").model_copy(update={"publish": Publish(modes=("site",), minimum_sites=10)})
    for sites, status in ((9, Status.TOO_FEW_SITES), (10, Status.OK)):
        rows = benchmark_rows(CATALOGUE, [measure], YEAR, _network(sites), TODAY, GateRules())
        assert next(row for row in rows if row.peer_group == "all").status is status


def test_the_core_is_asked_for_and_what_comes_with_it_is_answered() -> None:
    core = selected(CATALOGUE, [CORE])
    tallies = {tally for measure in core for tally in measure.tallies}
    free = answered(CATALOGUE, tallies)
    assert {measure.id for measure in core} <= {measure.id for measure in free}
    assert all("site" in measure.publish.modes for measure in free)


def test_a_measure_that_no_yearly_round_may_publish_cannot_be_chosen() -> None:
    assert selected(CATALOGUE, ["B1"]) == (CATALOGUE.measure("B1"),)
    with pytest.raises(ValueError, match="no measure 'Z9'"):
        selected(CATALOGUE, ["Z9"])
    for measure in CATALOGUE.measures:
        if "site" not in measure.publish.modes:
            with pytest.raises(ValueError, match="pooled"):
                selected(CATALOGUE, [measure.id])
