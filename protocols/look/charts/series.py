"""A measure over time: years side by side, and the quarters or months within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import altair as alt

from protocols.look.charts.theme import ACCENT, BAND, INK, LABEL_SIZE_PX, NUMBERS, Margins, layered, over

_HEIGHT_PX = 200
_YEARS_MARGINS = Margins(48, 24, 8, 26)
_TREND_MARGINS = Margins(48, 24, 48, 26)


@dataclass(frozen=True)
class Point:
    """A period; the numbers are None where nothing is published, `text` labels the point."""

    start: date
    label: str
    value: float | None
    lower: float | None
    upper: float | None
    text: str


@dataclass(frozen=True)
class Series:
    """Points in order of time over a value axis from 0 to `axis_upper`."""

    points: tuple[Point, ...]
    axis_upper: float
    axis_title: str


def years_chart(subject: Series, width_px: int) -> alt.LayerChart:
    """One dot with its interval per year, labelled; a year without a figure keeps its place and stays empty."""
    base = _data(subject.points, subject.axis_upper)
    x = alt.X("label:O", sort=None, axis=alt.Axis(title=None, labelAngle=0, labelColor=INK, grid=False))
    rule = base.mark_rule(color=ACCENT, strokeWidth=2).encode(x=x, y=_y(subject, "lower"), y2="upper:Q")
    dot = base.mark_point(color=ACCENT, filled=True, opacity=1, size=64).encode(x=x, y=_y(subject, "value"))
    text = base.mark_text(color=INK, align="left", dx=9, fontSize=LABEL_SIZE_PX)
    labels = text.encode(x=x, y=_y(subject, "value"), text="text:N")
    return layered([rule, dot, labels], width_px, _HEIGHT_PX, _YEARS_MARGINS)


def trend_chart(subject: Series, width_px: int) -> alt.LayerChart:
    """A line within the band of its intervals, broken where nothing is published; the last value is labelled."""
    base = _data(subject.points, subject.axis_upper)
    axis = alt.Axis(title=None, format="%Y", tickCount=alt.TimeIntervalStep("year", 1), grid=True, labelAlign="left")
    x = alt.X("start:T", scale=alt.Scale(type="utc"), axis=axis)
    band = base.mark_area(color=BAND, line=False).encode(x=x, y=_y(subject, "lower"), y2="upper:Q")
    line = base.mark_line(color=ACCENT, strokeWidth=2).encode(x=x, y=_y(subject, "value"))
    dots = base.mark_point(color=ACCENT, filled=True, opacity=1, size=26).encode(x=x, y=_y(subject, "value"))
    last = [point for point in subject.points if point.value is not None][-1:]
    text = _data(last, subject.axis_upper).mark_text(color=INK, align="left", dx=8, fontSize=LABEL_SIZE_PX)
    labels = text.encode(x=x, y=_y(subject, "value"), text="text:N")
    return layered([band, line, dots, labels], width_px, _HEIGHT_PX, _TREND_MARGINS)


def _data(points: Sequence[Point], axis_upper: float) -> alt.Chart:
    values = [
        {
            "start": point.start.isoformat(),
            "label": point.label,
            "value": point.value,
            "lower": None if point.lower is None else max(point.lower, 0.0),
            "upper": None if point.upper is None else min(point.upper, axis_upper),
            "text": point.text,
        }
        for point in points
    ]
    return over(values)


def _y(subject: Series, field: str) -> alt.Y:
    axis = alt.Axis(
        title=subject.axis_title,
        titleAngle=0,
        titleAlign="left",
        titleAnchor="start",
        titleY=-12,
        titleX=0,
        titleBaseline="bottom",
        tickCount=4,
        format=NUMBERS,
    )
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[0, subject.axis_upper], nice=False), axis=axis)
