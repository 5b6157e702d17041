"""One look for all charts: a light grid, direct labels, one accent and greys that colour-blind readers tell apart.

Colours name variables of the style sheet, so that one drawing serves light, dark and printed pages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import altair as alt

ACCENT = "var(--accent)"
BAND = "var(--band)"
GRID = "var(--grid)"
INK = "var(--ink)"
MUTED = "var(--muted)"
PEERS = "var(--peers)"

FONT = "Liberation Sans, Arial, sans-serif"
LABEL_SIZE_PX = 12
SMALL_SIZE_PX = 10.5
NUMBERS = ",.6~r"  # 1,500 and 12.5: all digits that a tick needs, and no more


@dataclass(frozen=True)
class Margins:
    """Room around a plot for its labels, in pixels. It is fixed, because the server's fonts are not the reader's."""

    left: int
    top: int
    right: int
    bottom: int


def over(values: Sequence[object]) -> alt.Chart:
    """An empty chart over records written into the specification."""
    return alt.Chart(alt.Data(values=list(values)))  # type: ignore[no-untyped-call]


def layered(layers: Sequence[alt.Chart], width_px: int, height_px: int, margins: Margins) -> alt.LayerChart:
    """Layers from back to front; `width_px` is the whole drawing's width, `height_px` the height of its plot."""
    padding = {"left": margins.left, "top": margins.top, "right": margins.right, "bottom": margins.bottom}
    plot_px = width_px - margins.left - margins.right
    chart = alt.layer(*layers).properties(width=plot_px, height=height_px, padding=padding, autosize="none")
    return cast("alt.LayerChart", chart)


def styled(chart: alt.LayerChart) -> alt.LayerChart:
    """The chart with the shared configuration; the page supplies background, names and descriptions."""
    configured: alt.LayerChart = chart.configure(
        aria=False,
        background="transparent",
        font=FONT,
        axis=alt.AxisConfig(
            domain=False,
            ticks=False,
            gridColor=GRID,
            gridWidth=1,
            labelColor=MUTED,
            labelFontSize=LABEL_SIZE_PX,
            labelPadding=6,
            titleColor=MUTED,
            titleFontSize=LABEL_SIZE_PX,
            titleFontWeight="normal",
            titlePadding=8,
        ),
        view=alt.ViewConfig(stroke=None),
    )
    return configured


def nice_upper(largest: float) -> float:
    """The end of an axis from zero: the next round number that is not much larger."""
    if largest <= 0:
        return 1.0
    power = 1.0
    while power * 10 < largest:
        power *= 10
    while power > largest:
        power /= 10
    return next(step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= largest * 0.999)


def axis_upper(unit: str, largest: float) -> float:
    """Percentages run to 100 unless half of the axis would stay empty; everything else to the next round number."""
    if unit == "%" and 50 < largest <= 100:
        return 100.0
    return nice_upper(largest)
