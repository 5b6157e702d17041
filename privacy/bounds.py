"""Contribution bounding: who may count how often. The noise is only as good as this module.

Admission is online: a row is admitted if its unit (a clinician, an event) has fewer than `cap` earlier admitted rows
in the ledger year. It is prefix-stable (later rows never change what earlier rows did) and local (other units' rows
never matter), so all slices of a year together move by at most `cap` when one unit's rows are added or removed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def rank_within(unit: NDArray[np.int64], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row, how many rows of its unit come before it in `order`; ties keep the given sequence.

    All arrays have one entry per row.
    """
    rows = len(unit)
    if rows == 0:
        return np.zeros(0, dtype=np.int64)
    sequence = np.lexsort((order, unit))
    grouped = unit[sequence]
    starts = np.flatnonzero(np.r_[True, grouped[1:] != grouped[:-1]])
    sizes = np.diff(np.r_[starts, rows])
    rank = np.empty(rows, dtype=np.int64)
    rank[sequence] = np.arange(rows) - np.repeat(starts, sizes)
    return rank


def admit(unit: NDArray[np.int64], order: NDArray[np.int64], already: NDArray[np.int64], cap: int) -> NDArray[np.bool_]:
    """Which rows count: the first `cap` of each unit in recorded `order`, less what was admitted before.

    `already` holds, for each row, how many rows of its unit were admitted in slices that are already sealed.
    """
    if cap < 1:
        raise ValueError("the cap must be at least 1")
    if not len(unit) == len(order) == len(already):
        raise ValueError("unit, order and already need one entry per row")
    if np.any(already < 0):
        raise ValueError("a unit cannot have been admitted a negative number of times")
    return rank_within(unit, order) + already < cap
