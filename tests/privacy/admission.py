"""What must hold of any admission rule: each check takes the rule, so that broken rules can be put to it too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Rule = Callable[[Ints, Ints, Ints, int], NDArray[np.bool_]]


@dataclass(frozen=True)
class Rows:
    """Rows of several units, in the sequence of an export; `used` says how often each unit counted before."""

    unit: Ints
    order: Ints
    used: dict[int, int]
    cap: int

    @property
    def already(self) -> Ints:
        return self.used_before(self.used)

    def used_before(self, used: dict[int, int]) -> Ints:
        return np.array([used.get(int(unit), 0) for unit in self.unit], dtype=np.int64)

    def only(self, keep: NDArray[np.bool_]) -> Rows:
        return Rows(self.unit[keep], self.order[keep], self.used, self.cap)

    def admitted(self, rule: Rule) -> NDArray[np.bool_]:
        return rule(self.unit, self.order, self.already, self.cap)


def random_rows(random: np.random.Generator) -> Rows:
    size = int(random.integers(0, 40))
    unit = random.integers(0, 8, size)
    used = {person: int(random.integers(0, 4)) for person in range(8) if random.random() < 0.4}
    return Rows(unit, random.integers(0, 10, size), used, int(random.integers(1, 5)))


def keeps_the_cap(rule: Rule, rows: Rows) -> bool:
    """No unit counts more often than its cap, with what it counted before."""
    counted = Counter(rows.unit[rows.admitted(rule)].tolist())
    return all(n + rows.used.get(unit, 0) <= max(rows.cap, rows.used.get(unit, 0)) for unit, n in counted.items())


def wastes_nothing(rule: Rule, rows: Rows) -> bool:
    """Every unit counts as often as its cap allows."""
    counted = Counter(rows.unit[rows.admitted(rule)].tolist())
    offered = Counter(rows.unit.tolist())
    return all(counted[u] == min(n, max(0, rows.cap - rows.used.get(u, 0))) for u, n in offered.items())


def is_prefix_stable(rule: Rule, rows: Rows) -> bool:
    """Rows that are recorded later never change what earlier rows did."""
    whole = rows.admitted(rule)
    return all(
        np.array_equal(rows.only(rows.order <= cut).admitted(rule), whole[rows.order <= cut])
        for cut in np.unique(rows.order)
    )


def is_local(rule: Rule, rows: Rows) -> bool:
    """Without one unit's rows, every other row does what it did."""
    whole = rows.admitted(rule)
    return all(
        np.array_equal(rows.only(rows.unit != gone).admitted(rule), whole[rows.unit != gone])
        for gone in np.unique(rows.unit)
    )


def slices_add_up(rule: Rule, rows: Rows) -> bool:
    """Two slices, the second told of the first, admit what one pass admits."""
    early = rows.order <= 4
    first, later = rows.only(early), rows.only(~early)
    counted = Counter(first.unit[first.admitted(rule)].tolist())
    told = {u: rows.used.get(u, 0) + counted.get(u, 0) for u in {*rows.used, *counted}}
    second = rule(later.unit, later.order, later.used_before(told), rows.cap)
    whole = rows.admitted(rule)
    return bool(np.array_equal(first.admitted(rule), whole[early]) and np.array_equal(second, whole[~early]))


def ties_keep_their_sequence(rule: Rule, rows: Rows) -> bool:
    """Rows recorded at the same time are taken in the sequence of the export, every time."""
    tied = Rows(rows.unit, np.zeros_like(rows.order), rows.used, rows.cap)
    seen: Counter[int] = Counter()
    expected = []
    for unit in tied.unit.tolist():
        expected.append(seen[unit] + rows.used.get(unit, 0) < rows.cap)
        seen[unit] += 1
    return tied.admitted(rule).tolist() == expected == tied.admitted(rule).tolist()


CHECKS = (keeps_the_cap, wastes_nothing, is_prefix_stable, is_local, slices_add_up, ties_keep_their_sequence)
