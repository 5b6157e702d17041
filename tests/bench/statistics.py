"""How often the published intervals hold the truth; run as `python -m tests.bench.statistics [replications]`.

Each replication simulates a network from known rates and waiting times, adds noise to its cells, and asks of every
kind of figure whether the interval holds the exact figure of the simulated rows ("realised") and the one they were
drawn from ("underlying"). An interval for both sampling and noise must hold the first in 95 % or more, the second in
about 95 %. "published" is the share of networks whose figure was not withheld as drowned in noise.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from coordinator.benchmarks.heterogeneity import SiteValues, paule_mandel, q_profile, site_rates
from coordinator.benchmarks.histograms import histogram_curve, quantile, reached_by
from coordinator.benchmarks.lifetable import life_table_curve
from coordinator.benchmarks.percentiles import percentiles
from coordinator.benchmarks.pooled import Estimate, NoisySum, pooled_count, pooled_proportion

Floats = NDArray[np.float64]

HOURS = np.array([0.0, 1.0, 4.0, 12.0, 24.0, 72.0, 720.0])
DAYS = np.array([0.0, 7.0, 14.0, 30.0, 90.0, 365.0])
LEVELS = (10, 25, 50, 75, 90)
CONTACT = (20.0, 1.3)
RECOVERY = (2.817, 1.801, 0.08)
TAU = 0.25


@dataclass(frozen=True)
class Setting:
    """A network: number of sites, expected count per site, noise SD per released cell."""

    sites: int
    expected: float
    sigma: float

    @property
    def variance(self) -> float:
        """Noise variance of a cell summed over the sites."""
        return self.sites * self.sigma**2

    def noise(self, generator: np.random.Generator, cells: int) -> Floats:
        """Pooled noise of `cells` cells."""
        return sqrt(self.variance) * generator.standard_normal(cells)


@dataclass(frozen=True)
class Outcome:
    """A figure's name, its estimate (None if withheld), and the two truths."""

    kind: str
    estimate: Estimate | None
    realised: float
    underlying: float


SETTINGS = tuple(
    Setting(sites, expected, sigma)
    for sites, expected in ((6, 5.0), (6, 80.0), (24, 25.0), (24, 100.0), (60, 10.0), (60, 500.0))
    for sigma in (0.0, 3.0, 6.0, 15.0)
)


def counts(setting: Setting, generator: np.random.Generator) -> Iterator[Outcome]:
    """A rate and a share of 30 %, both of sites that differ."""
    theta = np.maximum(1 + TAU * generator.standard_normal(setting.sites), 0.05) * setting.expected
    events = int(generator.poisson(theta).sum())
    noisy = NoisySum(events + setting.noise(generator, 1)[0], setting.variance)
    yield Outcome("rate", pooled_count(noisy), events, float(theta.sum()))
    chance = np.clip(0.3 + 0.1 * generator.standard_normal(setting.sites), 0.02, 0.98)
    part, rest = int(generator.poisson(theta * chance).sum()), int(generator.poisson(theta * (1 - chance)).sum())
    noise = setting.noise(generator, 2)
    estimate = pooled_proportion(
        NoisySum(part + noise[0], setting.variance), NoisySum(rest + noise[1], setting.variance)
    )
    yield Outcome("proportion", estimate, part / max(part + rest, 1), float((theta * chance).sum() / theta.sum()))


def contacts(setting: Setting, generator: np.random.Generator) -> Iterator[Outcome]:
    """Hours to first contact, lognormal with medians that differ between sites."""
    cases = generator.poisson(setting.expected * setting.sites)
    medians = np.log(CONTACT[0]) + 0.35 * generator.standard_normal(setting.sites)
    hours = np.exp(medians[generator.integers(0, setting.sites, cases)] + CONTACT[1] * generator.standard_normal(cases))
    cells = np.append(np.histogram(hours, HOURS)[0], (hours > HOURS[-1]).sum())
    curve = histogram_curve(HOURS, cells + setting.noise(generator, cells.size), setting.variance)
    grid = np.exp(np.linspace(0, 6, 600))
    mixture = norm.cdf((np.log(grid)[:, None] - medians) / CONTACT[1]).mean(axis=1)
    median = float(np.interp(0.5, mixture, grid))
    yield Outcome("median, histogram", quantile(curve, 0.5), float(np.median(hours)), median)


def recoveries(setting: Setting, generator: np.random.Generator) -> Iterator[Outcome]:
    """Days to recovery, lognormal with 8 % who never do, 45 % of cases censored from day 21 on."""
    cases = generator.poisson(setting.expected * setting.sites)
    location, scale, never = RECOVERY
    days = np.exp(location + scale * generator.standard_normal(cases))
    days[generator.random(cases) < never] = inf
    leaves = np.where(generator.random(cases) < 0.45, 21 + generator.exponential(45, cases), inf)
    last = np.minimum(leaves, DAYS[-1])
    ended = days < last
    seen = np.minimum(days, last)
    beyond = ~ended & (last == DAYS[-1])
    cells = np.concatenate(
        [np.histogram(seen[ended], DAYS)[0], np.histogram(seen[~ended & ~beyond], DAYS)[0], [beyond.sum()]]
    )
    curve = life_table_curve(DAYS, cells + setting.noise(generator, cells.size), setting.variance)
    times, over = _kaplan_meier(seen, ended)
    reached = np.flatnonzero(over >= 0.5)
    median = float(times[reached[0]]) if reached.size else float(DAYS[-1])
    within = float(over[np.searchsorted(times, 30.0) - 1])
    true_median = float(np.exp(location + scale * norm.ppf(0.5 / (1 - never))))
    true_within = float((1 - never) * norm.cdf((np.log(30) - location) / scale))
    yield Outcome("median, life table", quantile(curve, 0.5) if curve else None, median, true_median)
    yield Outcome("over by 30, life table", reached_by(curve, 30.0) if curve else None, within, true_within)


def _kaplan_meier(seen: Floats, ended: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    order = np.lexsort((~ended, seen))
    at_risk = seen.size - np.arange(seen.size)
    over: Floats = 1 - np.cumprod(1 - ended[order] / at_risk, dtype=np.float64)
    return seen[order], over


def coverage(setting: Setting, replications: int, generator: np.random.Generator) -> Iterator[tuple[str, str]]:
    """A line of the table per kind of figure."""
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for _ in range(replications):
        for simulate in (counts, contacts, recoveries):
            for outcome in simulate(setting, generator):
                if (e := outcome.estimate) is not None:
                    inside = [e.lower <= truth <= e.upper for truth in (outcome.realised, outcome.underlying)]
                    found[outcome.kind].append((inside[0], inside[1]))
    for kind, rows in found.items():
        realised, underlying = np.mean(rows, axis=0)
        yield kind, f"{realised:9.3f} {underlying:10.3f} {len(rows) / replications:9.2f}"


def spread(setting: Setting, replications: int, generator: np.random.Generator) -> str:
    """Mean tau^2 with and without the noise, coverage of its interval and of the percentiles' intervals."""
    aware, naive, profile, inside = [], [], [], []
    for _ in range(replications):
        expected = setting.expected * np.exp(0.5 * generator.standard_normal(setting.sites))
        theta = np.maximum(1 + TAU * generator.standard_normal(setting.sites), 0.0)
        values = generator.poisson(theta * expected) + setting.sigma * generator.standard_normal(setting.sites)
        pooled = max(float(values.sum() / expected.sum()), 0.0)
        sites = site_rates(values, expected, np.full(setting.sites, setting.sigma**2), pooled)
        ignoring = SiteValues(sites.values, pooled / expected)
        aware.append(float(paule_mandel(sites.values, sites.variances)))
        naive.append(float(paule_mandel(ignoring.values, ignoring.variances)))
        lower, upper = q_profile(sites.values, sites.variances)
        profile.append(lower <= TAU**2 <= upper)
        truth = np.quantile(theta, np.array(LEVELS) / 100, method="hazen")
        places = percentiles(sites, LEVELS, (0.0, inf))
        inside.append([place.lower <= t <= place.upper for place, t in zip(places, truth, strict=True)])
    covered = " ".join(f"{share:.3f}" for share in np.mean(inside, axis=0))
    return f"{np.mean(aware):9.4f} {np.mean(naive):9.4f} {np.mean(profile):9.3f}   {covered}"


def main() -> None:
    """Print both tables."""
    replications = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    generator = np.random.default_rng(1)
    print(f"{replications} replications; nominal 0.950, its standard error {sqrt(0.05 * 0.95 / replications):.3f}")
    print(f"{'sites':>5} {'count':>6} {'sigma':>6}  {'figure':<24}{'realised':>9} {'underlying':>10} {'published':>9}")
    for setting in SETTINGS:
        for kind, line in coverage(setting, replications, generator):
            print(f"{setting.sites:5d} {setting.expected:6.0f} {setting.sigma:6.0f}  {kind:<24}{line}")
    print(f"\ntau^2 is {TAU**2:.4f}; percentiles {LEVELS}")
    print(
        f"{'sites':>5} {'count':>6} {'sigma':>6}  {'aware':>9} {'naive':>9} {'Q-profile':>9}   coverage of percentiles"
    )
    for setting in SETTINGS:
        if setting.sites >= 8 and setting.expected >= 25:
            line = spread(setting, replications // 4, generator)
            print(f"{setting.sites:5d} {setting.expected:6.0f} {setting.sigma:6.0f}  {line}")


if __name__ == "__main__":
    main()
