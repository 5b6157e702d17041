from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.proportion import proportion_confint

from coordinator.benchmarks.pooled import (
    NoisyRatio,
    NoisySum,
    pooled_count,
    pooled_proportion,
    pooled_rate,
    share_estimate,
    share_of_need,
)

Z = norm.ppf(0.975)


@pytest.mark.parametrize(("yes", "all_"), [(0, 12), (1, 9), (13, 40), (99, 100), (250, 250)])
def test_without_noise_the_share_has_wilsons_interval(yes: int, all_: int) -> None:
    estimate = pooled_proportion(NoisySum(yes, 0.0), NoisySum(all_ - yes, 0.0))
    assert estimate is not None
    expected = proportion_confint(yes, all_, alpha=0.05, method="wilson")
    assert (estimate.lower, estimate.upper) == pytest.approx(expected, abs=1e-12)
    assert estimate.noise_sd == 0


def test_without_sampling_the_share_has_fiellers_interval() -> None:
    ratio = NoisyRatio(60.0, 100.0, effective_n=1e15, part_variance=25.0, covariance=25.0, whole_variance=50.0)
    estimate = share_estimate(ratio)
    assert estimate is not None
    for limit in (estimate.lower, estimate.upper):
        deviation = (60 - limit * 100) / np.sqrt((1 - limit) ** 2 * 25 + limit**2 * 25)
        assert abs(deviation) == pytest.approx(Z, abs=1e-6)
    assert estimate.noise_sd == pytest.approx(np.sqrt(0.4**2 * 25 + 0.6**2 * 25) / 100)


@pytest.mark.parametrize("count", [0.0, 3.0, 80.0])
@pytest.mark.parametrize("variance", [0.0, 9.0, 400.0])
def test_limits_of_a_count_are_the_means_that_the_score_test_just_accepts(count: float, variance: float) -> None:
    estimate = pooled_count(NoisySum(count, variance))
    assert (estimate.upper - count) / np.sqrt(estimate.upper + variance) == pytest.approx(Z)
    if estimate.lower > 0:
        assert (count - estimate.lower) / np.sqrt(estimate.lower + variance) == pytest.approx(Z)


def test_a_negative_count_is_none_with_an_upper_limit() -> None:
    estimate = pooled_rate(NoisySum(-30.0, 16.0), exposure=1_000.0, per=100.0)
    assert (estimate.value, estimate.lower) == (0.0, 0.0)
    assert estimate.upper > 0
    assert estimate.noise_sd == pytest.approx(0.4)


def test_a_share_stays_within_bounds_when_noise_carries_its_cells_outside() -> None:
    for part, rest in [(-4.0, 60.0), (60.0, -4.0)]:
        estimate = pooled_proportion(NoisySum(part, 9.0), NoisySum(rest, 9.0))
        assert estimate is not None
        assert 0 <= estimate.lower <= estimate.value <= estimate.upper <= 1
        assert estimate.lower < estimate.upper


def test_a_total_that_noise_explains_is_no_denominator() -> None:
    limit = Z * np.sqrt(50.0)
    assert pooled_proportion(NoisySum(limit - 2.01, 25.0), NoisySum(2.0, 25.0)) is None
    assert pooled_proportion(NoisySum(limit - 1.99, 25.0), NoisySum(2.0, 25.0)) is not None


def test_no_exposure_is_refused() -> None:
    with pytest.raises(ValueError, match="positive exposure"):
        pooled_rate(NoisySum(3.0, 1.0), 0.0, 1_000.0)


def test_the_band_of_need_joins_count_limits_and_prevalences() -> None:
    count = NoisySum(300.0, 100.0)
    estimate, mean = share_of_need(count, 10_000.0, (0.14, 0.19, 0.35)), pooled_count(count)
    assert estimate.value == pytest.approx(100 * 300 / 1_900)
    assert estimate.lower == pytest.approx(100 * mean.lower / 3_500)
    assert estimate.upper == pytest.approx(100 * mean.upper / 1_400)
    assert estimate.noise_sd == pytest.approx(100 * 10 / 1_900)
