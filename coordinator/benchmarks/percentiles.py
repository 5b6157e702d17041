"""Percentiles of the sites' underlying values from values that sampling and noise have spread out."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from scipy.special import ndtr

from coordinator.benchmarks.heterogeneity import Floats, SiteValues, paule_mandel, solve_q, weighted_mean
from protocols.publication.rows import Percentile

_DRAWS = 1000
_BISECTIONS = 60


def shrunk(sites: SiteValues, tau2: float) -> tuple[Floats, Floats]:
    """Normal-normal shrinkage: B_i = s_i^2/(s_i^2 + tau^2), theta_i = B_i mu + (1 - B_i) y_i, and its
    variance v_i = (1 - B_i) s_i^2 + B_i^2 Var(mu) (Morris 1983, JASA 78:47); shapes (sites,).
    """
    mean, mean_variance = weighted_mean(sites.values, sites.variances, tau2)
    pull = sites.variances / (sites.variances + tau2)
    return pull * mean + (1 - pull) * sites.values, (1 - pull) * sites.variances + pull**2 * mean_variance


def posterior_quantile(means: Floats, variances: Floats, probability: float) -> float:
    """The t at which G(t) = (1/I) sum Phi((t - theta_i)/sqrt v_i) is `probability`, by bisection.

    G is the posterior empirical distribution (Shen and Louis 1998, JRSS B 60:455): values themselves are too
    spread out, shrunk values too little.
    """
    deviations = np.sqrt(variances)
    low, high = float((means - 8 * deviations).min()), float((means + 8 * deviations).max())
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if ndtr((middle - means) / deviations).mean() < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def ensembles(sites: SiteValues, draws: int, generator: np.random.Generator) -> Floats:
    """Draws of all the sites' underlying values together, shape (draws, sites), with tau and mu uncertain
    too.

    tau^2 is the root of Q(tau^2) = W with W chi-squared on I - 1 degrees of freedom: the same pivot as the
    Q-profile interval (Iyer, Wang and Mathew 2004, JASA 99:1060); mu is normal given tau; theta_i is normal
    given both. Resampling from the one fitted tau instead (the parametric bootstrap) covers only 70 % where
    the noise hides a small tau.
    """
    pivots = generator.chisquare(sites.values.size - 1, draws)
    tau2 = solve_q(np.broadcast_to(sites.values, (draws, sites.values.size)), sites.variances, pivots)
    mean, mean_variance = weighted_mean(sites.values, sites.variances, tau2)
    mean = mean + np.sqrt(mean_variance) * generator.standard_normal(draws)
    pull = sites.variances / (sites.variances + tau2[:, None])
    centre = pull * mean[:, None] + (1 - pull) * sites.values
    thetas: Floats = centre + np.sqrt((1 - pull) * sites.variances) * generator.standard_normal(centre.shape)
    return thetas


def content_generator(sites: SiteValues) -> np.random.Generator:
    """A generator seeded by the values themselves, so that the same publication always has the same bytes.

    This randomness protects nobody and needs no secrecy: the values are released already, and what is done to
    them afterwards is post-processing.
    """
    content = sites.values.tobytes() + sites.variances.tobytes()
    return np.random.default_rng(int.from_bytes(sha256(content).digest()))


def percentiles(sites: SiteValues, levels: Sequence[int], bounds: tuple[float, float]) -> tuple[Percentile, ...]:
    """Percentiles of the sites' underlying values, with 95 % intervals over `ensembles`; all moved into
    `bounds`.
    """
    means, variances = shrunk(sites, float(paule_mandel(sites.values, sites.variances)))
    probabilities = np.asarray(levels) / 100
    draws = ensembles(sites, _DRAWS, content_generator(sites))
    lower, upper = np.quantile(np.quantile(draws, probabilities, axis=1, method="hazen"), [0.025, 0.975], axis=1)
    found = []
    for index, level in enumerate(levels):
        value = posterior_quantile(means, variances, float(probabilities[index]))
        ordered = np.clip([value, min(lower[index], value), max(upper[index], value)], *bounds)
        found.append(Percentile(level=level, value=ordered[0], lower=ordered[1], upper=ordered[2]))
    return tuple(found)
