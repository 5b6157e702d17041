"""The one mechanism, and the only door to OpenDP: whole-number counts plus discrete Gaussian noise.

OpenDP's framework API (`contrib` constructors only) draws exactly, from the operating system's randomness; there is no
seed, not even for tests. OpenDP never sees the people, so the cap is our word: `privacy.bounds` keeps it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import opendp.prelude as dp
from numpy.typing import NDArray

from privacy.accountant import NANO, SIGMA_UNIT, sigma_1024

dp.enable_features("contrib")

COUNT_LIMIT = 2**31
_RHO_TOLERANCE = 1e-9


class MechanismError(Exception):
    """The mechanism could not keep its promise; nothing was drawn or what was drawn was thrown away."""


@dataclass(frozen=True)
class NoisyCounts:
    """Signed counts with discrete Gaussian noise of SD `sigma_1024` / 1024 on each, independent."""

    values: NDArray[np.int64]
    sigma_1024: int


def noisy_counts(counts: NDArray[np.int64], cap: int, rho_nano: int) -> NoisyCounts:
    """Add noise so that the vector is `rho_nano`-zCDP if one unit adds at most `cap` to it in all (L1, so L2 too).

    `counts` is a one-dimensional int64 vector over public cells, below 2^31 in size. MechanismError if OpenDP's own
    proof of the cost is above `rho_nano`.
    """
    if counts.ndim != 1 or counts.dtype != np.int64:
        raise MechanismError("counts must be a one-dimensional int64 vector")
    if counts.size and not -COUNT_LIMIT < int(counts.min()) <= int(counts.max()) < COUNT_LIMIT:
        raise MechanismError("a count is beyond the range of the protocol")
    sigma = sigma_1024(cap, rho_nano)
    if counts.size == 0:
        return NoisyCounts(counts.copy(), sigma)
    return NoisyCounts(_draw(counts, sigma / SIGMA_UNIT, float(cap), rho_nano / NANO), sigma)


def _draw(counts: NDArray[np.int64], scale: float, sensitivity: float, rho: float) -> NDArray[np.int64]:
    space = dp.vector_domain(dp.atom_domain(T=dp.i64), size=counts.size), dp.l2_distance(T=float)
    measurement = space >> dp.m.then_gaussian(scale)
    cost = measurement.map(math.nextafter(sensitivity, math.inf))
    if not cost <= rho * (1 + _RHO_TOLERANCE):
        raise MechanismError("OpenDP prices this release above its budget")
    drawn = np.asarray(measurement(np.ascontiguousarray(counts)), dtype=np.int64)
    if drawn.shape != counts.shape:
        raise MechanismError("OpenDP returned a vector of another length")
    return drawn


_SELF_TEST_SIGMA = 3.0
_SELF_TEST_DRAWS = 20_000
_SELF_TEST_Z = 5.0  # one-sided normal quantile: a sound sampler fails once in 3.5 million starts


def discrete_gaussian_pmf(sigma: float, reach: int) -> NDArray[np.float64]:
    """Probabilities of -reach..reach under the discrete Gaussian: exp(-k^2 / 2 sigma^2), normalised."""
    support = np.arange(-reach, reach + 1, dtype=np.float64)
    weight = np.exp(-(support**2) / (2 * sigma**2))
    return np.asarray(weight / weight.sum())


def sampler_is_sound() -> bool:
    """Chi-square of 20,000 draws at sigma 3 against the exact probabilities; run at every start of a node.

    It finds the broken samplers of OpenDP before 0.14.2 and a scale that is 10 % off.
    """
    zeros = np.zeros(_SELF_TEST_DRAWS, dtype=np.int64)
    draws = _draw(zeros, _SELF_TEST_SIGMA, 1.0, 1.0)
    return chi_square_z(draws, _SELF_TEST_SIGMA) < _SELF_TEST_Z


def chi_square_z(draws: NDArray[np.int64], sigma: float) -> float:
    """How far `draws` are from the discrete Gaussian, as a standard normal deviate.

    Pearson's chi-square over cells with at least 10 expected draws and two tails, brought to a normal deviate by
    Wilson and Hilferty 1931.
    """
    reach = math.ceil(20 * sigma)
    expected = discrete_gaussian_pmf(sigma, reach) * len(draws)
    observed = np.bincount(np.clip(draws, -reach, reach) + reach, minlength=2 * reach + 1)
    inner = np.flatnonzero(expected >= 10)
    first, last = int(inner[0]), int(inner[-1])
    folded_expected = np.r_[expected[:first].sum(), expected[first : last + 1], expected[last + 1 :].sum()]
    folded_observed = np.r_[observed[:first].sum(), observed[first : last + 1], observed[last + 1 :].sum()]
    statistic = float(((folded_observed - folded_expected) ** 2 / folded_expected).sum())
    freedom = len(folded_expected) - 1
    spread = 2 / (9 * freedom)
    return float((np.cbrt(statistic / freedom) - (1 - spread)) / math.sqrt(spread))
