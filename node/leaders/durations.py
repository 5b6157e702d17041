"""Exact life tables over the bins of a duration tally, by the same conventions as the published ones.

Within a bin cases are spread evenly over log time (over time in the first bin, which starts at 0); a case censored in a
bin is at risk for half of it (Cutler and Ederer 1958, J. Chronic Diseases 8:699).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from node.leaders.chance import share_interval
from protocols.catalogue.model import CENSORED, DurationCells, Tally

Floats = NDArray[np.float64]


def over_by_edge(tally: Tally, counts: NDArray[np.int64]) -> Floats | None:
    """Share of the cases over by each edge of the tally's bins, shape (bins + 1,), 0 first; None without cases.

    `counts` are the tally's cells: ended per bin, then censored per bin if the tally has them, then beyond.
    """
    bins = _bins(tally)
    ended = counts[: len(bins)].astype(np.float64)
    censored = np.zeros_like(ended)
    if any(name.startswith(CENSORED) for name in tally.cell_names):
        censored = counts[len(bins) : 2 * len(bins)].astype(np.float64)
    if counts.sum() == 0:
        return None
    entering = float(counts.sum()) - np.concatenate([[0.0], np.cumsum(ended + censored)[:-1]])
    at_risk = entering - censored / 2
    hazard = np.divide(ended, at_risk, out=np.zeros_like(ended), where=at_risk > 0)
    return np.concatenate([[0.0], 1 - np.cumprod(1 - hazard)])


def share_over(tally: Tally, counts: NDArray[np.int64], time: int) -> float | None:
    """Share of the cases over by `time`, an edge of the tally."""
    shares = over_by_edge(tally, counts)
    return None if shares is None else float(shares[_edges(tally).index(time)])


def time_of_share(tally: Tally, counts: NDArray[np.int64], share: float) -> float | None:
    """When a share of the cases was over; the last edge means "then or later". None without cases."""
    shares, edges = over_by_edge(tally, counts), _edges(tally)
    if shares is None:
        return None
    reached = np.flatnonzero(shares >= share)
    if reached.size == 0:
        return float(edges[-1])
    upper = max(int(reached[0]), 1)
    step = shares[upper] - shares[upper - 1]
    inside = (share - shares[upper - 1]) / step if step > 0 else 0.0
    low, high = edges[upper - 1], edges[upper]
    return low + inside * (high - low) if low == 0 else low * math.exp(inside * math.log(high / low))


def quantile_interval(tally: Tally, counts: NDArray[np.int64], share: float) -> tuple[float, float]:
    """95 % limits of the time at which a share of the cases is over, as edges of classes.

    All edges at which `share` is inside Wilson's limits of the share that is over by then (Woodruff 1952, JASA 47:635,
    as a test inversion), each way to the end of its class: within a class nothing is known of the times. The last edge
    means "then or later".
    """
    shares, edges, cases = over_by_edge(tally, counts), _edges(tally), float(counts.sum())
    if shares is None:
        return 0.0, float(edges[-1])
    limits = [share_interval(part * cases, cases) for part in shares[1:]]
    lower = next((index for index, (_, high) in enumerate(limits) if high >= share), len(limits) - 1)
    upper = next((index for index, (low, _) in enumerate(limits) if low >= share), len(limits) - 1)
    return float(edges[lower]), float(edges[upper + 1])


def _cells(tally: Tally) -> DurationCells:
    if not isinstance(tally.cells, DurationCells):
        raise TypeError(f"tally {tally.id} holds no durations; the catalogue's own check should have refused it")
    return tally.cells


def _bins(tally: Tally) -> tuple[str, ...]:
    return _cells(tally).bins


def _edges(tally: Tally) -> tuple[int, ...]:
    return _cells(tally).edges
