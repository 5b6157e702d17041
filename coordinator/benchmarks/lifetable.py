"""The actuarial life table from noisy bins of ended and of censored durations.

It takes censoring as even over a bin. Where it is not, S(t) is off by some tenths of a percentage point, which shows
beside sampling only from tens of thousands of cases on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from coordinator.benchmarks.histograms import Curve, inside_bins
from coordinator.benchmarks.pooled import Z95

Floats = NDArray[np.float64]


def at_risk_weights(bins: int) -> Floats:
    """How each cell counts into each bin's number at risk R_j = r_j - c_j/2; shape (bins, 2 bins + 1).

    Cells are ended per bin, censored per bin, beyond. A case censored in bin j is at risk for half of it
    (Cutler and Ederer 1958, J. Chronic Diseases 8:699).
    """
    from_here_on = np.triu(np.ones((bins, bins)))
    censored = from_here_on - 0.5 * np.eye(bins)
    return np.hstack([from_here_on, censored, np.ones((bins, 1))])


def life_table_curve(edges: Floats, cells: Floats, variance: float) -> Curve | None:
    """Curve of a censored tally: over(t) = N (1 - S(t)), S(t) = product of (1 - d_j/R_j), inside a bin 1 - w
    d_j/R_j.

    `cells`: ended per bin, censored per bin, beyond, shape (2 bins + 1,). The curve stops before the first
    bin whose number at risk is drowned in its noise (R_j <= 1.96 sd); None if that is the first bin. The
    gradient is the exact derivative in every cell, so noise enters by the delta method; sampling enters as
    effective_n = S(1-S)/Greenwood's variance.
    """
    weights = at_risk_weights(edges.size - 1)
    at_risk = weights @ cells
    firm = at_risk > Z95 * np.sqrt(variance * (weights**2).sum(axis=1))
    reach = firm.size if firm.all() else int(np.argmin(firm))
    if reach == 0:
        return None
    kept, at_risk = edges[: reach + 1], at_risk[:reach]
    times, index, share = inside_bins(kept)
    partial = np.clip(index[:, None] + share[:, None] - np.arange(reach)[None, :], 0.0, 1.0)
    hazards = cells[:reach] / at_risk
    factors = 1 - partial * hazards
    survival = factors.prod(axis=1)
    total = float(cells.sum())
    by_hazard = total * partial * _product_of_others(factors)
    gradient = (1 - survival)[:, None] + by_hazard @ _hazard_gradient(weights[:reach], at_risk, hazards)
    effective_n = _effective_n(partial * np.clip(hazards, 0.0, 1.0), at_risk, index)
    return Curve(times, total * (1 - survival), gradient, effective_n, total, variance, kept, float(edges[-1]))


def _hazard_gradient(weights: Floats, at_risk: Floats, hazards: Floats) -> Floats:
    """Derivative of d_j/R_j by each cell, shape (bins, cells)."""
    own = np.eye(*weights.shape)
    gradient: Floats = (own - hazards[:, None] * weights) / at_risk[:, None]
    return gradient


def _product_of_others(factors: Floats) -> Floats:
    """For each column the product of all the other columns, without dividing (a factor may be 0)."""
    others = np.ones_like(factors)
    for column in range(factors.shape[1]):
        others[:, column] = np.delete(factors, column, axis=1).prod(axis=1)
    return others


def _effective_n(hazards: Floats, at_risk: Floats, index: NDArray[np.int64]) -> Floats:
    """S(1-S) over Greenwood's S^2 sum d/(R(R-d)) (1926), in hazards q = d/R: (1-S)/S over sum q/(R(1-q)).

    Where nothing has happened yet, or everything has, both are 0 or without bound; there the number at risk
    stands in.
    """
    survival = (1 - hazards).prod(axis=1)
    regular = (survival > 0) & (survival < 1)
    odds = np.where(regular, (1 - survival) / np.where(regular, survival, 1.0), 1.0)
    safe = np.where(regular[:, None], hazards, 0.5)
    greenwood = (safe / (at_risk * (1 - safe))).sum(axis=1)
    effective_n: Floats = np.where(regular, odds / greenwood, at_risk[index])
    return effective_n
