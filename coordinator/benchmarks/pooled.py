"""Pooled values over sites with 95 % intervals that hold sampling and privacy noise.

A noisy count is x = y + e with y Poisson(mu) or binomial and e of mean 0 and known variance nu. Intervals
invert a score test: the variance is taken at the hypothetical value and not at the estimate, so that they
stay inside the range and hold at small counts. A value outside the range (noise can do that) is first moved
to its border; as the test statistic grows with the distance, the interval from the border holds the one from
outside and can never be empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from scipy.stats import norm

Z95 = float(norm.ppf(0.975))


@dataclass(frozen=True)
class NoisySum:
    """A signed noisy count and the variance of its noise."""

    value: float
    variance: float

    def __add__(self, other: NoisySum) -> NoisySum:
        """Sum of two counts with independent noise."""
        return NoisySum(self.value + other.value, self.variance + other.variance)

    @property
    def drowned(self) -> bool:
        """Whether the noise alone explains the count: x <= 1.96 sqrt(nu). Such a count is no denominator."""
        return self.value <= Z95 * sqrt(self.variance)


@dataclass(frozen=True)
class Estimate:
    """A value, its 95 % interval, and the standard deviation that privacy noise alone gives it, all in one
    unit.
    """

    value: float
    lower: float
    upper: float
    noise_sd: float

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit."""
        return Estimate(self.value * factor, self.lower * factor, self.upper * factor, self.noise_sd * factor)


def pooled_count(count: NoisySum) -> Estimate:
    """Mean mu of a Poisson count seen with noise.

    The interval solves (x - mu)^2 = z^2 (mu + nu) for mu >= 0: mu = x + z^2/2 -+ z sqrt(x + z^2/4 + nu). It
    is Rao's score interval of a Poisson mean (Garwood's problem; Barker 2002, The American Statistician
    56:85) with nu added.
    """
    x = max(count.value, 0.0)
    centre = x + Z95**2 / 2
    half = Z95 * sqrt(x + Z95**2 / 4 + count.variance)
    return Estimate(x, max(centre - half, 0.0), centre + half, sqrt(count.variance))


def pooled_rate(count: NoisySum, exposure: float, per: float) -> Estimate:
    """`per` x sum of counts / sum of public exposures; ValueError if the exposure is not positive."""
    if exposure <= 0:
        raise ValueError(f"a rate needs a positive exposure, not {exposure}; leave out sites without any")
    return pooled_count(count).scaled(per / exposure)


def share_of_need(count: NoisySum, headcount: float, need: tuple[float, float, float]) -> Estimate:
    """Percentage of the estimated need (`need` = low, central, high prevalence) that the count meets.

    The value uses the central prevalence. The band takes the lower count limit with the high prevalence and
    the upper one with the low prevalence. As need is an estimate and not a count of people, the percentage
    may pass 100.
    """
    low, central, high = need
    rate = pooled_rate(count, headcount, 100.0)
    return Estimate(rate.value / central, rate.lower / high, rate.upper / low, rate.noise_sd / central)


@dataclass(frozen=True)
class NoisyRatio:
    """A share a/b whose noisy parts may be correlated: their noise variances and covariance.

    `effective_n` is the number of cases whose binomial variance p(1-p)/n is the sampling variance of the
    share.
    """

    part: float
    whole: float
    effective_n: float
    part_variance: float
    covariance: float
    whole_variance: float

    def noise_variance_at(self, share: float) -> float:
        """Noise variance of a - p b, the linear form that is 0 on average at the true share p."""
        return self.part_variance - 2 * share * self.covariance + share**2 * self.whole_variance


def share_estimate(ratio: NoisyRatio) -> Estimate | None:
    """A share in 0..1, or None if the whole is drowned in its noise.

    The interval solves (a - p b)^2 = z^2 [b^2 p(1-p)/n + Var_noise(a - p b)] for p: Wilson (1927, JASA
    22:209) for the sampling part, Fieller (1954, JRSS B 16:175) for the noise in both parts; with no noise it
    is Wilson's interval. The condition b > z sd(b) is Fieller's for a bounded interval. `noise_sd` is the
    delta method's sd(a - p b)/b.
    """
    if NoisySum(ratio.whole, ratio.whole_variance).drowned:
        return None
    b, z2 = ratio.whole, Z95**2
    a = min(max(ratio.part, 0.0), b)
    sampling = z2 * b**2 / ratio.effective_n
    quadratic = b**2 + sampling - z2 * ratio.whole_variance
    half_linear = a * b + sampling / 2 - z2 * ratio.covariance
    constant = a**2 - z2 * ratio.part_variance
    root = sqrt(max(half_linear**2 - quadratic * constant, 0.0))
    share = a / b
    # The rounding of a root may leave the estimate itself outside by the last digit.
    lower = min(max((half_linear - root) / quadratic, 0.0), share)
    upper = max(min((half_linear + root) / quadratic, 1.0), share)
    return Estimate(share, lower, upper, sqrt(max(ratio.noise_variance_at(share), 0.0)) / b)


def pooled_proportion(part: NoisySum, rest: NoisySum) -> Estimate | None:
    """Share of `part` in `part + rest`, two sums with independent noise; None if the total is drowned in its
    noise.

    With a = part, b = part + rest: Var_noise(a - p b) = (1-p)^2 nu_part + p^2 nu_rest.
    """
    whole = part + rest
    if whole.drowned:
        return None
    return share_estimate(
        NoisyRatio(part.value, whole.value, whole.value, part.variance, part.variance, whole.variance)
    )
