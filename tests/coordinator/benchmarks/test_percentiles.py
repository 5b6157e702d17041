from __future__ import annotations

from math import inf

import numpy as np
import pytest

from coordinator.benchmarks.heterogeneity import SiteValues
from coordinator.benchmarks.percentiles import percentiles, posterior_quantile, shrunk

LEVELS = (10, 25, 50, 75, 90)


def _network(generator: np.random.Generator, sites: int, tau: float, error: float) -> tuple[np.ndarray, SiteValues]:
    variances = (error * np.exp(generator.normal(0, 0.5, sites))) ** 2
    theta = 10 + tau * generator.standard_normal(sites)
    return theta, SiteValues(theta + np.sqrt(variances) * generator.standard_normal(sites), variances)


def test_with_exact_values_percentiles_are_those_of_the_values() -> None:
    values = np.arange(1.0, 102.0)
    found = percentiles(SiteValues(values, np.full(101, 1e-8)), LEVELS, (0.0, inf))
    np.testing.assert_allclose([p.value for p in found], np.quantile(values, np.array(LEVELS) / 100), atol=0.6)
    np.testing.assert_allclose([p.upper - p.lower for p in found], 0, atol=0.5)


def test_shrinkage_follows_its_formula() -> None:
    sites = SiteValues(np.array([1.0, 5.0]), np.array([1.0, 3.0]))
    weights = np.array([1 / 2, 1 / 4])
    mean = weights @ sites.values / weights.sum()
    means, variances = shrunk(sites, 1.0)
    np.testing.assert_allclose(means, [0.5 * mean + 0.5 * 1, 0.75 * mean + 0.25 * 5])
    np.testing.assert_allclose(variances, [0.5 + 0.25 / 0.75, 0.25 * 3 + 0.75**2 / 0.75])


def test_the_quantile_of_one_normal_is_its_own() -> None:
    assert posterior_quantile(np.array([2.0]), np.array([9.0]), 0.975) == pytest.approx(2 + 3 * 1.959964)


def test_percentiles_are_less_spread_than_noisy_values_and_nearer_the_truth() -> None:
    generator = np.random.default_rng(3)
    raw, ours = [], []
    for _ in range(80):
        theta, sites = _network(generator, 30, tau=1.0, error=1.5)
        truth = np.quantile(theta, [0.1, 0.9])
        raw.append(np.quantile(sites.values, [0.1, 0.9]) - truth)
        ours.append([p.value for p in percentiles(sites, (10, 90), (0.0, inf))] - truth)
    assert np.sqrt(np.mean(np.square(ours))) < 0.6 * np.sqrt(np.mean(np.square(raw)))


@pytest.mark.parametrize(("sites", "tau", "error"), [(12, 1.0, 1.0), (24, 0.4, 1.0), (60, 0.2, 0.6)])
def test_intervals_hold_the_percentiles_of_the_underlying_values(sites: int, tau: float, error: float) -> None:
    generator = np.random.default_rng(sites)
    inside = []
    for _ in range(80):
        theta, values = _network(generator, sites, tau, error)
        truth = np.quantile(theta, np.array(LEVELS) / 100, method="hazen")
        found = percentiles(values, LEVELS, (0.0, inf))
        inside.append([p.lower <= t <= p.upper for p, t in zip(found, truth, strict=True)])
    assert 0.88 <= np.mean(inside) <= 0.99


def test_the_same_values_give_the_same_intervals() -> None:
    _, sites = _network(np.random.default_rng(1), 20, 1.0, 1.0)
    assert percentiles(sites, LEVELS, (0.0, inf)) == percentiles(sites, LEVELS, (0.0, inf))


def test_percentiles_stay_within_bounds() -> None:
    found = percentiles(SiteValues(np.linspace(-20, 8, 25), np.full(25, 9.0)), LEVELS, (0.0, 100.0))
    assert all(0 <= p.lower <= p.value <= p.upper <= 100 for p in found)
