"""Between-site variance when each site's own variance, privacy noise included, is known.

Throughout, y_i = theta_i + error of variance s_i^2 (sampling and noise) and theta_i has mean mu and variance
tau^2. The noise needs no treatment of its own: it is part of s_i^2, and what these estimators report is what
s_i^2 does not explain. Arrays have the sites on their last axis; leading axes are independent replications.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2

Floats = NDArray[np.float64]

_MAX_STEPS = 200


@dataclass(frozen=True)
class SiteValues:
    """Sites' values y_i and their variances s_i^2, both of shape (sites,) and in one unit; every variance is
    positive.
    """

    values: Floats
    variances: Floats

    def scaled(self, factor: float) -> SiteValues:
        """The same in another unit."""
        return SiteValues(self.values * factor, self.variances * factor**2)


def site_rates(counts: Floats, exposures: Floats, noise: Floats, rate: float) -> SiteValues:
    """Sites' rates y_i = x_i/E_i with s_i^2 = theta0/E_i + nu_i/E_i^2, theta0 the pooled `rate` (per unit of
    exposure).
    """
    return SiteValues(counts / exposures, rate / exposures + noise / exposures**2)


def site_shares(part: Floats, rest: Floats, noise: tuple[Floats, Floats], share: float) -> SiteValues:
    """Sites' shares y_i = a_i/n_i, n_i = a_i + b_i, with s_i^2 = p0(1-p0)/n_i + [(1-p0)^2 nu_a + p0^2
    nu_b]/n_i^2.

    p0 is the pooled `share`; all n_i must be positive.
    """
    whole = part + rest
    privacy = (1 - share) ** 2 * noise[0] + share**2 * noise[1]
    return SiteValues(part / whole, share * (1 - share) / whole + privacy / whole**2)


def weighted_mean(values: Floats, variances: Floats, tau2: ArrayLike) -> tuple[Floats, Floats]:
    """mu(tau^2) = sum w_i y_i / sum w_i with w_i = 1/(s_i^2 + tau^2), and its variance 1/sum w_i."""
    weights = 1 / (variances + np.asarray(tau2, dtype=np.float64)[..., None])
    total = weights.sum(axis=-1)
    return (weights * values).sum(axis=-1) / total, 1 / total


def cochran_q(values: Floats, variances: Floats, tau2: ArrayLike) -> Floats:
    """Q(tau^2) = sum w_i (y_i - mu(tau^2))^2, chi-squared with I - 1 degrees of freedom at the true tau^2."""
    mean, _ = weighted_mean(values, variances, tau2)
    weights = 1 / (variances + np.asarray(tau2, dtype=np.float64)[..., None])
    q: Floats = (weights * (values - mean[..., None]) ** 2).sum(axis=-1)
    return q


def solve_q(values: Floats, variances: Floats, target: ArrayLike) -> Floats:
    """The tau^2 >= 0 at which Q(tau^2) = target, or 0 if Q(0) is already below it.

    Q falls and is convex (Q'' = 2 y'P^3 y), so Newton's steps from 0 rise to the root without ever passing
    it; the step is that of DerSimonian and Kacker (2007, Contemporary Clinical Trials 28:105): (Q -
    target)/sum w_i^2 (y_i - mu)^2.
    """
    goal = np.asarray(target, dtype=np.float64)
    tau2 = np.zeros(np.broadcast_shapes(values.shape[:-1], goal.shape))
    for _ in range(_MAX_STEPS):
        mean, _variance = weighted_mean(values, variances, tau2)
        scaled = (values - mean[..., None]) / (variances + tau2[..., None])
        slope = (scaled**2).sum(axis=-1)
        excess = (scaled**2 * (variances + tau2[..., None])).sum(axis=-1) - goal
        step = np.divide(excess, slope, out=np.zeros_like(tau2), where=excess > 0)
        tau2 = tau2 + step
        if np.all(step <= 1e-12 * tau2):
            break
    return tau2


def paule_mandel(values: Floats, variances: Floats) -> Floats:
    """tau^2 with Q(tau^2) = I - 1 (Paule and Mandel 1982, J. Res. Nat. Bur. Standards 87:377); shape: leading
    axes.
    """
    return solve_q(values, variances, values.shape[-1] - 1)


def q_profile(values: Floats, variances: Floats) -> tuple[float, float]:
    """95 % interval of tau^2: where Q(tau^2) meets chi^2's 97.5 % and 2.5 % points.

    Viechtbauer 2007, Statistics in Medicine 26:37. Both are 0 if the sites agree better than s_i^2 lets one expect.
    """
    limits = chi2.ppf([0.975, 0.025], values.shape[-1] - 1)
    lower, upper = solve_q(values, variances, limits)
    return float(lower), float(upper)
