"""How far chance alone moves an exact figure: 95 % intervals for counts and shares, in closed form."""

from __future__ import annotations

import math

Interval = tuple[float, float]
_Z = 1.959964


def count_interval(count: int) -> Interval:
    """Byar's approximation to the exact Poisson limits (Breslow and Day 1987, volume II, page 69)."""
    lower = 0.0 if count == 0 else count * (1 - 1 / (9 * count) - _Z / (3 * math.sqrt(count))) ** 3
    above = count + 1
    return max(lower, 0.0), above * (1 - 1 / (9 * above) + _Z / (3 * math.sqrt(above))) ** 3


def share_interval(part: float, whole: float) -> Interval:
    """Wilson's score limits of part / whole (1927, JASA 22:209), between 0 and 1; (0, 1) without cases."""
    if whole <= 0:
        return 0.0, 1.0
    share = min(max(part / whole, 0.0), 1.0)
    centre = (share + _Z**2 / (2 * whole)) / (1 + _Z**2 / whole)
    half = _Z * math.sqrt(share * (1 - share) / whole + _Z**2 / (4 * whole**2)) / (1 + _Z**2 / whole)
    return max(centre - half, 0.0), min(centre + half, 1.0)
