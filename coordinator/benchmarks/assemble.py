"""From sites' figures to rows: who contributes, whether the gate lets the figure out, and what it then
carries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt

from coordinator.benchmarks.formulas import POSITIVE, Figure, compute, gate_exposure, strata
from coordinator.benchmarks.heterogeneity import SiteValues, paule_mandel, q_profile
from coordinator.benchmarks.model import SiteFigures, TrendPoint
from coordinator.benchmarks.peers import EVERYONE, PeerGroup, peer_groups
from coordinator.benchmarks.percentiles import percentiles
from coordinator.benchmarks.pooled import Estimate, NoisySum, pooled_rate
from protocols.catalogue.model import ALL_CELL, Catalogue, Measure, Rate
from protocols.periods import Period
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Percentile, Spread, Status

_DIGITS = 6


@dataclass(frozen=True)
class _Place:
    """Where rows stand: a measure, a period, a peer group and the number of its contributors."""

    measure: Measure
    period: Period
    peer_group: str
    n_sites: int

    def withheld(self, stratum: str, status: Status) -> BenchmarkRow:
        """A row without figures."""
        return self._row(stratum, status, None, None, ())

    def published(self, figure: Figure, rules: GateRules) -> BenchmarkRow:
        """A row with its figures, or TOO_FEW_EXPECTED if noise drowns its denominator."""
        if figure.estimate is None:
            return self.withheld(figure.stratum, Status.TOO_FEW_EXPECTED)
        sites = figure.sites
        if sites is None or sites.values.size < rules.min_sites:
            return self._row(figure.stratum, Status.OK, figure.estimate, None, ())
        levels = rules.percentile_levels(sites.values.size)
        places = tuple(map(_rounded_percentile, percentiles(sites, levels, figure.bounds))) if levels else ()
        return self._row(figure.stratum, Status.OK, figure.estimate, _spread(sites), places)

    def _row(
        self,
        stratum: str,
        status: Status,
        estimate: Estimate | None,
        spread: Spread | None,
        places: tuple[Percentile, ...],
    ) -> BenchmarkRow:
        return BenchmarkRow(
            measure=self.measure.id,
            grain=self.period.grain.value,
            period_start=self.period.start,
            period_end=self.period.end,
            peer_group=self.peer_group,
            stratum=stratum,
            n_sites=self.n_sites,
            value=_rounded(estimate.value) if estimate else None,
            lower=_rounded(estimate.lower) if estimate else None,
            upper=_rounded(estimate.upper) if estimate else None,
            noise_sd=_rounded(estimate.noise_sd) if estimate else None,
            unit=self.measure.unit,
            status=status,
            spread=spread,
            percentiles=places,
        )


def benchmark_rows(
    catalogue: Catalogue,
    measures: Sequence[Measure],
    period: Period,
    figures: Sequence[SiteFigures],
    today: date,
    rules: GateRules,
) -> list[BenchmarkRow]:
    """Each of `measures` for every peer group, one row per stratum, in their order; `figures` are of one period.

    A site contributes to a measure if it released every tally that the measure needs and its exposure
    (staff-years where the formula has none) is positive. The same figures in any order give the same rows.
    """
    ordered = sorted(figures, key=lambda site: site.site_id)
    recency = rules.recency(period.end, today)
    rows = []
    for measure in measures:
        contributors = _contributors(catalogue, measure, ordered)
        for group, status in _statuses(measure, ordered, contributors, rules).items():
            members = [site for site in contributors if site.site_id in group.site_ids]
            place = _Place(measure, period, group.id, len(members))
            verdict = status if recency is Status.OK else recency
            if verdict is Status.OK:
                rows += [place.published(figure, rules) for figure in compute(measure, catalogue, members)]
            else:
                rows += [place.withheld(stratum, verdict) for stratum in strata(measure, catalogue)]
    return rows


def trend_rows(
    catalogue: Catalogue,
    tally: str,
    points: Sequence[TrendPoint],
    figures: Sequence[SiteFigures],
    today: date,
    rules: GateRules,
) -> list[BenchmarkRow]:
    """One row per point for every rate whose numerator is the whole of `tally`; the peer group is everyone.

    The points hold sums only, so the dominance rule looks at `figures`, the sites that took part in them:
    their public exposures over the year stand for those in each month.
    """
    cells = set(catalogue.tally(tally).cell_names)
    rows = []
    for measure in catalogue.measures:
        formula = measure.formula
        if isinstance(formula, Rate) and formula.numerator.tally == tally and set(formula.numerator.cells) == cells:
            exposures = [site.exposures.get(formula.exposure, 0.0) for site in figures]
            rows += [_trend_row(measure, formula, point, exposures, today, rules) for point in points]
    return rows


def _trend_row(
    measure: Measure,
    formula: Rate,
    point: TrendPoint,
    exposures: Sequence[float],
    today: date,
    rules: GateRules,
) -> BenchmarkRow:
    place = _Place(measure, point.period, EVERYONE, point.n_sites)
    verdicts = (
        rules.recency(point.period.end, today),
        Status.TOO_FEW_SITES if point.n_sites < rules.min_sites else Status.OK,
        rules.participation([exposure for exposure in exposures if exposure > 0]),
    )
    for verdict in verdicts:
        if verdict is not Status.OK:
            return place.withheld(ALL_CELL, verdict)
    count = NoisySum(point.value, point.variance)
    estimate = pooled_rate(count, point.exposures[formula.exposure], formula.per)
    return place.published(Figure(ALL_CELL, estimate, None, POSITIVE), rules)


def declares_exposures(catalogue: Catalogue, tally: str, site: SiteFigures) -> bool:
    """Whether a site declares every exposure of every measure over `tally`.

    All measures and periods over one tally then have the same contributors: if C1 (staff-years) left out a site that
    C2 (headcount) counts, the difference of the two would be that site's own release.
    """
    needed = {gate_exposure(measure) for measure in catalogue.measures if tally in measure.tallies}
    return all(site.exposures.get(exposure, 0.0) > 0 for exposure in needed)


def _contributors(catalogue: Catalogue, measure: Measure, figures: Sequence[SiteFigures]) -> list[SiteFigures]:
    exposure = gate_exposure(measure)
    return [
        site
        for site in figures
        if site.exposures.get(exposure, 0.0) > 0
        and all(tally in site.tallies and declares_exposures(catalogue, tally, site) for tally in measure.tallies)
    ]


def _statuses(
    measure: Measure, figures: Sequence[SiteFigures], contributors: Sequence[SiteFigures], rules: GateRules
) -> dict[PeerGroup, Status]:
    """What the gate says of each peer group, recency apart; NOT_RUN if nobody in the network answered for the
    measure.
    """
    exposure = gate_exposure(measure)
    rules = rules.at_least(measure.publish.minimum_sites)
    statuses: dict[PeerGroup, Status] = {}
    for group in peer_groups(figures):
        weights = [site.exposures[exposure] for site in contributors if site.site_id in group.site_ids]
        statuses[group] = rules.participation(weights) if contributors else Status.NOT_RUN
    answered = frozenset(site.site_id for site in contributors)
    passed = {group.id: group.site_ids & answered for group, status in statuses.items() if status is Status.OK}
    held = rules.differencing(passed)
    return {group: Status.DIFFERENCING if group.id in held else status for group, status in statuses.items()}


def _spread(sites: SiteValues) -> Spread:
    lower, upper = q_profile(sites.values, sites.variances)
    tau2 = float(paule_mandel(sites.values, sites.variances))
    # Q's quantile at I - 1 lies between the two limits, so tau lies inside its interval.
    return Spread(tau=_rounded(sqrt(tau2)), lower=_rounded(sqrt(lower)), upper=_rounded(sqrt(upper)))


def _rounded_percentile(place: Percentile) -> Percentile:
    value, lower, upper = map(_rounded, (place.value, place.lower, place.upper))
    return Percentile(level=place.level, value=value, lower=lower, upper=upper)


def _rounded(number: float) -> float:
    """Six significant digits: enough for any reader, and the last bits of another processor do not change the
    bytes.
    """
    return float(f"{number:.{_DIGITS}g}")
