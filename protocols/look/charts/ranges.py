"""Estimates with their intervals, one per line: peers' percentiles, peer groups, the cells of a histogram."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt

from protocols.look.charts.theme import (
    ACCENT,
    BAND,
    INK,
    LABEL_SIZE_PX,
    MUTED,
    NUMBERS,
    PEERS,
    Margins,
    layered,
    over,
)

_LINE_PX = 34
_LINE_WITH_LABEL_PX = 50
_LABELS_PX = 212
_VALUES_PX = 138
_NARROW_PX = 480


@dataclass(frozen=True)
class Line:
    """One estimate; `text` is printed beside it, `accent` marks the figure that the page is about.

    `own` is a hospital's own figure beside this estimate, drawn as a diamond.
    """

    label: str
    value: float
    lower: float
    upper: float
    text: str
    accent: bool
    own: float | None = None


@dataclass(frozen=True)
class Ranges:
    """Lines over a common axis from 0 to `axis_upper`. `band` shades a range of peers; `bars` draws from zero.

    `own` is a hospital's own figure, drawn as one line across all of them.
    """

    lines: tuple[Line, ...]
    axis_upper: float
    axis_title: str
    band: tuple[float, float] | None = None
    bars: bool = False
    own: float | None = None


def ranges_chart(subject: Ranges, width_px: int) -> alt.LayerChart:
    """Labels at the left, values at the right; on narrow pages the labels stand above their lines."""
    narrow = width_px < _NARROW_PX
    labels_px = 4 if narrow else _LABELS_PX
    height_px = len(subject.lines) * (_LINE_WITH_LABEL_PX if narrow else _LINE_PX)
    layers = [*_band(subject), *_bars(subject), *_own(subject), *_marks(subject)]
    layers += [*_diamonds(subject), _labels(subject, labels_px, narrow), _values(subject)]
    return layered(layers, width_px, height_px, Margins(labels_px, 2, _VALUES_PX, 44))


def _data(subject: Ranges) -> alt.Chart:
    values = [
        {
            "line": index,
            "label": line.label,
            "text": line.text,
            "value": line.value,
            "lower": max(line.lower, 0.0),
            "upper": min(line.upper, subject.axis_upper),
            "colour": ACCENT if line.accent else PEERS,
            "own": None if line.own is None else min(line.own, subject.axis_upper),
        }
        for index, line in enumerate(subject.lines)
    ]
    y = alt.Y("line:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    return over(values).encode(y=y)


def _x(subject: Ranges, field: str) -> alt.X:
    axis = alt.Axis(title=subject.axis_title, tickCount=5, format=NUMBERS, labelFlush=True)
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, subject.axis_upper], nice=False), axis=axis)


def _colour() -> alt.Color:
    return alt.Color("colour:N", scale=None, legend=None)


def _band(subject: Ranges) -> list[alt.Chart]:
    if subject.band is None:
        return []
    low, high = subject.band
    data = over([{"low": max(low, 0.0), "high": min(high, subject.axis_upper)}])
    return [data.mark_rect(color=BAND).encode(x=_x(subject, "low"), x2="high:Q")]


def _bars(subject: Ranges) -> list[alt.Chart]:
    if not subject.bars:
        return []
    return [_data(subject).mark_bar(color=BAND, height=16).encode(x=_x(subject, "value"), x2=alt.datum(0))]


def _own(subject: Ranges) -> list[alt.Chart]:
    if subject.own is None:
        return []
    rule = over([{"own": min(subject.own, subject.axis_upper)}]).mark_rule(color=INK, strokeWidth=2, strokeDash=[6, 3])
    return [rule.encode(x=_x(subject, "own"))]


def _marks(subject: Ranges) -> list[alt.Chart]:
    base = _data(subject)
    rule = base.mark_rule(strokeWidth=2).encode(x=_x(subject, "lower"), x2="upper:Q", color=_colour())
    point = base.mark_point(filled=True, opacity=1, size=58).encode(x=_x(subject, "value"), color=_colour())
    return [rule, point]


def _diamonds(subject: Ranges) -> list[alt.Chart]:
    if all(line.own is None for line in subject.lines):
        return []
    mark = _data(subject).mark_point(shape="diamond", filled=True, color=INK, opacity=1, size=80)
    return [mark.encode(x=_x(subject, "own"))]


def _labels(subject: Ranges, labels_px: int, narrow: bool) -> alt.Chart:
    text = _data(subject).mark_text(
        align="left", baseline="middle", dy=-17 if narrow else 0, color=INK, fontSize=LABEL_SIZE_PX
    )
    labels: alt.Chart = text.encode(x=alt.value(-labels_px), text="label:N")
    return labels


def _values(subject: Ranges) -> alt.Chart:
    right = alt.value(alt.expr("width + 12"))
    text = _data(subject).mark_text(align="left", baseline="middle", color=MUTED, fontSize=LABEL_SIZE_PX)
    values: alt.Chart = text.encode(x=right, text="text:N")
    return values
