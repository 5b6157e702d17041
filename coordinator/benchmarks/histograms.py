"""Shares and quantiles of durations from noisy bins.

A `Curve` is how many of the cases were over by each edge, as a signed noisy number with its gradient in the
released cells; the gradient turns the noise of independent cells into the noise of any linear form. Cells of
several sites are added before they come here (variances add).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from coordinator.benchmarks.pooled import Z95, Estimate, NoisyRatio, NoisySum, share_estimate

Floats = NDArray[np.float64]

_STEPS_PER_BIN = 32


@dataclass(frozen=True)
class Curve:
    """Cases over by each of `times`, out of `total` cases in `cells` cells with noise `variance` each.

    Shapes: times, over, effective_n (points,); gradient (points, cells), the derivative of `over` by each
    cell. `edges` are the bins' edges that the curve reaches; `horizon` is the last edge of the tally, beyond
    which nothing is known.
    """

    times: Floats
    over: Floats
    gradient: Floats
    effective_n: Floats
    total: float
    variance: float
    edges: Floats
    horizon: float

    def ratio(self, point: int) -> NoisyRatio:
        """The share over by times[point], with the noise of both its parts."""
        gradient = self.gradient[point]
        return NoisyRatio(
            part=float(self.over[point]),
            whole=self.total,
            effective_n=float(self.effective_n[point]),
            part_variance=self.variance * float(gradient @ gradient),
            covariance=self.variance * float(gradient.sum()),
            whole_variance=self.variance * gradient.size,
        )

    @property
    def drowned(self) -> bool:
        """Whether the total is no denominator."""
        return NoisySum(self.total, self.variance * self.gradient.shape[1]).drowned


def inside_bins(edges: Floats) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Points for interpolation: times, the bin (0-based) of each, and the share of the bin's cases over by
    then.

    Within a bin the cases are taken as evenly spread over log time, in the first bin (from 0) over time:
    waiting times fall off to the right, and spreading them over plain time puts a median of 20 hours in a bin
    of 12 to 24 at 20.8.
    """
    bins = edges.size - 1
    share = np.tile(np.arange(_STEPS_PER_BIN) / _STEPS_PER_BIN, bins)
    index = np.repeat(np.arange(bins), _STEPS_PER_BIN)
    share, index = np.append(share, 1.0), np.append(index, bins - 1)
    return _time_at(edges, index, share), index, share


def _time_at(edges: Floats, index: NDArray[np.int64], share: Floats) -> Floats:
    low, high = edges[index], edges[index + 1]
    rising = np.where(low > 0, low, high)
    times: Floats = np.where(low > 0, rising * (high / rising) ** share, low + share * (high - low))
    return times


def histogram_curve(edges: Floats, cells: Floats, variance: float) -> Curve:
    """Curve of a tally without censoring; `cells` are the bins in order and then `beyond`, shape (bins + 1,)."""
    times, index, share = inside_bins(edges)
    bins = np.arange(cells.size)
    gradient = np.clip(index[:, None] + share[:, None] - bins[None, :], 0.0, 1.0)
    total = float(cells.sum())
    effective_n = np.full(times.size, max(total, 1.0))
    return Curve(times, gradient @ cells, gradient, effective_n, total, variance, edges, float(edges[-1]))


def reached_by(curve: Curve, time: float) -> Estimate | None:
    """Share of the cases over by `time`, an edge; None if the total is drowned in noise or the curve ends
    before.
    """
    points = np.flatnonzero(np.isclose(curve.times, time))
    return share_estimate(curve.ratio(int(points[0]))) if points.size else None


def quantile(curve: Curve, probability: float) -> Estimate | None:
    """The time by which a share `probability` was over; None if the total, or the curve before it gets there,
    is drowned.

    The value comes from the curve at the edges made monotone by pool-adjacent-violators, clipped to 0..total,
    normalised, and interpolated inside the bin. The interval is Woodruff's (1952, JASA 47:635) as a test
    inversion: all times t at which |over(t) - p total| <= z sd, with the sd at share p of sampling and noise.
    Values at the horizon mean "or later". `noise_sd` is the half-width of the same interval with noise alone,
    over 1.96 (Francisco and Fuller 1991, Annals of Statistics 19:454): the density in the delta method may be
    near 0 by noise, this is bounded by the horizon.
    """
    if curve.drowned:
        return None
    value = _crossing(curve, probability)
    if value is None:
        return None
    lower, upper = _woodruff(curve, probability, sampling=True)
    noise_lower, noise_upper = _woodruff(curve, probability, sampling=False)
    noise_sd = (noise_upper - noise_lower) / (2 * Z95) if curve.variance > 0 else 0.0
    return Estimate(value, min(lower, value), max(upper, value), noise_sd)


def _crossing(curve: Curve, probability: float) -> float | None:
    at_edges = curve.over[::_STEPS_PER_BIN]
    monotone = np.clip(isotonic_regression(at_edges).x / curve.total, 0.0, 1.0)
    above = np.flatnonzero(monotone >= probability)
    if above.size == 0:
        return curve.horizon if curve.edges[-1] == curve.horizon else None
    index = max(int(above[0]) - 1, 0)
    share = (probability - monotone[index]) / (monotone[index + 1] - monotone[index])
    return float(_time_at(curve.edges, np.array([index]), np.array([share]))[0])


def _woodruff(curve: Curve, probability: float, *, sampling: bool) -> tuple[float, float]:
    """First time at which the share may already be p and last time at which it may still be p."""
    noise = curve.variance * ((curve.gradient - probability) ** 2).sum(axis=1)
    binomial = curve.total**2 * probability * (1 - probability) / curve.effective_n
    deviation = Z95 * np.sqrt(noise + binomial * sampling)
    distance = curve.over - probability * curve.total
    first = _first_crossing(curve.times, distance + deviation, 0.0)
    last = _first_crossing(-curve.times[::-1], (deviation - distance)[::-1], -curve.horizon)
    return first, -last


def _first_crossing(times: Floats, heights: Floats, nowhere: float) -> float:
    """The first time at which heights rise to 0, between the points by linear interpolation."""
    high = np.flatnonzero(heights >= 0)
    if high.size == 0:
        return float(times[-1])
    point = int(high[0])
    if point == 0:
        return nowhere
    step = heights[point - 1] / (heights[point - 1] - heights[point])
    return float(times[point - 1] + step * (times[point] - times[point - 1]))
