"""The page of all measures at a glance: one line per measure, for one year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from protocols.catalogue.model import Catalogue, Context, Histogram, Measure, Panel
from protocols.catalogue.words import DIRECTIONS, stratum_words
from protocols.look import drawings
from protocols.look.numbers import Figure
from protocols.publication.change import change
from protocols.publication.index import Rows, only
from protocols.publication.rows import BenchmarkRow, Status
from protocols.publication.words import READING_NOTES, StatusWords, change_words, sites_words, status_words

_SHARES_SHOWN = 3


@dataclass(frozen=True)
class Share:
    """A cell of a histogram with its figure."""

    label: str
    figure: Figure


@dataclass(frozen=True)
class MeasureLine:
    """A measure in one year. Either a figure, or shares, or the reason why neither is shown.

    A `declared` figure is a public fact: its interval is what rounding leaves open, and there is no noise in it.
    """

    measure: Measure
    direction: str
    figure: Figure | None = None
    shares: tuple[Share, ...] = ()
    n_other_shares: int = 0
    held_back: StatusWords | None = None
    spread: Markup | None = None
    quartiles: bool = False
    declared: bool = False
    spark: Markup | None = None
    spark_span: str = ""
    change: str = ""
    sites: str = ""


@dataclass(frozen=True)
class GroupOfLines:
    """The measures of one group of the catalogue, with a note on how to read them."""

    title: str
    note: str
    lines: tuple[MeasureLine, ...]


@dataclass(frozen=True)
class Overview:
    """All groups for `year`, with the other years that can be chosen."""

    year: int
    years: tuple[int, ...]
    groups: tuple[GroupOfLines, ...]
    n_shown: int


def overview(rows: Rows, catalogue: Catalogue, year: int) -> Overview:
    """Every measure that the publication knows, in `year`."""
    known = {row.measure for row in rows.publication.rows}
    measures = [measure for measure in catalogue.measures if measure.id in known]
    lines = [_line(rows, catalogue, measure, year) for measure in measures]
    titles = dict.fromkeys(measure.group for measure in measures)
    groups = tuple(
        GroupOfLines(title, READING_NOTES.get(title, ""), tuple(line for line in lines if line.measure.group == title))
        for title in titles
    )
    return Overview(year, rows.years, groups, sum(line.held_back is None for line in lines))


def _line(rows: Rows, catalogue: Catalogue, measure: Measure, year: int) -> MeasureLine:
    found = rows.year(measure.id, year)
    if isinstance(measure.formula, Histogram | Panel):
        return _histogram_line(rows, catalogue, measure, found)
    row = only(found)
    if row is None or row.status is not Status.OK:
        return _held_back(rows, measure, Status.NOT_RUN if row is None else row.status)
    declared = isinstance(measure.formula, Context)
    before = only(rows.year(measure.id, year - 1))
    trend = _between_shown(rows.trend(measure.id) or rows.series(measure.id, "year"))
    return MeasureLine(
        measure=measure,
        direction=DIRECTIONS[measure.direction],
        figure=drawings.figure_of(row),
        spread=None if declared else drawings.glyph(row),
        declared=declared,
        quartiles=bool(row.percentiles),
        spark=drawings.spark(trend) if trend else None,
        spark_span=_span(trend),
        change=change_words(change(row, before), year - 1),
        sites=sites_words(row.n_sites),
    )


def _histogram_line(rows: Rows, catalogue: Catalogue, measure: Measure, found: Sequence[BenchmarkRow]) -> MeasureLine:
    shown = [row for row in found if row.status is Status.OK]
    if not shown:
        return _held_back(rows, measure, found[0].status if found else Status.NOT_RUN)
    labels = [stratum_words(catalogue, measure, row.stratum) for row in shown]
    shares = [Share(label, drawings.figure_of(row)) for label, row in zip(labels, shown, strict=True)]
    order = sorted(range(len(shown)), key=lambda index: -(shown[index].value or 0.0))
    return MeasureLine(
        measure=measure,
        direction=DIRECTIONS[measure.direction],
        shares=tuple(shares[index] for index in order[:_SHARES_SHOWN]),
        n_other_shares=max(len(shown) - _SHARES_SHOWN, 0),
        spread=drawings.little_bars(shown, labels),
        change="Share by share",
        sites=sites_words(shown[0].n_sites),
    )


def _held_back(rows: Rows, measure: Measure, status: Status) -> MeasureLine:
    words = status_words(status, rows.publication.gate)
    return MeasureLine(measure, DIRECTIONS[measure.direction], held_back=words)


def _between_shown(series: Sequence[BenchmarkRow]) -> Sequence[BenchmarkRow]:
    """From the first published period to the last; nothing if fewer than two are published."""
    shown = [index for index, row in enumerate(series) if row.status is Status.OK]
    return series[shown[0] : shown[-1] + 1] if len(shown) >= 2 else ()


def _span(trend: Sequence[BenchmarkRow]) -> str:
    if not trend:
        return ""
    years = f"{trend[0].period_start.year}–{trend[-1].period_end.year % 100:02d}"
    return years if trend[0].grain == "year" else f"{trend[0].grain}s {years}"
