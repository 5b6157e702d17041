"""Each kind of formula in the catalogue as arithmetic on the contributors' tallies; a new measure is data,
not code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Any

import numpy as np

from coordinator.benchmarks.heterogeneity import Floats, SiteValues, site_rates, site_shares
from coordinator.benchmarks.histograms import Curve, histogram_curve, quantile, reached_by
from coordinator.benchmarks.lifetable import life_table_curve
from coordinator.benchmarks.model import SiteFigures
from coordinator.benchmarks.pooled import (
    Z95,
    Estimate,
    NoisySum,
    pooled_proportion,
    pooled_rate,
    share_of_need,
)
from privacy.strategy import MONTHS
from protocols.catalogue.model import (
    ALL_CELL,
    Catalogue,
    Context,
    DurationCells,
    Histogram,
    Measure,
    Panel,
    Proportion,
    Quantile,
    Rate,
    ReachedBy,
    ShareOfNeed,
    WeightedRate,
)
from protocols.plan import EXPOSURE_STEP

POSITIVE = (0.0, inf)
PERCENT = (0.0, 100.0)
YEAR_DAYS = 365


@dataclass(frozen=True)
class Figure:
    """One row's figure: the pooled estimate (None if its denominator is drowned) and, where they bear it,
    sites' values.
    """

    stratum: str
    estimate: Estimate | None
    sites: SiteValues | None
    bounds: tuple[float, float]


@dataclass(frozen=True)
class _Counts:
    """A sum over some cells of a tally at each site: noisy values and noise variances, both of shape
    (sites,).
    """

    values: Floats
    noise: Floats

    @property
    def pooled(self) -> NoisySum:
        return NoisySum(float(self.values.sum()), float(self.noise.sum()))


def gate_exposure(measure: Measure) -> str:
    """The public exposure that weighs a site in the dominance rule: the formula's own, or staff-years if it
    has none.
    """
    return getattr(measure.formula, "exposure", "staff_years")


def strata(measure: Measure, catalogue: Catalogue) -> tuple[str, ...]:
    """The strata of a measure's rows: "all", the cells (or groups of cells) of a histogram, the parts of a panel."""
    if isinstance(measure.formula, Histogram):
        return tuple(_cell_groups(measure.formula, catalogue))
    if isinstance(measure.formula, Panel):
        return tuple(measure.formula.parts)
    return (ALL_CELL,)


def _cell_groups(formula: Histogram, catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    return formula.groups or {cell: (cell,) for cell in catalogue.tally(formula.tally).cell_names}


def compute(measure: Measure, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    """The figures of a measure, one per stratum, over sites that all contribute to it (at least one).

    KeyError for a formula that needs more than sites' totals (role ratios); `selection` lets none of them in.
    """
    return _FORMULAS[measure.formula.kind](measure.formula, catalogue, sites)


def _rate(formula: Rate, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    counts = _select(catalogue, sites, formula.numerator.tally, formula.numerator.cells)
    exposures = _exposures(sites, formula.exposure)
    estimate = pooled_rate(counts.pooled, float(exposures.sum()), formula.per)
    return [Figure(ALL_CELL, estimate, _rates(counts, exposures, float(formula.per)), POSITIVE)]


def _share_of_need(formula: ShareOfNeed, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    counts = _select(catalogue, sites, formula.numerator.tally, formula.numerator.cells)
    exposures = _exposures(sites, formula.exposure)
    need = (float(formula.need_low), float(formula.need_central), float(formula.need_high))
    estimate = share_of_need(counts.pooled, float(exposures.sum()), need)
    return [Figure(ALL_CELL, estimate, _rates(counts, exposures, 100 / need[1]), POSITIVE)]


def _proportion(
    formula: Proportion, catalogue: Catalogue, sites: Sequence[SiteFigures], stratum: str = ALL_CELL
) -> list[Figure]:
    others = tuple(cell for cell in formula.denominator.cells if cell not in formula.numerator.cells)
    part = _select(catalogue, sites, formula.numerator.tally, formula.numerator.cells)
    rest = _select(catalogue, sites, formula.denominator.tally, others)
    return [_share(stratum, part, rest, float(formula.per))]


def _panel(formula: Panel, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    return [figure for name, part in formula.parts.items() for figure in _proportion(part, catalogue, sites, name)]


def _histogram(formula: Histogram, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    groups = _cell_groups(formula, catalogue)
    whole = [cell for cells in groups.values() for cell in cells]
    figures = []
    for name, cells in groups.items():
        part = _select(catalogue, sites, formula.tally, cells)
        rest = _select(catalogue, sites, formula.tally, tuple(other for other in whole if other not in cells))
        figures.append(_share(name, part, rest))
    return figures


def _weighted_rate(formula: WeightedRate, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    """The interval is the normal one of a compound Poisson sum: variance sum w^2 x of sampling, sum w^2 nu of noise."""
    names = catalogue.tally(formula.tally).cell_names
    weights = np.array([float(formula.weights[name]) for name in names])
    tallies = [site.tallies[formula.tally] for site in sites]
    days = weights @ np.sum([tally.values for tally in tallies], axis=0)
    noise = float((weights**2).sum() * sum(tally.variance for tally in tallies))
    sampling = float((weights**2) @ np.clip(np.sum([tally.values for tally in tallies], axis=0), 0, None))
    half = Z95 * sqrt(sampling + noise)
    value = max(float(days), 0.0)
    estimate = Estimate(value, max(value - half, 0.0), value + half, sqrt(noise))
    staff_days = float(_exposures(sites, formula.exposure).sum()) * YEAR_DAYS
    return [Figure(ALL_CELL, estimate.scaled(formula.per / staff_days), None, POSITIVE)]


def _quantile(formula: Quantile, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    curve = _curve(catalogue, sites, formula.tally)
    estimate = quantile(curve, float(formula.probability)) if curve else None
    return [Figure(ALL_CELL, estimate, None, POSITIVE)]


def _reached_by(formula: ReachedBy, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    curve = _curve(catalogue, sites, formula.tally)
    estimate = reached_by(curve, formula.time) if curve else None
    if estimate is not None and formula.not_yet:
        estimate = Estimate(1 - estimate.value, 1 - estimate.upper, 1 - estimate.lower, estimate.noise_sd)
    return [Figure(ALL_CELL, estimate.scaled(100) if estimate else None, None, PERCENT)]


def _context(formula: Context, catalogue: Catalogue, sites: Sequence[SiteFigures]) -> list[Figure]:
    """The mean of what sites declare; its interval is what rounding each month to EXPOSURE_STEP leaves open."""
    mean = float(_exposures(sites, formula.exposure).mean())
    rounding = EXPOSURE_STEP / 2 * (MONTHS if formula.exposure == "patient_days" else 1)
    return [Figure(ALL_CELL, Estimate(mean, max(0.0, mean - rounding), mean + rounding, 0.0), None, POSITIVE)]


_FORMULAS: Mapping[str, Callable[[Any, Catalogue, Sequence[SiteFigures]], list[Figure]]] = {
    "rate": _rate,
    "share_of_need": _share_of_need,
    "proportion": _proportion,
    "histogram": _histogram,
    "panel": _panel,
    "weighted_rate": _weighted_rate,
    "quantile": _quantile,
    "reached_by": _reached_by,
    "context": _context,
}


def _exposures(sites: Sequence[SiteFigures], exposure: str) -> Floats:
    return np.array([site.exposures[exposure] for site in sites], dtype=np.float64)


def _select(catalogue: Catalogue, sites: Sequence[SiteFigures], tally_id: str, cells: Sequence[str]) -> _Counts:
    names = catalogue.tally(tally_id).cell_names
    wanted = [names.index(cell) for cell in cells]
    tallies = [site.tallies[tally_id] for site in sites]
    values = np.array([tally.values[wanted].sum() for tally in tallies], dtype=np.float64)
    noise = np.array([tally.variance * len(wanted) for tally in tallies], dtype=np.float64)
    return _Counts(values, noise)


def _rates(counts: _Counts, exposures: Floats, per: float) -> SiteValues | None:
    """Sites' rates, or None if nothing was counted and there is no noise: then nothing can be spread."""
    rate = max(counts.pooled.value, 0.0) / float(exposures.sum())
    sites = site_rates(counts.values, exposures, counts.noise, rate).scaled(per)
    return sites if np.all(sites.variances > 0) else None


def _share(stratum: str, part: _Counts, rest: _Counts, per: float = 100.0) -> Figure:
    estimate = pooled_proportion(part.pooled, rest.pooled)
    if estimate is None:
        return Figure(stratum, None, None, (0.0, per))
    return Figure(stratum, estimate.scaled(per), _shares(part, rest, estimate.value, per), (0.0, per))


def _shares(part: _Counts, rest: _Counts, share: float, per: float) -> SiteValues | None:
    """Shares of the sites whose own total stands out of its noise; None if there are none, or no variance."""
    firm = part.values + rest.values > Z95 * np.sqrt(part.noise + rest.noise)
    noise = (part.noise[firm], rest.noise[firm])
    sites = site_shares(part.values[firm], rest.values[firm], noise, share).scaled(per)
    return sites if firm.any() and np.all(sites.variances > 0) else None


def _curve(catalogue: Catalogue, sites: Sequence[SiteFigures], tally_id: str) -> Curve | None:
    tally = catalogue.tally(tally_id)
    if not isinstance(tally.cells, DurationCells):
        raise TypeError(f"tally {tally_id} holds no durations; the catalogue's own check should have refused it")
    cells = np.array([site.tallies[tally_id].values for site in sites], dtype=np.float64).sum(axis=0)
    variance = float(sum(site.tallies[tally_id].variance for site in sites))
    edges = np.array(tally.cells.edges, dtype=np.float64)
    censored = len(tally.cell_names) > len(tally.cells.bins) + 1
    return life_table_curve(edges, cells, variance) if censored else histogram_curve(edges, cells, variance)
