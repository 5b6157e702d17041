"""What the leaders' pages show: every measure with the hospital's own line over what is published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

import pandas as pd

from node.leaders.comparison import Comparison, Standing, compare
from node.leaders.figures import Own, OwnFigures
from node.leaders.sentences import (
    chance_sentence,
    direction_sentence,
    held_back_label,
    own_sentence,
    own_words,
    peers_sentence,
    rules_sentence,
    standing_sentence,
    when_words,
)
from protocols.catalogue.model import ALL_CELL, Context, Measure, Proportion, Rate, ReachedBy, RoleRatio, ShareOfNeed
from protocols.catalogue.words import stratum_words
from protocols.look import drawings
from protocols.look.charts.series import Mark
from protocols.look.drawings import Drawing
from protocols.look.numbers import Figure
from protocols.periods import Grain, Period, periods_of
from protocols.publication.document import Publication
from protocols.publication.gate import GateRules
from protocols.publication.index import EVERYBODY, Rows
from protocols.publication.rows import BenchmarkRow, Status
from protocols.publication.words import READING_NOTES, peer_group_words

USE_AND_NEED = ("C1", "C2", "C7")
BESIDE_NEED = frozenset({"B1", "C1", "C2", "C6"})


@dataclass(frozen=True)
class Line:
    """One figure of the hospital beside the published one. `label` names the part of a measure of several parts."""

    label: str
    own: str
    chance: str
    peers: Figure | None
    held_back: str
    standing: str
    comparison: Comparison


@dataclass(frozen=True)
class MeasureLine:
    """A measure in the overview."""

    measure: Measure
    lines: tuple[Line, ...]
    exported: bool


@dataclass(frozen=True)
class Group:
    """The measures of one group of the catalogue; utilisation is never shown without estimated need."""

    title: str
    note: str
    measures: tuple[MeasureLine, ...]

    @property
    def shown(self) -> tuple[MeasureLine, ...]:
        """Those with anything to show."""
        return tuple(line for line in self.measures if line.exported or any(part.peers for part in line.lines))

    @property
    def missing(self) -> tuple[MeasureLine, ...]:
        """Those that the exports do not hold and nobody published."""
        return tuple(line for line in self.measures if line not in self.shown)


@dataclass(frozen=True)
class Intervention:
    """Something the site did, numbered as in the chart."""

    number: int
    start: date
    label: str


@dataclass(frozen=True)
class MeasureView:
    """The page of a measure. `beside` are the figures without which this one would mislead."""

    measure: Measure
    own_figure: str
    sentences: tuple[str, ...]
    lines: tuple[Line, ...]
    spread: Drawing | None
    has_quartiles: bool
    years: Drawing | None
    trend: Drawing | None
    trend_has_peers: bool
    interventions: tuple[Intervention, ...]
    history: tuple[tuple[str, str, Figure | None], ...]
    beside: tuple[MeasureLine, ...]
    exported: bool


class Leaders:
    """Own figures and the newest publication, which may be missing."""

    def __init__(self, own: OwnFigures, publication: Publication | None) -> None:
        self._own, self._rows = own, None if publication is None else Rows(publication)

    @property
    def years(self) -> tuple[int, ...]:
        """Years with anything to show, rising."""
        published = () if self._rows is None else self._rows.years
        return tuple(sorted({*published, *self._own.years[-6:]}))

    @property
    def newest_year(self) -> int | None:
        """The newest published year; without a publication the newest of the site's own."""
        if self._rows is not None and self._rows.newest_shown_year is not None:
            return self._rows.newest_shown_year
        return self.years[-1] if self.years else None

    def peer_groups(self, year: int) -> tuple[tuple[str, str], ...]:
        """Ids and titles of the peer groups that a year is published for."""
        if self._rows is None:
            return ((EVERYBODY, peer_group_words(EVERYBODY)),)
        found = dict.fromkeys(group for m in self._own.catalogue.measures for group in self._rows.groups(m.id, year))
        return tuple((group, peer_group_words(group)) for group in {EVERYBODY: None, **found})

    def overview(self, year: int, peer_group: str) -> tuple[Group, ...]:
        """Every measure, in the catalogue's order; those of utilisation together with the need."""
        measures = self._own.catalogue.measures
        grouped = groupby(measures, key=lambda measure: measure.group)
        return tuple(
            Group(title, READING_NOTES.get(title, ""), tuple(self._line(m, year, peer_group) for m in members))
            for title, members in grouped
        )

    def measure(self, measure: Measure, year: int, peer_group: str) -> MeasureView:
        """One measure in one year against one peer group."""
        line = self._line(measure, year, peer_group)
        row, own = self._whole(measure, year, peer_group)
        trend, single = self._trend(measure), len(line.lines) == 1
        return MeasureView(
            measure=measure,
            own_figure=line.lines[0].own if single else "",
            sentences=self._sentences(measure, year, own, row) if single else self._part_sentences(measure),
            lines=line.lines,
            spread=_spread(row, own) if single else self._parts(measure, year, peer_group),
            has_quartiles=row is not None and bool(row.percentiles),
            years=self._years(measure, peer_group),
            trend=trend,
            trend_has_peers=self._published_trend(measure) != (),
            interventions=self.interventions if trend else (),
            history=tuple(self._history(measure, peer_group)),
            beside=self.use_and_need(year, peer_group) if measure.id in BESIDE_NEED else (),
            exported=line.exported,
        )

    def use_and_need(self, year: int, peer_group: str) -> tuple[MeasureLine, ...]:
        """Reach, the share of estimated need, and awareness: low use is not low need."""
        return tuple(self._line(self._own.catalogue.measure(known), year, peer_group) for known in USE_AND_NEED)

    @property
    def interventions(self) -> tuple[Intervention, ...]:
        """What the site itself recorded as done, in order of time."""
        table = self._own.site.tables.get("intervention", pd.DataFrame(columns=["start_date", "label"]))
        known = table[table["start_date"].notna()].sort_values("start_date")
        return tuple(
            Intervention(number, start.date(), str(label))
            for number, (start, label) in enumerate(zip(known["start_date"], known["label"], strict=True), start=1)
        )

    def _line(self, measure: Measure, year: int, peer_group: str) -> MeasureLine:
        own = {item.stratum: item for item in self._own.of(measure, Period(year, 1, Grain.YEAR))}
        rows = {row.stratum: row for row in self._published(measure, year, peer_group)}
        strata = dict.fromkeys([*rows, *own]) or {ALL_CELL: None}
        lines = tuple(self._compared(measure, stratum, own.get(stratum), rows.get(stratum)) for stratum in strata)
        return MeasureLine(measure, lines, not self._own.missing_tables(measure))

    def _parts(self, measure: Measure, year: int, peer_group: str) -> Drawing | None:
        own = {item.stratum: item.value for item in self._own.of(measure, Period(year, 1, Grain.YEAR))}
        rows = [row for row in self._published(measure, year, peer_group) if row.value is not None]
        labels = [stratum_words(self._own.catalogue, measure, row.stratum) for row in rows]
        return drawings.cells(rows, labels, tuple(own.get(row.stratum) for row in rows)) if rows else None

    def _part_sentences(self, measure: Measure) -> tuple[str, ...]:
        told = (direction_sentence(measure), rules_sentence(self._own.catalogue, measure))
        return tuple(sentence for sentence in told if sentence)

    def _compared(self, measure: Measure, stratum: str, own: Own | None, row: BenchmarkRow | None) -> Line:
        comparison = compare(own, row)
        label = "" if stratum == ALL_CELL else stratum_words(self._own.catalogue, measure, stratum)
        published = row is not None and row.status is Status.OK and row.value is not None
        return Line(
            label=label,
            own="" if own is None or own.value is None else own_words(own, _shown_unit(measure)),
            chance=chance_sentence(measure, own),
            peers=drawings.figure_of(row) if row is not None and published else None,
            held_back="" if published else held_back_label(row, self._gate),
            standing="" if isinstance(measure.formula, UNTESTED) else _STANDINGS[comparison.standing],
            comparison=comparison,
        )

    def _sentences(self, measure: Measure, year: int, own: Own | None, row: BenchmarkRow | None) -> tuple[str, ...]:
        told = (
            own_sentence(self._own.catalogue, measure, own, when_words(measure, year)),
            chance_sentence(measure, own),
            peers_sentence(row, self._gate),
            "" if isinstance(measure.formula, UNTESTED) else standing_sentence(compare(own, row), row),
            _NEED_NOTE if isinstance(measure.formula, ShareOfNeed) else "",
            direction_sentence(measure),
            rules_sentence(self._own.catalogue, measure),
        )
        return tuple(sentence for sentence in told if sentence)

    def _years(self, measure: Measure, peer_group: str) -> Drawing | None:
        rows = [row for year in self.years for row in self._published(measure, year, peer_group, ALL_CELL)]
        if not any(row.value is not None for row in rows):
            return None
        return drawings.years(rows, tuple(self._own_value(measure, row) for row in rows))

    def _trend(self, measure: Measure) -> Drawing | None:
        """Published quarters or months with the own ones; where nothing is published, the own quarters alone."""
        rows = self._published_trend(measure)
        if rows:
            marks = self._marks(rows[0].period_start, rows[-1].period_end)
            return drawings.trend(rows, tuple(self._own_value(measure, row) for row in rows), marks)
        if not isinstance(measure.formula, Rate | Proportion | ReachedBy) or measure.publish.years > 1:
            return None
        quarters = [period for year in self._own.years[-4:] for period in periods_of(year, Grain.QUARTER)]
        own = tuple(next((item.value for item in self._own.of(measure, period)), None) for period in quarters)
        if sum(value is not None for value in own) < 4:
            return None
        marks = self._marks(quarters[0].start, quarters[-1].end)
        return drawings.own_history(quarters, own, measure.unit, marks)

    def _published_trend(self, measure: Measure) -> tuple[BenchmarkRow, ...]:
        return () if self._rows is None else self._rows.trend(measure.id)

    def _marks(self, first: date, last: date) -> tuple[Mark, ...]:
        return tuple(Mark(item.start, f"{item.number}") for item in self.interventions if first <= item.start <= last)

    def _history(self, measure: Measure, peer_group: str) -> Iterable[tuple[str, str, Figure | None]]:
        for year in self.years:
            row, own = self._whole(measure, year, peer_group)
            peers = drawings.figure_of(row) if row is not None and row.value is not None else None
            if peers is not None or (own is not None and own.value is not None):
                yield f"{year}", "" if own is None or own.value is None else own_words(own, measure.unit), peers

    def _own_value(self, measure: Measure, row: BenchmarkRow) -> float | None:
        period = _period_of(row)
        own = next((item for item in self._own.of(measure, period) if item.stratum == row.stratum), None)
        return None if own is None else own.value

    def _whole(self, measure: Measure, year: int, peer_group: str) -> tuple[BenchmarkRow | None, Own | None]:
        rows = self._published(measure, year, peer_group, ALL_CELL)
        own = [item for item in self._own.of(measure, Period(year, 1, Grain.YEAR)) if item.stratum == ALL_CELL]
        return (rows[0] if rows else None), (own[0] if own else None)

    def _published(
        self, measure: Measure, year: int, peer_group: str, stratum: str | None = None
    ) -> tuple[BenchmarkRow, ...]:
        rows = () if self._rows is None else self._rows.year(measure.id, year, peer_group)
        return tuple(row for row in rows if stratum in (None, row.stratum))

    @property
    def _gate(self) -> GateRules | None:
        return None if self._rows is None else self._rows.publication.gate


UNTESTED = (Context, ShareOfNeed)
_NEED_NOTE = "Both intervals hold the same uncertainty about need, so use (C1) is what can be compared."


def _shown_unit(measure: Measure) -> str:
    """A ratio needs no unit beside each number."""
    return "" if isinstance(measure.formula, RoleRatio) else measure.unit


_STANDINGS = {
    Standing.HIGHER: "Higher",
    Standing.LOWER: "Lower",
    Standing.CANNOT_TELL: "Cannot tell",
    Standing.NOT_TESTED: "Not tested",
    Standing.NO_OWN: "No own figure",
    Standing.NO_BENCHMARK: "No benchmark",
}


def _spread(row: BenchmarkRow | None, own: Own | None) -> Drawing | None:
    if row is None or row.value is None:
        return None
    return drawings.peers(row, None if own is None else own.value)


def _period_of(row: BenchmarkRow) -> Period:
    grain = Grain(row.grain)
    return next(period for period in periods_of(row.period_start.year, grain) if period.start == row.period_start)
