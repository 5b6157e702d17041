"""What a noised count can be: the chances of the discrete Gaussian around a true count."""

from __future__ import annotations

import math
from dataclasses import dataclass

import altair as alt

from protocols.look.charts.theme import ACCENT, BAND, INK, Margins, layered, over

_HEIGHT_PX = 130
_REACH_SDS = 3.2
_MARGINS = Margins(4, 20, 4, 44)


@dataclass(frozen=True)
class Noise:
    """A true count and the standard deviation of the noise on it."""

    count: int
    sd: float


def chance(noise: int, sd: float) -> float:
    """The probability of this noise: exp(-k^2 / 2 sd^2) over the sum of the same for all whole numbers."""
    reach = math.ceil(12 * sd)
    total = sum(math.exp(-(k**2) / (2 * sd**2)) for k in range(-reach, reach + 1))
    return math.exp(-(noise**2) / (2 * sd**2)) / total


def noise_chart(subject: Noise, width_px: int) -> alt.LayerChart:
    """One bar per number that could be sent, the true count in the accent colour."""
    reach = math.floor(_REACH_SDS * subject.sd)
    values = [
        {
            "sent": subject.count + k,
            "chance": chance(k, subject.sd),
            "colour": ACCENT if k == 0 else BAND,
            "text": "true count" if k == 0 else "",
        }
        for k in range(-reach, reach + 1)
    ]
    first, last = subject.count - reach, subject.count + reach
    scale = alt.Scale(domain=[first - 1, last + 1], nice=False)
    axis = alt.Axis(title="number that is sent", grid=False, tickCount=8, format="d")
    base = over(values).encode(x=alt.X("sent:Q", scale=scale, axis=axis))
    y = alt.Y("chance:Q", axis=None)
    bars = base.mark_bar(size=0.7 * width_px / (last - first)).encode(
        y=y, color=alt.Color("colour:N", scale=None, legend=None)
    )
    label = base.mark_text(dy=-8, color=INK, fontSize=12).encode(y=y, text="text:N")
    return layered([bars, label], width_px, _HEIGHT_PX, _MARGINS)
