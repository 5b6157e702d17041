from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import opendp.prelude as dp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.accountant import (
    MAX_RHO_NANO,
    NANO,
    display_epsilon,
    epsilon_for_rho,
    rho_for_epsilon,
    rho_of_sigma,
    sigma_1024,
)

GRID = [
    10**3,
    10**4,
    10**5,
    10**6,
    10**7,
    24_355_970,
    88_152_688,
    185_069_840,
    311_064_954,
    10**9,
    10**10,
    MAX_RHO_NANO,
]


def opendp_epsilon(rho_nano: int, delta: float) -> float:
    """What OpenDP's own conversion makes of a Gaussian measurement of this cost."""
    space = dp.vector_domain(dp.atom_domain(T=int)), dp.l2_distance(T=float)
    gaussian = space >> dp.m.then_gaussian(1.0)
    converted = dp.c.make_fix_delta(dp.c.make_zCDP_to_approxDP(gaussian), delta)
    return float(converted.map(math.sqrt(2 * rho_nano / NANO))[0])


@pytest.mark.parametrize("rho_nano", GRID)
@pytest.mark.parametrize("delta", ["0.000001", "0.00000001", "0.01"])
def test_epsilon_agrees_with_opendp(rho_nano: int, delta: str) -> None:
    expected = opendp_epsilon(rho_nano, float(delta))
    assert epsilon_for_rho(rho_nano, Decimal(delta)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("epsilon", "rho"), [(1, 0.0244), (2, 0.0882), (3, 0.1851), (4, 0.3111)])
def test_the_table_of_the_design(epsilon: int, rho: float) -> None:
    assert round(rho_for_epsilon(Decimal(epsilon)) / NANO, 4) == rho


@pytest.mark.parametrize(
    ("epsilon", "families", "noise_sd"),
    [(1, 1, 4.5), (1, 17, 18.7), (2, 4, 4.8), (3, 8, 4.6), (3, 12, 5.7), (4, 12, 4.4)],
)
def test_the_noise_of_the_design(epsilon: int, families: int, noise_sd: float) -> None:
    rho_nano = rho_for_epsilon(Decimal(epsilon)) // families
    assert round(sigma_1024(1, rho_nano) / 1024, 1) == noise_sd


@pytest.mark.parametrize("epsilon", ["0.01", "0.5", "1", "3", "7.25", "20"])
def test_the_budget_for_an_epsilon_is_the_largest(epsilon: str) -> None:
    rho_nano = rho_for_epsilon(Decimal(epsilon))
    assert epsilon_for_rho(rho_nano) <= float(epsilon) < epsilon_for_rho(rho_nano + 1)


@pytest.mark.parametrize("epsilon", ["0", "-1", "NaN", "Infinity"])
def test_an_epsilon_that_is_none_is_refused(epsilon: str) -> None:
    with pytest.raises(ValueError, match="epsilon"):
        rho_for_epsilon(Decimal(epsilon))


def test_no_budget_costs_nothing_and_a_debt_is_refused() -> None:
    assert epsilon_for_rho(0) == 0.0
    with pytest.raises(ValueError, match="negative"):
        epsilon_for_rho(-1)


@given(st.integers(1, 20), st.integers(1, MAX_RHO_NANO))
def test_sigma_is_the_smallest_that_the_theorem_allows(cap: int, rho_nano: int) -> None:
    def cost(sigma: int) -> Fraction:
        return Fraction(cap**2 * 1024**2, 2 * sigma**2)

    sigma, budget = sigma_1024(cap, rho_nano), Fraction(rho_nano, NANO)
    assert cost(sigma) <= budget
    assert sigma == 1 or cost(sigma - 1) > budget
    assert rho_of_sigma(cap, sigma) == pytest.approx(float(cost(sigma)))


@pytest.mark.parametrize(("cap", "rho_nano"), [(0, 1), (-1, 1), (1, 0), (1, -5), (1, MAX_RHO_NANO + 1)])
def test_sigma_refuses_what_has_no_meaning(cap: int, rho_nano: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        sigma_1024(cap, rho_nano)


def test_sums_of_budgets_are_exact() -> None:
    tenth = NANO // 10
    assert sum([tenth] * 10) == NANO
    assert sum([0.1] * 10) != 1.0  # the drift that whole nano-rho spare us
    assert isinstance(rho_for_epsilon(Decimal(1)), int)


@given(st.integers(0, MAX_RHO_NANO))
def test_a_reader_s_epsilon_is_rounded_up_by_less_than_a_hundredth(rho_nano: int) -> None:
    shown, exact = display_epsilon(rho_nano), Decimal(epsilon_for_rho(rho_nano))
    assert shown.as_tuple().exponent == -2
    assert exact <= shown < exact + Decimal("0.01")
