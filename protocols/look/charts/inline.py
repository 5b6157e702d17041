"""Charts small enough to stand in a line of the overview: a glyph of the peers, a sparkline, a row of little bars."""

from __future__ import annotations

from dataclasses import dataclass

import altair as alt

from protocols.look.charts.series import Series
from protocols.look.charts.theme import (
    ACCENT,
    BAND,
    GRID,
    MUTED,
    NUMBERS,
    PEERS,
    SMALL_SIZE_PX,
    Margins,
    layered,
    over,
)

_GLYPH_HEIGHT_PX = 22
_SPARK_HEIGHT_PX = 30
_GLYPH_MARGINS = Margins(2, 2, 6, 17)
_SPARK_MARGINS = Margins(3, 3, 5, 3)


@dataclass(frozen=True)
class Glyph:
    """The pooled value with its interval over the middle half of the peers, which needs enough sites to be known."""

    value: float
    lower: float
    upper: float
    quartiles: tuple[float, float, float] | None
    axis_upper: float


@dataclass(frozen=True)
class Cells:
    """The shares of a histogram's cells, in the catalogue's order."""

    shares: tuple[float, ...]


def glyph_chart(subject: Glyph, width_px: int) -> alt.LayerChart:
    """Band: middle half of the sites; tick: median site; dot and line: pooled value with its interval."""
    top = subject.axis_upper
    axis = alt.Axis(
        title=None,
        values=[0, top / 2, top],
        format=NUMBERS,
        labelFontSize=SMALL_SIZE_PX,
        labelPadding=3,
        labelFlush=True,
    )
    scale = alt.Scale(domain=[0, top], nice=False)
    values = {"value": subject.value, "lower": max(subject.lower, 0.0), "upper": min(subject.upper, top)}
    if subject.quartiles is not None:
        values |= dict(zip(("p25", "p50", "p75"), subject.quartiles, strict=True))
    base = over([values]).encode(y=alt.value(_GLYPH_HEIGHT_PX / 2))

    def x(field: str) -> alt.X:
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    layers = []
    if subject.quartiles is not None:
        layers.append(base.mark_bar(color=BAND, height=16).encode(x=x("p25"), x2="p75:Q"))
        layers.append(base.mark_tick(color=PEERS, thickness=2, size=16).encode(x=x("p50")))
    layers.append(base.mark_rule(color=ACCENT, strokeWidth=2).encode(x=x("lower"), x2="upper:Q"))
    layers.append(base.mark_point(color=ACCENT, filled=True, opacity=1, size=46).encode(x=x("value")))
    return layered(layers, width_px, _GLYPH_HEIGHT_PX, _GLYPH_MARGINS)


def spark_chart(subject: Series, width_px: int) -> alt.LayerChart:
    """A line within its intervals, without axes; the last point is marked."""
    values = [
        {"at": index, "value": point.value, "lower": point.lower, "upper": point.upper}
        for index, point in enumerate(subject.points)
    ]
    last = [value for value in values if value["value"] is not None][-1:]
    x = alt.X("at:Q", axis=None, scale=alt.Scale(domain=[0, max(len(values) - 1, 1)], nice=False))

    def y(field: str) -> alt.Y:
        scale = alt.Scale(domain=[0, subject.axis_upper], nice=False)
        axis = alt.Axis(title=None, labels=False, values=[0], gridColor=GRID)
        return alt.Y(f"{field}:Q", scale=scale, axis=axis)

    base = over(values)
    band = base.mark_area(color=BAND).encode(x=x, y=y("lower"), y2="upper:Q")
    line = base.mark_line(color=ACCENT, strokeWidth=1.5).encode(x=x, y=y("value"))
    end = over(last).mark_point(color=ACCENT, filled=True, opacity=1, size=30)
    return layered([band, line, end.encode(x=x, y=y("value"))], width_px, _SPARK_HEIGHT_PX, _SPARK_MARGINS)


def cells_chart(subject: Cells, width_px: int) -> alt.LayerChart:
    """One bar per cell on a base line; the numbers stand beside it."""
    values = [{"cell": index, "share": max(share, 0.0)} for index, share in enumerate(subject.shares)]
    bars = (
        over(values)
        .mark_bar(color=BAND)
        .encode(
            x=alt.X("cell:O", axis=None, scale=alt.Scale(paddingInner=0.25)),
            y=alt.Y("share:Q", axis=alt.Axis(title=None, labels=False, values=[0], gridColor=MUTED)),
        )
    )
    return layered([bars], width_px, _SPARK_HEIGHT_PX, _SPARK_MARGINS)
