"""Histograms and life tables of durations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.proportion import proportion_confint

from coordinator.benchmarks.histograms import Curve, histogram_curve, quantile, reached_by
from coordinator.benchmarks.lifetable import life_table_curve

Floats = NDArray[np.float64]

HOURS = np.array([0.0, 1.0, 4.0, 12.0, 24.0, 72.0, 720.0])
DAYS = np.array([0.0, 7.0, 14.0, 30.0, 90.0, 365.0])
# By hand: R = 29, 21, 14 and q = 5/29, 4/21, 3/14.
HAND_EDGES = np.array([0.0, 10.0, 20.0, 30.0])
HAND_CELLS = np.array([5.0, 4.0, 3.0, 2.0, 4.0, 2.0, 10.0])
CENSORED_DAYS = np.array([100.0, 60.0, 80.0, 70.0, 40.0, 0.0, 3.0, 12.0, 20.0, 5.0, 50.0])


def _table(edges: Floats, cells: Floats, variance: float) -> Curve:
    curve = life_table_curve(edges, cells, variance)
    assert curve is not None
    return curve


def test_without_noise_a_share_of_the_histogram_has_wilsons_interval() -> None:
    estimate = reached_by(histogram_curve(HOURS, np.array([20.0, 40, 80, 60, 50, 40, 10]), 0.0), 24)
    assert estimate is not None
    assert estimate.value == pytest.approx(200 / 300)
    assert (estimate.lower, estimate.upper) == pytest.approx(proportion_confint(200, 300, method="wilson"))


@pytest.mark.parametrize(
    ("time", "survival"), [(10, 24 / 29), (20, 24 / 29 * 17 / 21), (30, 24 / 29 * 17 / 21 * 11 / 14)]
)
def test_the_life_table_agrees_with_the_hand_calculation(time: int, survival: float) -> None:
    estimate = reached_by(_table(HAND_EDGES, HAND_CELLS, 0.0), time)
    assert estimate is not None
    assert estimate.value == pytest.approx(1 - survival)


def test_effective_n_turns_greenwoods_variance_into_a_binomial_one() -> None:
    curve = _table(HAND_EDGES, HAND_CELLS, 0.0)
    survival = 24 / 29 * 17 / 21
    greenwood = survival**2 * (5 / (29 * 24) + 4 / (21 * 17))
    at_20 = int(np.flatnonzero(curve.times == 20)[0])
    assert survival * (1 - survival) / curve.effective_n[at_20] == pytest.approx(greenwood)


def test_without_censoring_the_life_table_is_the_histogram() -> None:
    cells = np.array([100.0, 60, 80, 70, 40, 50])
    plain = histogram_curve(DAYS, cells, 0.0)
    table = _table(DAYS, np.r_[cells[:5], np.zeros(5), cells[5]], 0.0)
    np.testing.assert_allclose(table.over, plain.over)
    np.testing.assert_allclose(table.effective_n[1:], plain.effective_n[1:])
    one, other = quantile(table, 0.5), quantile(plain, 0.5)
    assert one
    assert other
    assert (one.value, one.lower, one.upper) == pytest.approx((other.value, other.lower, other.upper))
    assert one.value == pytest.approx(14 * (30 / 14) ** (40 / 80))


def test_the_gradient_is_the_derivative_in_every_cell() -> None:
    gradient = _table(DAYS, CENSORED_DAYS, 4.0).gradient
    for cell, unit in enumerate(np.eye(CENSORED_DAYS.size)):
        above, below = (_table(DAYS, CENSORED_DAYS + side * 1e-5 * unit, 4.0).over for side in (1, -1))
        np.testing.assert_allclose(gradient[:, cell], (above - below) / 2e-5, atol=1e-5)


def test_noise_sd_of_a_life_table_share_is_that_of_simulated_noise() -> None:
    generator, sigma = np.random.default_rng(4), 8.0
    estimate = reached_by(_table(DAYS, CENSORED_DAYS, sigma**2), 30)
    drawn = [
        reached_by(_table(DAYS, CENSORED_DAYS + sigma * generator.standard_normal(11), sigma**2), 30)
        for _ in range(2_000)
    ]
    assert estimate is not None
    assert estimate.noise_sd == pytest.approx(np.std([share.value for share in drawn if share]), rel=0.08)


def test_the_median_of_a_lognormal_is_found_to_a_tenth_of_an_hour() -> None:
    generator = np.random.default_rng(7)
    hours = 20 * np.exp(1.3 * generator.standard_normal(200_000))
    cells = np.append(np.histogram(hours, HOURS)[0], (hours > HOURS[-1]).sum()).astype(float)
    estimate = quantile(histogram_curve(HOURS, cells, 0.0), 0.5)
    assert estimate is not None
    assert estimate.value == pytest.approx(float(np.median(hours)), abs=0.1)


def test_negative_cells_do_not_turn_the_curve_back() -> None:
    curve = histogram_curve(HOURS, np.array([-9.0, 30, 40, -12, 50, 60, -4]), 25.0)
    values = [quantile(curve, share / 100) for share in range(5, 96, 5)]
    found = [estimate.value for estimate in values if estimate]
    assert len(found) == len(values)
    assert found == sorted(found)
    assert all(estimate.lower <= estimate.value <= estimate.upper for estimate in values if estimate)


def test_a_median_that_most_cases_never_reach_is_the_horizon() -> None:
    estimate = quantile(histogram_curve(DAYS, np.array([5.0, 5, 5, 5, 5, 100]), 1.0), 0.5)
    assert estimate is not None
    assert (estimate.value, estimate.upper) == (365.0, 365.0)


def test_nothing_is_said_of_cases_that_noise_drowns() -> None:
    assert quantile(histogram_curve(HOURS, np.array([1.0, 0, 2, 1, 0, 0, 1]), 100.0), 0.5) is None
    assert life_table_curve(DAYS, np.zeros(11), 25.0) is None
    assert life_table_curve(DAYS, np.zeros(11), 0.0) is None


def test_the_life_table_ends_where_noise_drowns_those_at_risk() -> None:
    cells = np.array([300.0, 200, 100, 8, 2, 0, 0, 0, 1, 0, 3])
    curve = _table(DAYS, cells, 100.0)
    assert curve.edges[-1] == 30.0
    assert reached_by(curve, 30) is not None
    assert reached_by(curve, 90) is None
    assert quantile(curve, 0.5) is not None
    assert quantile(_table(DAYS, np.array([10.0, 10, 10, 0, 0, 0, 60, 40, 0, 0, 5]), 100.0), 0.5) is None
