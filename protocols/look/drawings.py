"""From published rows to drawings: which chart shows what, with the description that stands for it without eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median_high

from markupsafe import Markup

from protocols.look.charts.inline import Cells, Glyph, cells_chart, glyph_chart, spark_chart
from protocols.look.charts.ranges import Line, Ranges, ranges_chart
from protocols.look.charts.render import draw, svg_element
from protocols.look.charts.series import Mark, Point, Series, trend_chart, years_chart
from protocols.look.charts.theme import axis_upper
from protocols.look.numbers import Figure, decimals, figure
from protocols.periods import Period
from protocols.publication.rows import BenchmarkRow
from protocols.publication.words import peer_group_words, percentile_words, period_words

Own = tuple[float | None, ...]

WIDE_PX = 580
NARROW_PX = 340
_TREND_PX = 1040
_GLYPH_PX = 190
_SPARK_PX = 104


@dataclass(frozen=True)
class Drawing:
    """The same chart drawn for a desk and for a phone; the style sheet shows one of them."""

    wide: Markup
    narrow: Markup


def glyph(row: BenchmarkRow) -> Markup:
    """The pooled value over the quartiles of the sites, for the overview."""
    value, lower, upper = _numbers(row)
    quartiles = {percentile.level: percentile.value for percentile in row.percentiles}
    known = (quartiles[25], quartiles[50], quartiles[75]) if {25, 50, 75} <= quartiles.keys() else None
    largest = max([upper, *(known or ())])
    subject = Glyph(value, lower, upper, known, axis_upper(row.unit, largest))
    words = f"All sites pooled {figure_of(row).sentence}"
    if known is not None:
        middle = figure(known[1], known[0], known[2], row.unit)
        words += f"; middle half of the sites {middle.interval}, median site {middle.value}"
    return svg_element(draw(glyph_chart, subject, _GLYPH_PX), words, "glyph")


def spark(rows: Sequence[BenchmarkRow]) -> Markup:
    """A sparkline over a series' periods."""
    words = f"{period_words(rows[0])} to {period_words(rows[-1])}: {_told(rows)}"
    return svg_element(draw(spark_chart, _series(rows), _SPARK_PX), words, "glyph")


def little_bars(rows: Sequence[BenchmarkRow], labels: Sequence[str]) -> Markup:
    """The shares of a histogram's cells, for the overview."""
    words = "; ".join(
        f"{label} {figure_of(row).sentence}" for row, label in zip(rows, labels, strict=True) if row.value is not None
    )
    shares = tuple(row.value or 0.0 for row in rows)
    return svg_element(draw(cells_chart, Cells(shares), _GLYPH_PX), words, "glyph")


def peers(row: BenchmarkRow, own: float | None = None) -> Drawing:
    """The percentiles of the sites with their intervals, and the pooled value among them; a hospital's own over all."""
    levels = {percentile.level: percentile for percentile in row.percentiles}
    places = places_of([row])
    lines = [_line(f"{peer_group_words(row.peer_group)} pooled", _numbers(row), row.unit, places, accent=True)]
    for level, item in sorted(levels.items()):
        numbers = (item.value, item.lower, item.upper)
        lines.append(_line(percentile_words(level), numbers, row.unit, places, accent=False))
    band = (levels[25].value, levels[75].value) if {25, 75} <= levels.keys() else None
    return _ranges(lines, row.unit, band=band, own=own)


def groups(rows: Sequence[BenchmarkRow]) -> Drawing:
    """The pooled values of the peer groups that are published."""
    shown = [row for row in rows if row.value is not None]
    places = places_of(shown)
    lines = [
        _line(peer_group_words(row.peer_group), _numbers(row), row.unit, places, accent=row.peer_group == "all")
        for row in shown
    ]
    return _ranges(lines, shown[0].unit)


def cells(rows: Sequence[BenchmarkRow], labels: Sequence[str], own: Own = ()) -> Drawing:
    """The shares of a histogram's cells as bars with intervals; a hospital's own shares as diamonds."""
    lines = [
        replace(_line(label, _numbers(row), row.unit, places_of(rows), accent=True), own=mine)
        for row, label, mine in zip(rows, labels, own or [None] * len(rows), strict=True)
        if row.value is not None
    ]
    return _ranges(lines, rows[0].unit, bars=True)


def years(rows: Sequence[BenchmarkRow], own: Own = ()) -> Drawing:
    """Years side by side with their intervals; a hospital's own figures of the same years as diamonds."""
    words = f"Years side by side with intervals: {_told(rows)}{_own_told(rows, own)}"
    subject = _series(rows, own)
    return Drawing(*(svg_element(draw(years_chart, subject, px), words, "chart") for px in (WIDE_PX, NARROW_PX)))


def own_history(periods: Sequence[Period], own: Own, unit: str, marks: tuple[Mark, ...] = ()) -> Drawing:
    """A hospital's own figures alone, over years or quarters, where nothing is published beside them."""
    points = tuple(Point(period.start, period.name, None, None, None, "") for period in periods)
    subject = Series(points, axis_upper(unit, max((v for v in own if v is not None), default=1.0)), unit, own, marks)
    told = [f"{p.name} {figure(v, None, None, unit).value}" for p, v in zip(periods, own, strict=True) if v is not None]
    words = f"This hospital in {unit}: {'; '.join(told)}" + "".join(f"; {m.label} began on {m.start}" for m in marks)
    return Drawing(*(svg_element(draw(trend_chart, subject, px), words, "chart") for px in (_TREND_PX, NARROW_PX)))


def trend(rows: Sequence[BenchmarkRow], own: Own = (), marks: tuple[Mark, ...] = ()) -> Drawing:
    """Quarters or months as a line with its band of 95 % intervals; a hospital's own figures as a second line."""
    words = f"{period_words(rows[0])} to {period_words(rows[-1])} with 95 % intervals: {_told(rows)}"
    words += _own_told(rows, own) + "".join(f"; {mark.label} began on {mark.start}" for mark in marks)
    subject = _series(rows, own, marks)
    return Drawing(*(svg_element(draw(trend_chart, subject, px), words, "chart") for px in (_TREND_PX, NARROW_PX)))


def places_of(rows: Sequence[BenchmarkRow]) -> int:
    """Decimal places for figures that stand in one table: those that half of them support; 0 without figures."""
    places = [decimals(row.value, row.lower, row.upper) for row in rows if row.value is not None]
    return median_high(places) if places else 0


def figure_of(row: BenchmarkRow, places: int | None = None) -> Figure:
    """The figure of a published row; ValueError for a row that is held back."""
    if row.value is None:
        raise ValueError(f"the row of {row.measure} for {row.peer_group} is held back: {row.status}")
    return figure(row.value, row.lower, row.upper, row.unit, places)


def _numbers(row: BenchmarkRow) -> tuple[float, float, float]:
    if row.value is None:
        raise ValueError(f"the row of {row.measure} for {row.peer_group} is held back: {row.status}")
    lower = row.value if row.lower is None else row.lower
    upper = row.value if row.upper is None else row.upper
    return row.value, lower, upper


def _line(label: str, numbers: tuple[float, float, float], unit: str, places: int, *, accent: bool) -> Line:
    value, lower, upper = numbers
    shown = figure(value, lower, upper, unit, places)
    text = f"{shown.value} ({shown.interval})" if shown.interval else shown.value
    return Line(label, value, lower, upper, text, accent)


def _ranges(
    lines: Sequence[Line],
    unit: str,
    *,
    band: tuple[float, float] | None = None,
    bars: bool = False,
    own: float | None = None,
) -> Drawing:
    heights = [line.upper for line in lines] + [line.own for line in lines if line.own is not None]
    largest = max([*heights, *([] if own is None else [own])])
    subject = Ranges(tuple(lines), axis_upper(unit, largest), unit, band, bars, own)
    words = "; ".join(f"{line.label} {line.text}" for line in lines)
    description = f"Values in {unit} with intervals: {words}"
    if own is not None:
        description += f"; this hospital {figure(own, None, None, unit).value}"
    return Drawing(*(svg_element(draw(ranges_chart, subject, px), description, "chart") for px in (WIDE_PX, NARROW_PX)))


def _series(rows: Sequence[BenchmarkRow], own: Own = (), marks: tuple[Mark, ...] = ()) -> Series:
    places = places_of(rows)
    points = tuple(
        Point(
            row.period_start,
            period_words(row),
            row.value,
            row.value if row.lower is None else row.lower,
            row.value if row.upper is None else row.upper,
            figure_of(row, places).value if row.value is not None else "",
        )
        for row in rows
    )
    heights = [point.upper for point in points if point.upper is not None]
    heights += [value for value in own if value is not None]
    return Series(points, axis_upper(rows[0].unit, max(heights, default=1.0)), rows[0].unit, own, marks)


def _own_told(rows: Sequence[BenchmarkRow], own: Own) -> str:
    told = [
        f"{period_words(row)} {figure(value, None, None, row.unit).value}"
        for row, value in zip(rows, own, strict=False)
        if value is not None
    ]
    return f"; this hospital: {', '.join(told)}" if told else ""


def _told(rows: Sequence[BenchmarkRow]) -> str:
    places = places_of(rows)
    return "; ".join(
        f"{period_words(row)} {figure_of(row, places).value if row.value is not None else 'not shown'}" for row in rows
    )
