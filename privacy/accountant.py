"""Budgets in whole nano-rho of zero-concentrated differential privacy; (epsilon, delta) for people to read.

A budget is an `int` of nano-rho (1e-9 rho), so sums are exact and never drift. zCDP composes by addition
(Bun and Steinke 2016, Lemma 1.7); a group of c units is protected with c^2 rho (ibid., Proposition 1.9).
"""

from __future__ import annotations

import math
from decimal import ROUND_CEILING, Decimal
from functools import cache

NANO = 10**9
DELTA = Decimal("0.000001")
SIGMA_UNIT = 1024
MAX_RHO_NANO = 100 * NANO

_GOLDEN = (math.sqrt(5) - 1) / 2
_SEARCH_STEPS = 200


def _epsilon_at(alpha_minus_1: float, rho: float, log_inverse_delta: float) -> float:
    alpha = 1.0 + alpha_minus_1
    tail = (log_inverse_delta - math.log(alpha)) / alpha_minus_1
    return alpha * rho + tail + math.log(alpha_minus_1 / alpha)


def epsilon_for_rho(rho_nano: int, delta: Decimal = DELTA) -> float:
    """Smallest epsilon with (epsilon, `delta`)-DP that `rho_nano` implies.

    Canonne, Kamath and Steinke 2020, Corollary 13: minimise over alpha > 1
    alpha rho + log(1 / (alpha delta)) / (alpha - 1) + log(1 - 1 / alpha). Zero for a budget of zero.
    """
    if rho_nano < 0:
        raise ValueError("a budget cannot be negative")
    if rho_nano == 0:
        return 0.0
    rho, log_inverse_delta = rho_nano / NANO, -math.log(float(delta))
    low, high = math.log(1e-6), math.log(1e9)  # of alpha - 1; the function is unimodal in it
    for _ in range(_SEARCH_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        at_left = _epsilon_at(math.exp(left), rho, log_inverse_delta)
        at_right = _epsilon_at(math.exp(right), rho, log_inverse_delta)
        low, high = (low, right) if at_left < at_right else (left, high)
    return max(0.0, _epsilon_at(math.exp((low + high) / 2), rho, log_inverse_delta))


@cache
def rho_for_epsilon(epsilon: Decimal, delta: Decimal = DELTA) -> int:
    """Largest budget, in nano-rho, that implies at most (`epsilon`, `delta`)-DP."""
    if not epsilon.is_finite() or epsilon <= 0:
        raise ValueError("epsilon must be a positive number")
    low, high = 0, MAX_RHO_NANO
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if epsilon_for_rho(middle, delta) <= float(epsilon) else (low, middle - 1)
    return low


def display_epsilon(rho_nano: int, delta: Decimal = DELTA) -> Decimal:
    """Epsilon for a reader: two decimals, rounded up so that it never promises too much."""
    return Decimal(epsilon_for_rho(rho_nano, delta)).quantize(Decimal("0.01"), rounding=ROUND_CEILING)


def sigma_1024(cap: int, rho_nano: int) -> int:
    """Noise SD, in 1/1024, of counts to which one unit adds at most `cap` in all, for `rho_nano`-zCDP.

    The discrete Gaussian with sigma >= cap / sqrt(2 rho) is rho-zCDP for L2 sensitivity `cap` (Canonne, Kamath and
    Steinke 2020, Theorem 4). Whole numbers throughout: the smallest s with s^2 2 rho_nano >= (1024 cap)^2 1e9.
    """
    if cap < 1 or not 0 < rho_nano <= MAX_RHO_NANO:
        raise ValueError("cap and rho must be positive, and rho at most 100")
    numerator, denominator = (SIGMA_UNIT * cap) ** 2 * NANO, 2 * rho_nano
    smallest_square = -(-numerator // denominator)
    root = math.isqrt(smallest_square)
    return root if root * root == smallest_square else root + 1


def rho_of_sigma(cap: int, sigma: int) -> float:
    """The rho that noise of `sigma`/1024 on counts capped at `cap` in fact costs."""
    return cap**2 / (2 * (sigma / SIGMA_UNIT) ** 2)
