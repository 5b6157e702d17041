"""A measure over time: years side by side, and the quarters or months within them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import altair as alt

from protocols.look.charts.theme import ACCENT, BAND, INK, LABEL_SIZE_PX, MUTED, NUMBERS, Margins, layered, over

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
class Mark:
    """Something that began on a day, drawn as a numbered line through the chart."""

    start: date
    label: str


@dataclass(frozen=True)
class Series:
    """Points in order of time over a value axis from 0 to `axis_upper`.

    `own` are a hospital's own figures in the same periods, None where there is none; empty without them.
    """

    points: tuple[Point, ...]
    axis_upper: float
    axis_title: str
    own: tuple[float | None, ...] = ()
    marks: tuple[Mark, ...] = ()


def years_chart(subject: Series, width_px: int) -> alt.LayerChart:
    """One dot with its interval per year, labelled; a year without a figure keeps its place and stays empty."""
    base = _data(subject.points, subject.axis_upper)
    order = [point.label for point in subject.points]
    x = alt.X(
        "label:O",
        sort=order,
        scale=alt.Scale(domain=order),
        axis=alt.Axis(title=None, labelAngle=0, labelColor=INK, grid=False),
    )
    rule = base.mark_rule(color=ACCENT, strokeWidth=2).encode(x=x, y=_y(subject, "lower"), y2="upper:Q")
    dot = base.mark_point(color=ACCENT, filled=True, opacity=1, size=64).encode(x=x, y=_y(subject, "value"))
    text = base.mark_text(color=INK, align="left", dx=9, fontSize=LABEL_SIZE_PX)
    labels = text.encode(x=x, y=_y(subject, "value"), text="text:N")
    return layered([rule, dot, labels, *_own_marks(subject, x)], width_px, _HEIGHT_PX, _YEARS_MARGINS)


def _own_marks(subject: Series, x: alt.X) -> list[alt.Chart]:
    if not subject.own:
        return []
    mark = _own(subject).mark_point(shape="diamond", filled=True, color=INK, opacity=1, size=90)
    return [mark.encode(x=x, y=_y(subject, "value"))]


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
    layers = [band, *_marks(subject, x), line, dots, labels, *_own_line(subject, x)]
    return layered(layers, width_px, _HEIGHT_PX, _TREND_MARGINS)


def _marks(subject: Series, x: alt.X) -> list[alt.Chart]:
    if not subject.marks:
        return []
    base = over([{"start": mark.start.isoformat(), "text": mark.label} for mark in subject.marks])
    rule = base.mark_rule(color=MUTED, strokeDash=[2, 3]).encode(x=x)
    text = base.mark_text(color=MUTED, align="left", baseline="top", dx=4, fontSize=LABEL_SIZE_PX)
    return [rule, text.encode(x=x, y=alt.value(0), text="text:N")]


def _own_line(subject: Series, x: alt.X) -> list[alt.Chart]:
    if not subject.own:
        return []
    base = _own(subject)
    line = base.mark_line(color=INK, strokeWidth=2, strokeDash=[6, 3]).encode(x=x, y=_y(subject, "value"))
    dots = base.mark_point(shape="diamond", filled=True, color=INK, opacity=1, size=40)
    return [line, dots.encode(x=x, y=_y(subject, "value"))]


def _own(subject: Series) -> alt.Chart:
    values = [
        {"start": point.start.isoformat(), "label": point.label, "value": value}
        for point, value in zip(subject.points, subject.own, strict=True)
    ]
    return over(values)


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
