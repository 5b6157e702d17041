"""The example by which the page on protection explains noise: one count, and the sum of the same count over sites."""

from __future__ import annotations

import math
from dataclasses import dataclass

from protocols.look.charts.noise import Noise, chance, noise_chart
from protocols.look.charts.render import draw, svg_element
from protocols.look.drawings import NARROW_PX, WIDE_PX, Drawing

TRUE_COUNT = 30
NOISE_SD = 5.0
SITES = 16


@dataclass(frozen=True)
class NoiseExample:
    """A site with `count` cases sends it with noise of `sd`: `within_percent` of the time from `low` to `high`.

    `sites` such sites together have noise of `pooled_sd`.
    """

    count: int
    sd: float
    low: int
    high: int
    within_percent: int
    sites: int
    pooled_count: int
    pooled_sd: float
    drawing: Drawing

    @property
    def share(self) -> str:
        """Noise of one site in percent of its count."""
        return f"{100 * self.sd / self.count:.0f} %"

    @property
    def pooled_share(self) -> str:
        """Noise of all sites together in percent of their count."""
        return f"{100 * self.pooled_sd / self.pooled_count:.0f} %"


def noise_example() -> NoiseExample:
    """Thirty clinicians and a noise of standard deviation 5, the size of a yearly count's at a usual budget."""
    reach = round(2 * NOISE_SD)
    low, high = TRUE_COUNT - reach, TRUE_COUNT + reach
    within_percent = round(100 * sum(chance(k, NOISE_SD) for k in range(-reach, reach + 1)))
    words = (
        f"Chance of each number that a site with {TRUE_COUNT} cases could send, a bell around {TRUE_COUNT}: "
        f"about {within_percent} in 100 times between {low} and {high}"
    )
    subject = Noise(TRUE_COUNT, NOISE_SD)
    drawing = Drawing(*(svg_element(draw(noise_chart, subject, px), words, "chart") for px in (WIDE_PX, NARROW_PX)))
    pooled_sd = NOISE_SD * math.sqrt(SITES)
    return NoiseExample(TRUE_COUNT, NOISE_SD, low, high, within_percent, SITES, TRUE_COUNT * SITES, pooled_sd, drawing)
