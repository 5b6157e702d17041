from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.bounds import admit, rank_within
from tests.privacy.admission import (
    CHECKS,
    Ints,
    Rows,
    Rule,
    is_local,
    is_prefix_stable,
    keeps_the_cap,
    random_rows,
    slices_add_up,
    ties_keep_their_sequence,
    wastes_nothing,
)

Check = Callable[[Rule, Rows], bool]

TABLES = [random_rows(np.random.default_rng(number)) for number in range(400)]


@st.composite
def any_rows(draw: st.DrawFn) -> Rows:
    pairs = draw(st.lists(st.tuples(st.integers(-2, 3), st.integers(-3, 3)), max_size=14))
    unit, order = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    used = draw(st.dictionaries(st.integers(-2, 3), st.integers(0, 4), max_size=4))
    return Rows(unit, order, used, draw(st.integers(1, 4)))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_admission_on_400_random_tables(check: Check) -> None:
    assert all(check(admit, rows) for rows in TABLES)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@settings(max_examples=60, deadline=None, database=None)
@given(rows=any_rows())
def test_admission_on_whatever_hypothesis_finds(check: Check, rows: Rows) -> None:
    assert check(admit, rows)


def one_too_many(unit: Ints, order: Ints, already: Ints, cap: int) -> np.ndarray:
    return admit(unit, order, already, cap + 1)


def one_too_few(unit: Ints, order: Ints, already: Ints, cap: int) -> np.ndarray:
    return rank_within(unit, order) + already < cap - 1


def forgets_earlier_slices(unit: Ints, order: Ints, already: Ints, cap: int) -> np.ndarray:
    return admit(unit, order, np.zeros_like(already), cap)


def looks_at_other_people(unit: Ints, order: Ints, already: Ints, cap: int) -> np.ndarray:
    """Drop what comes after the busiest hour of everybody: within the cap, but one person's rows move another's."""
    crowded = order <= np.median(order) if len(order) else np.zeros(0, dtype=bool)
    return admit(unit, order, already, cap) & crowded


def salted_by_row_position(unit: Ints, order: Ints, already: Ints, cap: int) -> np.ndarray:
    salt = np.arange(len(unit), dtype=np.int64) * 7919 % 101
    return admit(unit, salt, already, cap)


def takes_the_last_rows(unit: Ints, order: Ints, already: Ints, cap: int) -> np.ndarray:
    return admit(unit, -order, already, cap)


def breaks_ties_backwards(unit: Ints, order: Ints, already: Ints, cap: int) -> np.ndarray:
    return admit(unit[::-1], order[::-1], already[::-1], cap)[::-1]


@pytest.mark.parametrize(
    ("mutant", "check"),
    [
        (one_too_many, keeps_the_cap),
        (one_too_few, wastes_nothing),
        (forgets_earlier_slices, keeps_the_cap),
        (forgets_earlier_slices, slices_add_up),
        (looks_at_other_people, is_local),
        (salted_by_row_position, is_local),
        (takes_the_last_rows, is_prefix_stable),
        (breaks_ties_backwards, ties_keep_their_sequence),
    ],
    ids=lambda part: part.__name__,
)
def test_the_checks_notice_broken_rules(mutant: Rule, check: Check) -> None:
    assert not all(check(mutant, rows) for rows in TABLES)


def test_rank_counts_the_unit_s_earlier_rows() -> None:
    unit = np.array([5, 9, 5, 5, 9], dtype=np.int64)
    order = np.array([3, 1, 1, 3, 0], dtype=np.int64)
    assert rank_within(unit, order).tolist() == [1, 1, 0, 2, 0]
    assert rank_within(unit[:0], order[:0]).tolist() == []


@pytest.mark.parametrize(
    ("unit", "order", "already", "cap", "words"),
    [
        ([1], [1], [0], 0, "cap"),
        ([1, 1], [1], [0, 0], 1, "one entry per row"),
        ([1, 1], [1, 2], [0], 1, "one entry per row"),
        ([1], [1], [-1], 1, "negative"),
    ],
)
def test_nonsense_is_refused(unit: list[int], order: list[int], already: list[int], cap: int, words: str) -> None:
    arrays = [np.array(values, dtype=np.int64) for values in (unit, order, already)]
    with pytest.raises(ValueError, match=words):
        admit(*arrays, cap)
