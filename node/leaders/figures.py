"""Every measure's formula on the hospital's own exact counts. One `Own` per row that a publication would have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from node.leaders.chance import Interval, count_interval, share_interval
from node.leaders.counts import YearCounts, count_year
from node.leaders.coverage import Coverage, coverage
from node.leaders.durations import quantile_interval, share_over, time_of_share
from node.leaders.exposures import exposure
from node.release.site import SiteData
from protocols.catalogue.model import (
    ALL_CELL,
    UNKNOWN,
    Catalogue,
    Context,
    Histogram,
    Measure,
    Panel,
    Proportion,
    Quantile,
    Rate,
    ReachedBy,
    RoleRatio,
    Selection,
    ShareOfNeed,
    WeightedRate,
)
from protocols.periods import Grain, Period

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Own:
    """A figure of this hospital without noise, in the measure's unit.

    `value` is None where there is nothing to divide by. `lower` and `upper` (95 %) say how far chance alone would move
    it; None where no simple model fits. `cases` is the number of cases that it rests on. Nothing is compared with a
    figure whose period the exports do not cover whole.
    """

    stratum: str
    value: float | None
    lower: float | None
    upper: float | None
    cases: int
    covered: Coverage = Coverage.WHOLE


class OwnFigures:
    """The figures of one site, each computed once. Raises nothing for what the site does not export."""

    def __init__(self, catalogue: Catalogue, site: SiteData, person_keys: bool) -> None:
        self._catalogue, self._site, self._person_keys = catalogue, site, person_keys
        self._counted: dict[tuple[str, int], YearCounts] = {}
        self._found: dict[tuple[str, Period], tuple[Own, ...]] = {}

    def missing_tables(self, measure: Measure) -> bool:
        """Whether the site exports too little for this measure."""
        return not all(self._site.can_answer(self._catalogue.tally(tally)) for tally in measure.tallies)

    def of(self, measure: Measure, period: Period) -> tuple[Own, ...]:
        """The rows of a measure in a period of one ledger year; empty if the site exports too little for it.

        A measure that is published over several years is one over these years here too, up to the period's.
        """
        key = (measure.id, period)
        if key not in self._found:
            self._found[key] = () if self.missing_tables(measure) else self._rows(measure, period)
        return self._found[key]

    def _rows(self, measure: Measure, period: Period) -> tuple[Own, ...]:
        first = period.year - measure.publish.years + 1 if period.grain is Grain.YEAR else period.year
        periods = tuple(replace(period, year=year) for year in range(first, period.year + 1))
        tallies = [self._catalogue.tally(tally) for tally in measure.tallies]
        covered = coverage(self._site, tallies, periods)
        rows = _FORMULAS[measure.formula.kind](measure.formula, _Period(self, periods))
        return tuple(_within(row, measure, covered) for row in rows)

    @cached_property
    def years(self) -> tuple[int, ...]:
        """Ledger years that the site declares staff for; a stray row of an earlier year makes no year of its own."""
        declared = self._site.tables["staffing_period"]["period"].dt.year.dropna().unique()
        return tuple(sorted(int(year) for year in declared))

    def counted(self, tally_id: str, year: int) -> YearCounts:
        """The exact counts of a tally in a year."""
        key = (tally_id, year)
        if key not in self._counted:
            tally = self._catalogue.tally(tally_id)
            self._counted[key] = count_year(tally, self._site, year, self._person_keys)
        return self._counted[key]

    @property
    def catalogue(self) -> Catalogue:
        """The measures and tallies."""
        return self._catalogue

    @property
    def site(self) -> SiteData:
        """The site's tables and views."""
        return self._site


def _within(row: Own, measure: Measure, covered: Coverage) -> Own:
    """A row as far as the exports cover its period: what is counted per year or head needs all of it."""
    counted = isinstance(measure.formula, Rate | ShareOfNeed | WeightedRate)
    if covered is Coverage.NOTHING or (covered is Coverage.PART and counted):
        return replace(row, value=None, lower=None, upper=None, covered=covered)
    return replace(row, covered=covered)


@dataclass(frozen=True)
class _Period:
    """What formulas ask for, within one period, or within the same period of several years."""

    figures: OwnFigures
    periods: tuple[Period, ...]

    @property
    def period(self) -> Period:
        """The newest."""
        return self.periods[-1]

    def cells(self, tally_id: str) -> Counts:
        total: Counts = np.sum([self.figures.counted(tally_id, p.year).within(p) for p in self.periods], axis=0)
        return total

    def count(self, selection: Selection) -> int:
        names = self.figures.catalogue.tally(selection.tally).cell_names
        cells = self.cells(selection.tally)
        return int(sum(cells[names.index(cell)] for cell in selection.cells))

    def exposure(self, name: str, role: str | None = None) -> float | None:
        return exposure(self.figures.site.tables, name, self.period, role)


def _nothing(stratum: str = ALL_CELL, cases: int = 0) -> Own:
    return Own(stratum, None, None, None, cases)


def _scaled(stratum: str, value: float, interval: Interval | None, factor: float, cases: int) -> Own:
    lower, upper = (None, None) if interval is None else (interval[0] * factor, interval[1] * factor)
    return Own(stratum, value * factor, lower, upper, cases)


def _rate(formula: Rate, at: _Period) -> list[Own]:
    count, exposed = at.count(formula.numerator), at.exposure(formula.exposure)
    if not exposed:
        return [_nothing(cases=count)]
    return [_scaled(ALL_CELL, count, count_interval(count), formula.per / exposed, count)]


def _share_of_need(formula: ShareOfNeed, at: _Period) -> list[Own]:
    count, exposed = at.count(formula.numerator), at.exposure(formula.exposure)
    if not exposed:
        return [_nothing(cases=count)]
    need = exposed * float(formula.need_central)
    return [_scaled(ALL_CELL, count, count_interval(count), 100 / need, count)]


def _proportion(formula: Proportion, at: _Period, stratum: str = ALL_CELL) -> list[Own]:
    part, whole = at.count(formula.numerator), at.count(formula.denominator)
    return [_share(stratum, part, whole, formula.per)]


def _share(stratum: str, part: int, whole: int, per: int = 100) -> Own:
    if whole == 0:
        return _nothing(stratum)
    return _scaled(stratum, part / whole, share_interval(part, whole), per, whole)


def _histogram(formula: Histogram, at: _Period) -> list[Own]:
    names = at.figures.catalogue.tally(formula.tally).cell_names
    groups = formula.groups or {name: (name,) for name in names}
    counts = {group: at.count(Selection(tally=formula.tally, cells=cells)) for group, cells in groups.items()}
    whole = sum(counts.values())
    return [_share(group, count, whole) for group, count in counts.items()]


def _panel(formula: Panel, at: _Period) -> list[Own]:
    return [own for name, part in formula.parts.items() for own in _proportion(part, at, name)]


def _weighted_rate(formula: WeightedRate, at: _Period) -> list[Own]:
    names = at.figures.catalogue.tally(formula.tally).cell_names
    cells, exposed = at.cells(formula.tally), at.exposure(formula.exposure)
    cases = int(cells.sum())
    if not exposed:
        return [_nothing(cases=cases)]
    days = sum(float(formula.weights[name]) * int(count) for name, count in zip(names, cells, strict=True))
    length = (at.period.end - at.period.start).days + 1
    return [_scaled(ALL_CELL, days / (exposed * length), None, formula.per, cases)]


def _role_ratio(formula: RoleRatio, at: _Period) -> list[Own]:
    roles = at.figures.counted(formula.tally, at.period.year).roles
    whole, everybody = sum(roles.values()), at.exposure("headcount")
    rows = []
    for role, count in roles.items():
        staff = at.exposure("headcount", role)
        if role == UNKNOWN:
            continue
        value = (count / staff) / (whole / everybody) if staff and everybody and whole else None
        rows.append(Own(role, value, None, None, count))
    return rows


def _quantile(formula: Quantile, at: _Period) -> list[Own]:
    tally, cells, share = at.figures.catalogue.tally(formula.tally), at.cells(formula.tally), float(formula.probability)
    value, cases = time_of_share(tally, cells, share), int(cells.sum())
    if value is None:
        return [_nothing()]
    lower, upper = quantile_interval(tally, cells, share)
    return [Own(ALL_CELL, value, lower, upper, cases)]


def _reached_by(formula: ReachedBy, at: _Period) -> list[Own]:
    cells = at.cells(formula.tally)
    share, cases = share_over(at.figures.catalogue.tally(formula.tally), cells, formula.time), int(cells.sum())
    if share is None:
        return [_nothing()]
    share = 1 - share if formula.not_yet else share
    return [_scaled(ALL_CELL, share, share_interval(share * cases, cases), 100, cases)]


def _context(formula: Context, at: _Period) -> list[Own]:
    value = at.exposure(formula.exposure)
    return [_nothing() if value is None else Own(ALL_CELL, value, value, value, 0)]


_FORMULAS: Mapping[str, Callable[[Any, _Period], Sequence[Own]]] = {
    "rate": _rate,
    "share_of_need": _share_of_need,
    "proportion": _proportion,
    "histogram": _histogram,
    "panel": _panel,
    "weighted_rate": _weighted_rate,
    "role_ratio": _role_ratio,
    "quantile": _quantile,
    "reached_by": _reached_by,
    "context": _context,
}
