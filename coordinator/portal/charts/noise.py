"""What a noised count can be: the chances of the discrete Gaussian around a true count."""

from __future__ import annotations

import math
from dataclasses import dataclass

import altair as alt

from coordinator.portal.charts.theme import ACCENT, INK, PEERS, layered, over

_HEIGHT_PX = 130
_REACH_SDS = 3.2


@dataclass(frozen=True)
class Noise:
    """A true count and the standard deviation of the noise on it."""

    count: int
    sd: float


def noise_chart(subject: Noise, width_px: int) -> alt.LayerChart:
    """One bar per number that could be sent, the true count in the accent colour."""
    reach = math.floor(_REACH_SDS * subject.sd)
    weights = {k: math.exp(-(k**2) / (2 * subject.sd**2)) for k in range(-reach, reach + 1)}
    total = sum(weights.values())
    values = [
        {
            "sent": subject.count + k,
            "chance": 100 * weight / total,
            "colour": ACCENT if k == 0 else PEERS,
            "text": "true count" if k == 0 else "",
        }
        for k, weight in weights.items()
    ]
    first, last = subject.count - reach, subject.count + reach
    scale = alt.Scale(domain=[first - 1, last + 1], nice=False)
    axis = alt.Axis(title="number that is sent", grid=False, tickCount=8, format="d")
    base = over(values).encode(x=alt.X("sent:Q", scale=scale, axis=axis))
    chance = alt.Y("chance:Q", axis=None)
    bars = base.mark_bar(size=0.6 * (width_px - 20) / (last - first)).encode(
        y=chance, color=alt.Color("colour:N", scale=None, legend=None)
    )
    label = base.mark_text(dy=-8, color=INK, fontSize=12).encode(y=chance, text="text:N")
    return layered([bars, label], width_px - 20, _HEIGHT_PX)
