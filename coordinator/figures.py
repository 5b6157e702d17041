"""From stored releases to what benchmarks are computed from: a site's year, and pooled trends.

A site counts in a year if all four of its slices are there. Exposures over a span of months: headcount (of all, and of
each role group) and fte are means, patient_days a sum, staff_years the mean fte times the months' share of a year.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from coordinator.benchmarks.model import SiteFigures, SiteTally, TrendPoint
from coordinator.store.reader import Reader
from coordinator.store.schema import Plan, Site
from privacy.accountant import SIGMA_UNIT
from privacy.strategy import MONTHS, Fit, Matrix, Shape, TableSpec, fit, table_matrix
from protocols.periods import Grain, Period, periods_of
from protocols.plan import GRAINS, HEADCOUNT_BY_ROLE, QUARTERS
from protocols.v1 import leadline_pb2 as pb

TREND_GRAINS = (Grain.MONTH, Grain.QUARTER)


@dataclass(frozen=True)
class SiteYear:
    """One site's four slices of one plan, in order."""

    site: Site
    slices: tuple[pb.Release, ...]

    @cached_property
    def _monthly(self) -> dict[str, NDArray[np.float64]]:
        monthly: dict[str, list[int]] = defaultdict(list)
        for release in self.slices:
            for exposure in release.exposures:
                monthly[exposure.name] += exposure.months
        return {name: np.array(months, dtype=np.float64) for name, months in monthly.items()}

    def exposures(self, period: Period) -> dict[str, float]:
        """headcount, fte, staff_years and patient_days over a period of the plan's year.

        Also headcount_ROLE of each role group, where the site declared it in all four slices.
        """
        span = slice(period.first_month - 1, period.last_month)
        by_role = (name for name in HEADCOUNT_BY_ROLE if len(self._monthly.get(name, ())) == MONTHS)
        means = {name: float(self._monthly[name][span].mean()) for name in ("headcount", "fte", *by_role)}
        return means | {
            "staff_years": means["fte"] * period.grain.months / MONTHS,
            "patient_days": float(self._monthly["patient_days"][span].sum()),
        }

    def table(self, tally: str, position: int) -> tuple[NDArray[np.int64], float]:
        """The values of one table over the whole year, and their noise variance."""
        parts = [t for release in self.slices for t in release.tables if (t.tally, t.table) == (tally, position)]
        values = np.array([value for part in parts for value in part.values], dtype=np.int64)
        return values, (parts[0].sigma_1024 / SIGMA_UNIT) ** 2

    @cached_property
    def tallies(self) -> frozenset[str]:
        """The tallies that the site answered in every slice."""
        named = [frozenset(unit.tally for unit in release.units) for release in self.slices]
        return frozenset.intersection(*named)

    def protects_encounters(self) -> bool:
        """Whether the site has no key per person, so that its noise protects encounters instead of clinicians."""
        return any(unit.unit == "encounter" for release in self.slices for unit in release.units)


def complete_years(reader: Reader, plan: Plan) -> list[SiteYear]:
    """The sites whose four slices of a plan are stored, by id."""
    slices: dict[str, dict[int, pb.Release]] = defaultdict(dict)
    for row in reader.releases_of_plan(plan.plan_id):
        slices[row.site_id][row.quarter] = pb.Release.FromString(pb.Envelope.FromString(row.envelope).body)
    sites = {site.site_id: site for site in reader.sites()}
    return [
        SiteYear(sites[site_id], tuple(found[quarter] for quarter in QUARTERS))
        for site_id, found in sorted(slices.items())
        if set(found) == set(QUARTERS)
    ]


def site_figures(year: SiteYear, plan: pb.Plan) -> SiteFigures:
    """A site's figures over the year: its yearly cells of every tally of a benchmark plan, none of a trend plan."""
    tallies = {}
    for request in plan.tallies:
        if request.tally not in year.tallies:
            continue
        for position, table in enumerate(request.tables):
            if table.grain == pb.GRAIN_YEAR and table.by_cell and not table.stratum:
                tallies[request.tally] = SiteTally(*year.table(request.tally, position))
    whole = periods_of(plan.year, Grain.YEAR)[0]
    return SiteFigures(year.site.site_id, year.site.attributes, tallies, year.exposures(whole))


def trend_points(years: Sequence[SiteYear], plan: pb.Plan, tally: str) -> list[TrendPoint]:
    """A tally's pooled count in every month and quarter, from sums of the tables over the sites. Empty without sites.

    The month, quarter and year tables are combined by weighted least squares (privacy.strategy), so that each figure
    draws on all three.
    """
    if not years:
        return []
    fitted = _fit(years, plan, tally)
    points = []
    for grain in TREND_GRAINS:
        values, covariance = fitted.answer(_totals(grain))
        for period, value, variance in zip(periods_of(plan.year, grain), values, np.diag(covariance), strict=True):
            points.append(TrendPoint(period, float(value), float(variance), _summed(years, period), len(years)))
    return points


def _totals(grain: Grain) -> Matrix:
    return table_matrix(TableSpec(grain.months, by_stratum=False, by_cell=False), Shape(strata=1, cells=1))


def _fit(years: Sequence[SiteYear], plan: pb.Plan, tally: str) -> Fit:
    request = next(request for request in plan.tallies if request.tally == tally)
    matrices, values, variances = [], [], []
    for position, table in enumerate(request.tables):
        found = [year.table(tally, position) for year in years]
        matrices.append(_totals(GRAINS[table.grain]))
        values.append(np.vstack([counts for counts, _ in found]).sum(axis=0).astype(np.float64))
        variances.append(sum(variance for _, variance in found))
    return fit(matrices, values, variances)


def _summed(years: Sequence[SiteYear], period: Period) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for year in years:
        for name, value in year.exposures(period).items():
            sums[name] += value
    return dict(sums)
