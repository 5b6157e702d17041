"""The best one-to-one matching of source columns to canonical ones (the Hungarian method, in O(n^2 m))."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_matching(gain: NDArray[np.float64]) -> dict[int, int]:
    """Row -> column of the matching with the greatest sum of gains; pairs without gain are left out."""
    rows, columns = gain.shape
    if rows == 0 or columns == 0:
        return {}
    if rows > columns:
        return {row: column for column, row in best_matching(gain.T).items()}
    cost = np.full((rows + 1, columns + 1), 0.0)
    cost[1:, 1:] = gain.max() - gain
    row_price, column_price = np.zeros(rows + 1), np.zeros(columns + 1)
    taken = np.zeros(columns + 1, dtype=np.int64)  # the row that has each column; place 0 holds the row being placed
    for row in range(1, rows + 1):
        taken[0] = row
        came_from = np.zeros(columns + 1, dtype=np.int64)
        slack = np.full(columns + 1, np.inf)
        done = np.zeros(columns + 1, dtype=bool)
        at = 0
        while taken[at] != 0:
            done[at] = True
            reduced = cost[taken[at]] - row_price[taken[at]] - column_price
            better = ~done & (reduced < slack)
            better[0] = False
            slack[better], came_from[better] = reduced[better], at
            open_slack = np.where(done, np.inf, slack)
            open_slack[0] = np.inf
            following = int(open_slack.argmin())
            step = open_slack[following]
            row_price[taken[done]] += step
            column_price[done] -= step
            slack[~done] -= step
            at = following
        while at != 0:
            taken[at] = taken[came_from[at]]
            at = int(came_from[at])
    pairs = {int(taken[column]) - 1: column - 1 for column in range(1, columns + 1) if taken[column] != 0}
    return {row: column for row, column in sorted(pairs.items()) if gain[row, column] > 0}
