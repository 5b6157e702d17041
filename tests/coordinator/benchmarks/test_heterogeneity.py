from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from statsmodels.stats.meta_analysis import combine_effects

from coordinator.benchmarks.heterogeneity import (
    SiteValues,
    cochran_q,
    paule_mandel,
    q_profile,
    site_rates,
    site_shares,
)

# Log relative risks of the 13 BCG vaccine trials and their variances (Colditz et al. 1994; dat.bcg in metafor).
_BCG_TRIALS = (
    (-0.8893, 0.3256),
    (-1.5854, 0.1946),
    (-1.3481, 0.4154),
    (-1.4416, 0.0200),
    (-0.2175, 0.0512),
    (-0.7861, 0.0069),
    (-1.6209, 0.2230),
    (0.0119, 0.0040),
    (-0.4694, 0.0564),
    (-1.3713, 0.0730),
    (-0.3394, 0.0124),
    (0.4459, 0.5325),
    (-0.0173, 0.0714),
)
BCG = SiteValues(*np.array(_BCG_TRIALS).T)
TAU = 0.25


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(20240501)


def test_paule_mandel_agrees_with_statsmodels() -> None:
    values = np.array([0.10, 0.30, 0.35, 0.65, 0.45, 0.15])
    variances = np.array([0.033, 0.031, 0.050, 0.010, 0.033, 0.090])
    expected = combine_effects(values, variances, method_re="pm", atol=1e-12).tau2
    assert expected > 0.01
    assert paule_mandel(values, variances) == pytest.approx(expected, rel=1e-9)


def test_paule_mandel_agrees_with_metafor_on_the_bcg_trials() -> None:
    # rma(measure="RR", method="PM", ...): tau^2 = 0.3181. Newton's steps of statsmodels end at 0 here.
    assert paule_mandel(BCG.values, BCG.variances) == pytest.approx(0.3181, abs=5e-5)


def test_q_profile_agrees_with_metafor_on_the_bcg_trials() -> None:
    # confint(rma(measure="RR", ...)) of Viechtbauer's package: tau^2 from 0.1197 to 1.1115.
    lower, upper = q_profile(BCG.values, BCG.variances)
    assert (lower, upper) == pytest.approx((0.1197, 1.1115), rel=0.01)


def test_q_meets_the_chi_squared_points_at_the_limits() -> None:
    lower, upper = q_profile(BCG.values, BCG.variances)
    assert cochran_q(BCG.values, BCG.variances, lower) == pytest.approx(chi2.ppf(0.975, 12), rel=1e-9)
    assert cochran_q(BCG.values, BCG.variances, upper) == pytest.approx(chi2.ppf(0.025, 12), rel=1e-9)


def test_sites_that_agree_have_no_spread() -> None:
    same, variances = np.full(9, 3.0), np.full(9, 0.4)
    assert paule_mandel(same, variances) == 0
    assert q_profile(same, variances) == (0.0, 0.0)


def test_variances_of_sites_follow_their_formulas() -> None:
    rates = site_rates(np.array([12.0]), np.array([1_000.0]), np.array([25.0]), 0.01)
    assert (rates.values[0], rates.variances[0]) == pytest.approx((0.012, 0.01 / 1_000 + 25 / 1_000**2))
    shares = site_shares(np.array([12.0]), np.array([28.0]), (np.array([9.0]), np.array([18.0])), 0.25)
    privacy = (0.75**2 * 9 + 0.25**2 * 18) / 40**2
    assert (shares.values[0], shares.variances[0]) == pytest.approx((0.3, 0.25 * 0.75 / 40 + privacy))


def _simulated_tau2(generator: np.random.Generator, sigma: float, *, aware: bool) -> float:
    """Mean estimate over 1,500 networks of 40 sites with rates of mean 1 and tau 0.25."""
    expected = generator.uniform(5, 160, (1_500, 40))
    theta = np.maximum(1 + TAU * generator.standard_normal(expected.shape), 0)
    counts = generator.poisson(theta * expected) + np.rint(sigma * generator.standard_normal(expected.shape))
    noise = np.full(expected.shape, sigma**2 if aware else 0.0)
    pooled = counts.sum(axis=1, keepdims=True) / expected.sum(axis=1, keepdims=True)
    sites = SiteValues(counts / expected, pooled / expected + noise / expected**2)
    return float(paule_mandel(sites.values, sites.variances).mean())


@pytest.mark.parametrize("sigma", [0.0, 6.0, 15.0])
def test_noise_leaves_tau_unbiased(generator: np.random.Generator, sigma: float) -> None:
    assert _simulated_tau2(generator, sigma, aware=True) == pytest.approx(TAU**2, rel=0.12)


@pytest.mark.parametrize("sigma", [6.0, 15.0])
def test_the_same_test_would_notice_that_the_noise_is_ignored(generator: np.random.Generator, sigma: float) -> None:
    assert _simulated_tau2(generator, sigma, aware=False) != pytest.approx(TAU**2, rel=0.12)


def test_the_q_profile_covers_tau(generator: np.random.Generator) -> None:
    inside = 0
    for _ in range(600):
        variances = generator.uniform(0.01, 0.2, 15)
        values = 1 + TAU * generator.standard_normal(15) + np.sqrt(variances) * generator.standard_normal(15)
        lower, upper = q_profile(values, variances)
        inside += lower <= TAU**2 <= upper
    assert 0.92 <= inside / 600 <= 0.98
