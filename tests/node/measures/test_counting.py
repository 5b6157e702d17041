from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.measures.cases import Cases
from node.measures.counting import Contributions, admit_cases, count_slice, table_spec
from privacy.strategy import Shape, slice_rows, table_matrix
from protocols.catalogue.model import Tally
from protocols.periods import Grain
from protocols.plan import GRAINS, TOTAL, labels
from protocols.v1 import leadline_pb2 as pb
from tests.protocols.extended import tally as plain_tally

YEAR = 2024
Row = tuple[str, str, date, int, str | None]  # unit, row key, entry, cell, role


def tally(cells: int = 3, roles: int = 3, cap: int = 2) -> Tally:
    codes = [f"c{number}" for number in range(cells)]
    return Tally.model_validate(
        plain_tally(
            "counted",
            cap=cap,
            cells={"kind": "codes", "column": "code", "codes": codes, "other": codes[-1]},
            strata={"role": [*(f"role {number}" for number in range(roles - 1)), "unknown"]},
        )
    )


def found(rows: Sequence[Row]) -> Cases:
    unit, key, entry, cell, role = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    return Cases(
        unit_key=np.array(unit, dtype=object),
        row_key=np.array(key, dtype=object),
        entry=np.array(entry, dtype="datetime64[D]").astype(np.int64),
        cell=np.array(cell, dtype=np.int64),
        strata={"role": np.array(role, dtype=object)},
    )


def admitted(one: Tally, rows: Sequence[Row], months: Sequence[int] = range(1, 13)) -> Contributions:
    return admit_cases(one, found(rows), Contributions.none(one), YEAR, months)


@st.composite
def tally_and_rows(draw: st.DrawFn) -> tuple[Tally, list[Row]]:
    one = tally(draw(st.integers(1, 4)), draw(st.integers(1, 4)), draw(st.integers(1, 4)))
    row = st.tuples(
        st.sampled_from(["u1", "u2", "u3"]),
        st.sampled_from([f"r{number}" for number in range(9)]),
        st.dates(date(YEAR - 1, 11, 1), date(YEAR + 1, 2, 1)),
        st.integers(0, len(one.cell_names) - 1),
        st.sampled_from([*one.strata["role"], None, "surprise"]),
    )
    return one, draw(st.lists(row, max_size=25))


def plain_admission(one: Tally, rows: Sequence[Row]) -> list[Row]:
    """The rule in words: of a unit's distinct rows of the year, the first by day and then by key, up to the cap."""
    taken: list[Row] = []
    for row in sorted(rows, key=lambda row: (row[2], row[1])):
        known = [other for other in taken if other[0] == row[0]]
        if row[2].year == YEAR and row[1] not in {other[1] for other in known} and len(known) < one.cap:
            taken.append(row)
    return taken


@settings(max_examples=80, deadline=None, database=None)
@given(tally_and_rows(), st.sampled_from(list(GRAINS)), st.booleans(), st.booleans())
def test_every_table_is_what_plain_counting_gives(
    made: tuple[Tally, list[Row]], grain: int, by_role: bool, by_cell: bool
) -> None:
    one, rows = made
    table = pb.Table(grain=grain, stratum="role" if by_role else "", by_cell=by_cell)
    contributions = admitted(one, rows)
    counted = Counter(
        (
            (row[2].month - 1) // GRAINS[grain].months,
            (row[4] if row[4] in one.strata["role"] else "unknown") if by_role else TOTAL,
            one.cell_names[row[3]] if by_cell else TOTAL,
        )
        for row in plain_admission(one, rows)
    )
    for quarter in (1, 2, 3, 4):
        named = labels(one, table, YEAR, quarter)
        values = count_slice(one, table, contributions, quarter)
        assert values.dtype == np.int64
        expected = [counted[(x.period.first_month - 1) // x.period.grain.months, x.stratum_code, x.cell] for x in named]
        assert values.tolist() == expected


@pytest.mark.parametrize(("month", "role", "cell"), [(1, 0, 0), (5, 1, 2), (6, 2, 1), (12, 0, 1)])
def test_a_single_case_is_where_its_label_is(month: int, role: int, cell: int) -> None:
    one = tally(cells=4, roles=3)
    single = admitted(one, [("u", "r", date(YEAR, month, 9), cell, one.strata["role"][role])])
    table, quarter = pb.Table(grain=pb.GRAIN_MONTH, stratum="role", by_cell=True), (month + 2) // 3
    values = count_slice(one, table, single, quarter)
    assert np.flatnonzero(values).tolist() == [((month - 1) % 3 * 3 + role) * 4 + cell]
    label = labels(one, table, YEAR, quarter)[int(np.argmax(values))]
    assert (label.period.first_month, label.stratum_code, label.cell) == (month, one.strata["role"][role], f"c{cell}")
    assert year_of(one, table, single).sum() == 1


def year_of(one: Tally, table: pb.Table, contributions: Contributions) -> np.ndarray:
    return np.concatenate([count_slice(one, table, contributions, quarter) for quarter in (1, 2, 3, 4)])


@settings(max_examples=60, deadline=None, database=None)
@given(tally_and_rows(), st.booleans(), st.booleans())
def test_the_year_is_the_sum_of_its_quarters_and_of_its_months(
    made: tuple[Tally, list[Row]], by_role: bool, by_cell: bool
) -> None:
    one, rows = made
    contributions = admitted(one, rows)
    by_grain = {}
    for grain, word in GRAINS.items():
        table = pb.Table(grain=grain, stratum="role" if by_role else "", by_cell=by_cell)
        by_grain[word] = year_of(one, table, contributions).reshape(12 // word.months, -1)
    months, quarters, year = (by_grain[word] for word in (Grain.MONTH, Grain.QUARTER, Grain.YEAR))
    assert np.array_equal(months.reshape(4, 3, -1).sum(axis=1), quarters)
    assert np.array_equal(quarters.sum(axis=0, keepdims=True), year)


@settings(max_examples=40, deadline=None, database=None)
@given(tally_and_rows(), st.sampled_from(list(GRAINS)), st.booleans(), st.booleans())
def test_tables_are_what_the_strategy_s_matrices_make_of_the_base_cells(
    made: tuple[Tally, list[Row]], grain: int, by_role: bool, by_cell: bool
) -> None:
    """The least-squares fit inverts these matrices, so they have to say how the node counts."""
    one, rows = made
    contributions = admitted(one, rows)
    base = year_of(one, pb.Table(grain=pb.GRAIN_MONTH, stratum="role", by_cell=True), contributions)
    table = pb.Table(grain=grain, stratum="role" if by_role else "", by_cell=by_cell)
    shape = Shape(len(one.strata["role"]), len(one.cell_names))
    whole = table_matrix(table_spec(table), shape) @ base
    assert year_of(one, table, contributions).tolist() == whole.tolist()
    third = count_slice(one, table, contributions, 3)
    assert third.tolist() == whole[slice_rows(table_spec(table), shape, 3)].tolist()


def keys(contributions: Contributions) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, contributions.frame[["unit_key", "row_key", "month"]].to_numpy().tolist()))


def test_the_first_rows_by_day_and_then_by_key_are_admitted() -> None:
    day = date(YEAR, 3, 5)
    rows = [("u", "b", day, 0, None), ("u", "a", day, 0, None), ("u", "z", date(YEAR, 1, 9), 0, None)]
    assert keys(admitted(tally(cap=2), rows)) == [("u", "a", 3), ("u", "z", 1)]
    assert keys(admitted(tally(cap=2), rows[::-1])) == [("u", "a", 3), ("u", "z", 1)]


def test_a_row_that_comes_twice_counts_once_in_its_first_month() -> None:
    rows = [
        ("u", "a", date(YEAR, 5, 5), 0, None),
        ("u", "a", date(YEAR, 4, 5), 1, None),
        ("v", "a", date(YEAR, 5, 5), 0, None),
    ]
    assert keys(admitted(tally(cap=3), rows)) == [("u", "a", 4), ("v", "a", 5)]


def test_only_the_months_of_the_slice_are_admitted() -> None:
    rows = [("u", f"r{month}", date(YEAR, month, 28), 0, None) for month in range(1, 13)]
    rows += [("w", "before", date(YEAR - 1, 4, 1), 0, None), ("w", "after", date(YEAR + 1, 4, 1), 0, None)]
    assert [key[2] for key in keys(admitted(tally(cap=20), rows, [4, 5, 6]))] == [4, 5, 6]
    leap = [("u", "x", date(YEAR, 2, 29), 0, None)]
    assert keys(admitted(tally(), leap, [2])) == [("u", "x", 2)]


def test_a_sealed_slice_stands_whatever_later_exports_say() -> None:
    one = tally(cap=2)
    first = admitted(one, [("u", "a", date(YEAR, 2, 1), 0, "role 0")], [1, 2, 3])
    edited = found(
        [
            ("u", "a", date(YEAR, 5, 1), 1, "role 1"),  # the same row, moved: it has counted
            ("u", "late", date(YEAR, 3, 1), 0, None),  # its month is sealed
            ("u", "b", date(YEAR, 6, 2), 2, None),
            ("u", "c", date(YEAR, 6, 1), 2, None),  # the second and last that may count
            ("v", "a", date(YEAR, 6, 3), 0, None),  # another's row may bear the same key
        ]
    )
    second = admit_cases(one, edited, first, YEAR, [4, 5, 6])
    assert keys(second) == [("u", "c", 6), ("v", "a", 6)]
    both = first.joined(second)
    assert keys(admit_cases(one, edited, both, YEAR, [7, 8, 9, 10, 11, 12])) == []
    month = pb.Table(grain=pb.GRAIN_MONTH, by_cell=True)
    assert np.array_equal(count_slice(one, month, both, 1), count_slice(one, month, first, 1))
    assert count_slice(one, pb.Table(grain=pb.GRAIN_YEAR), both, 4).tolist() == [3]


def test_with_no_case_at_all_every_cell_is_there_and_zero() -> None:
    one = tally()
    nothing = admitted(one, [])
    assert nothing.frame.columns.tolist() == Contributions.none(one).frame.columns.tolist()
    assert year_of(one, pb.Table(grain=pb.GRAIN_MONTH, stratum="role", by_cell=True), nothing).tolist() == [0] * 108
    again = admit_cases(one, found([("u", "a", date(YEAR, 2, 1), 0, None)]), nothing, YEAR, [2])
    assert keys(again) == [("u", "a", 2)]


@pytest.mark.parametrize("quarter", [0, 5])
def test_a_quarter_that_no_year_has_is_refused(quarter: int) -> None:
    with pytest.raises(ValueError, match="quarters 1 to 4"):
        count_slice(tally(), pb.Table(grain=pb.GRAIN_MONTH), Contributions.none(tally()), quarter)


def test_joined_contributions_keep_both() -> None:
    one = tally()
    first = admitted(one, [("u", "a", date(YEAR, 2, 1), 0, None)])
    second = admitted(one, [("v", "b", date(YEAR, 7, 1), 0, None)])
    joined = first.joined(second)
    assert keys(joined) == [("u", "a", 2), ("v", "b", 7)]
    assert isinstance(joined.frame.index, pd.RangeIndex)
