"""Numbers as a careful statistician prints them: with the digits that intervals support, never a negative count."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z_95 = 1.959964


@dataclass(frozen=True)
class Figure:
    """An estimate with its 95 % interval as text, ready to print; `interval` is empty for a figure without noise."""

    value: str
    interval: str
    unit: str

    @property
    def sentence(self) -> str:
        """`64 % (95 % interval 60 to 68)`."""
        amount = f"{self.value} {self.unit}"
        return f"{amount} (95 % interval {self.interval})" if self.interval else amount


def figure(value: float, lower: float | None, upper: float | None, unit: str, places: int | None = None) -> Figure:
    """Round an estimate and its interval alike; a table hands in the `places` that all of it shares."""
    if places is None:
        places = decimals(value, lower, upper)
    if lower is None or upper is None or lower == upper:
        return Figure(number(value, places), "", unit)
    return Figure(number(value, places), f"{number(lower, places)} to {number(upper, places)}", unit)


def decimals(value: float, lower: float | None, upper: float | None) -> int:
    """Decimal places 0 to 2: two digits of the half-width if it starts with 1 to 3, else one digit.

    Without an interval, whole numbers from 100 up and one place below.
    """
    if lower is None or upper is None or upper <= lower:
        return 0 if abs(value) >= 100 else 1
    half = (upper - lower) / 2
    magnitude = math.floor(math.log10(half))
    leading = half / 10**magnitude
    return min(max(-magnitude + (1 if leading < 3.55 else 0), 0), 2)


def number(value: float, places: int) -> str:
    """With thousands separators. Noise can push an estimate or a limit below zero; what is counted cannot be, so 0."""
    return f"{max(value, 0.0):,.{places}f}"


def narrower_without_noise(lower: float, upper: float, noise_sd: float) -> float:
    """The share (0 to 1) by which an interval would shrink if there were no privacy noise: 1 - sqrt(1 - noise/total).

    Both variances are read as those of a normal estimate; a share of 1 says that the interval is all noise.
    """
    total = (upper - lower) / (2 * _Z_95)
    if total <= 0:
        return 0.0
    return 1 - math.sqrt(max(0.0, 1 - (noise_sd / total) ** 2))
