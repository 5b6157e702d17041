"""The closed-form intervals against the exact ones, and against simulation of what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from node.leaders.chance import count_interval, share_interval


@pytest.mark.parametrize("count", [1, 2, 5, 14, 30, 120, 900])
def test_byars_limits_are_the_exact_poisson_limits_within_three_percent(count: int) -> None:
    lower, upper = count_interval(count)
    assert lower == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2, rel=0.03, abs=0.05)
    assert upper == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, rel=0.03)


def test_no_case_leaves_room_for_some() -> None:
    lower, upper = count_interval(0)
    assert lower == 0
    assert upper == pytest.approx(3.69, rel=0.1)


@pytest.mark.parametrize(("part", "whole"), [(0, 8), (3, 8), (8, 8), (40, 200), (199, 200)])
def test_wilsons_limits_are_those_of_scipy(part: int, whole: int) -> None:
    exact = stats.binomtest(part, whole).proportion_ci(0.95, method="wilson")
    assert share_interval(part, whole) == pytest.approx((exact.low, exact.high), abs=1e-6)


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_share_lies_inside_its_limits_between_0_and_1(part: int, rest: int) -> None:
    lower, upper = share_interval(part, part + rest)
    assert 0 <= lower <= upper <= 1
    if part + rest:
        assert lower - 1e-12 <= part / (part + rest) <= upper + 1e-12


@pytest.mark.parametrize("mean", [3.0, 12.0, 60.0])
def test_count_limits_hold_the_mean_as_often_as_they_say(mean: float) -> None:
    counts = np.arange(400)
    weights = stats.poisson.pmf(counts, mean)
    inside = [low <= mean <= high for low, high in map(count_interval, counts.tolist())]
    assert 0.945 <= float(weights[np.array(inside)].sum()) <= 0.995
