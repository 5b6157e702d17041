from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from privacy.accountant import MAX_RHO_NANO, NANO, sigma_1024
from privacy.mechanisms import noisy_counts
from privacy.strategy import (
    Matrix,
    Shape,
    TableSpec,
    expected_variances,
    fit,
    optimal_split,
    slice_rows,
    split_budget,
    table_matrix,
)

MONTHS_QUARTERS_YEAR = [TableSpec(months, split, True) for months in (1, 3, 12) for split in (True, False)]
PRACTICAL = np.array([time * split for time in (0.4, 0.3, 0.3) for split in (0.5, 0.5)])
SPECS = st.builds(TableSpec, st.sampled_from([1, 3, 12]), st.booleans(), st.booleans())
SHAPES = st.builds(Shape, st.integers(1, 4), st.integers(1, 4))


def workload(specs: list[TableSpec], shape: Shape) -> Matrix:
    return np.vstack([table_matrix(spec, shape) for spec in specs])


def test_a_table_sums_the_base_cells_that_it_names() -> None:
    shape = Shape(strata=2, cells=3)
    base = np.arange(shape.base_cells, dtype=np.float64).reshape(12, 2, 3)
    by_quarter = base.reshape(4, 3, 2, 3).sum(axis=1)
    expected = {
        TableSpec(1, True, True): base,
        TableSpec(3, True, False): by_quarter.sum(axis=2),
        TableSpec(3, False, True): by_quarter.sum(axis=1),
        TableSpec(12, False, False): base.sum(),
    }
    for spec, values in expected.items():
        assert (table_matrix(spec, shape) @ base.ravel()).tolist() == np.ravel(values).tolist()


@given(SPECS, SHAPES)
def test_every_unit_adds_at_most_its_cap_to_any_table(spec: TableSpec, shape: Shape) -> None:
    matrix = table_matrix(spec, shape)
    assert matrix.shape == (spec.rows(shape), shape.base_cells)
    assert (matrix.sum(axis=0) == 1).all()  # one case is in exactly one value, so cap cases add cap in L1
    assert set(np.unique(matrix)) <= {0.0, 1.0}


@given(SPECS, SHAPES)
def test_the_slices_of_a_year_are_disjoint_and_cover_it(spec: TableSpec, shape: Shape) -> None:
    positions = [list(range(spec.rows(shape)))[slice_rows(spec, shape, quarter)] for quarter in (1, 2, 3, 4)]
    assert [*positions[0], *positions[1], *positions[2], *positions[3]] == list(range(spec.rows(shape)))
    if spec.months == 12:
        assert positions[:3] == [[], [], []]
    else:
        assert len({len(part) for part in positions}) == 1


def test_what_is_no_period_or_quarter_is_refused() -> None:
    with pytest.raises(ValueError, match="1, 3 or 12"):
        TableSpec(2, True, True)
    for quarter in (0, 5):
        with pytest.raises(ValueError, match="quarters 1 to 4"):
            slice_rows(TableSpec(3, True, True), Shape(1, 1), quarter)


@settings(deadline=None, max_examples=25, database=None)
@given(SHAPES, st.lists(st.floats(0.1, 50), min_size=6, max_size=6))
def test_without_noise_the_fit_gives_back_the_counts(shape: Shape, variances: list[float]) -> None:
    base = np.arange(shape.base_cells, dtype=np.float64) ** 2 % 17
    tables = [table_matrix(spec, shape) for spec in MONTHS_QUARTERS_YEAR]
    fitted = fit(tables, [table @ base for table in tables], variances)
    values, covariance = fitted.answer(workload(MONTHS_QUARTERS_YEAR, shape))
    assert np.allclose(values, workload(MONTHS_QUARTERS_YEAR, shape) @ base)
    assert (np.diag(covariance) > 0).all()


def test_in_the_limit_of_no_noise_the_mechanism_and_the_fit_are_exact() -> None:
    shape = Shape(2, 2)
    base = np.arange(shape.base_cells, dtype=np.int64)
    tables = [table_matrix(spec, shape) for spec in MONTHS_QUARTERS_YEAR]
    counts = [(table @ base).astype(np.int64) for table in tables]
    noisy = [noisy_counts(count, 1, MAX_RHO_NANO) for count in counts]
    fitted = fit(tables, [n.values.astype(float) for n in noisy], [(n.sigma_1024 / 1024) ** 2 for n in noisy])
    assert np.allclose(fitted.answer(np.eye(shape.base_cells))[0], base)


def test_the_better_table_weighs_more() -> None:
    shape = Shape(1, 1)
    quarters, year = (table_matrix(TableSpec(months, False, False), shape) for months in (3, 12))
    fitted = fit([quarters, year], [np.array([1.0, 1.0, 1.0, 1.0]), np.array([12.0])], [1.0, 2.0])
    value, covariance = fitted.answer(year)
    # Two independent views of the year: 4 with variance 4, and 12 with variance 2.
    assert value[0] == pytest.approx((4 / 4 + 12 / 2) / (1 / 4 + 1 / 2))
    assert covariance[0, 0] == pytest.approx(1 / (1 / 4 + 1 / 2))


def test_a_query_that_the_tables_do_not_determine_is_refused() -> None:
    shape = Shape(2, 3)
    by_month, by_stratum = TableSpec(1, False, True), TableSpec(12, True, False)
    fitted = fit([table_matrix(by_month, shape)], [np.zeros(by_month.rows(shape))], [1.0])
    assert fitted.answer(table_matrix(TableSpec(3, False, False), shape))[0].shape == (4,)
    with pytest.raises(ValueError, match="do not determine"):
        fitted.answer(table_matrix(by_stratum, shape))
    with pytest.raises(ValueError, match="do not determine"):
        expected_variances([by_stratum], [NANO], shape, 1, table_matrix(by_month, shape))


def test_estimates_are_unbiased_with_the_variance_that_was_promised() -> None:
    shape, cap, runs = Shape(2, 1), 2, 400
    query = workload(MONTHS_QUARTERS_YEAR, shape)
    parts = split_budget(NANO // 2, PRACTICAL)
    promised = expected_variances(MONTHS_QUARTERS_YEAR, parts, shape, cap, query)
    base = np.arange(shape.base_cells, dtype=np.int64) % 5
    tables = [table_matrix(spec, shape) for spec in MONTHS_QUARTERS_YEAR]
    variances = [(sigma_1024(cap, rho) / 1024) ** 2 for rho in parts]
    drawn = [
        noisy_counts(np.tile((table @ base).astype(np.int64), runs), cap, rho).values.reshape(runs, -1)
        for table, rho in zip(tables, parts, strict=True)
    ]
    errors = np.array(
        [fit(tables, [table[run] for table in drawn], variances).answer(query)[0] - query @ base for run in range(runs)]
    )
    deviates = errors.mean(axis=0) / np.sqrt(promised / runs)
    assert np.abs(deviates).max() < 5.5  # 34 values: false alarm 1e-6
    ratio = errors.var(axis=0, ddof=1) / promised
    low, high = chi2.ppf([1e-8, 1 - 1e-8], runs - 1) / (runs - 1)
    assert (ratio > low).all()
    assert (ratio < high).all()


def classes(shape: Shape) -> list[Matrix]:
    """dp: month, quarter, year and the rolling year (of one year: the year again), by unit and in total."""
    return [table_matrix(TableSpec(months, split, True), shape) for split in (True, False) for months in (1, 3, 12, 12)]


def rms(specs: list[TableSpec], shares: np.ndarray, shape: Shape) -> float:
    parts = split_budget(24_355_970, shares)
    errors = [expected_variances(specs, parts, shape, 3, query).mean() for query in classes(shape)]
    return math.sqrt(float(np.mean(errors)))


def test_the_strategy_cuts_the_error_by_the_factors_that_were_measured() -> None:
    units = Shape(8, 1)
    per_cell = [TableSpec(1, True, True)]
    one = np.ones(1)
    assert rms(per_cell, one, units) == pytest.approx(76.3, abs=0.1)
    query = np.vstack([rows / math.sqrt(len(rows)) for rows in classes(units)])  # every class weighs the same
    best = optimal_split(MONTHS_QUARTERS_YEAR, units, query)
    assert rms(MONTHS_QUARTERS_YEAR, best, units) == pytest.approx(26.2, abs=0.05)
    assert rms(MONTHS_QUARTERS_YEAR, PRACTICAL, units) == pytest.approx(26.7, abs=0.05)
    assert rms(per_cell, one, units) / rms(MONTHS_QUARTERS_YEAR, best, units) == pytest.approx(2.9, abs=0.05)
    year = table_matrix(TableSpec(12, False, True), units)
    noise = expected_variances(per_cell, [24_355_970], units, 3, year)
    assert math.sqrt(noise[0]) == pytest.approx(133.2, abs=0.2)


def test_spending_on_the_months_that_nobody_reads_costs_the_year_dear() -> None:
    total = Shape(1, 1)
    year = table_matrix(TableSpec(12, False, True), total)
    grains = [TableSpec(months, False, True) for months in (1, 3, 12)]
    alone = expected_variances(grains[2:], [24_355_970], total, 1, year)[0]
    months_only = expected_variances(grains[:1], [24_355_970], total, 1, year)[0]
    assert months_only / alone == pytest.approx(12, rel=1e-3)
    shares = optimal_split(grains, total, year)
    assert shares[2] > 0.99


def loss(specs: list[TableSpec], shares: np.ndarray, shape: Shape, query: Matrix) -> float:
    """Sum of noise variances at rho 1/2 and cap 1, where a table with share p has variance 1/p."""
    tables = [table_matrix(spec, shape) for spec in specs]
    precision = sum(share * table.T @ table for share, table in zip(shares, tables, strict=True))
    return float(np.trace(query @ np.linalg.solve(precision, query.T)))


@pytest.mark.parametrize("shape", [Shape(3, 1), Shape(2, 2), Shape(1, 3)], ids=str)
def test_no_other_split_is_better_than_the_optimal_one(shape: Shape) -> None:
    specs = MONTHS_QUARTERS_YEAR if shape.strata > 1 else MONTHS_QUARTERS_YEAR[::2]
    query = workload(specs, shape)
    shares = optimal_split(specs, shape, query)
    assert shares.sum() == pytest.approx(1)
    best = loss(specs, shares, shape, query)
    random = np.random.default_rng(1)
    rivals = [random.dirichlet(np.ones(len(specs))) for _ in range(150)]
    rivals += [random.dirichlet(200 * shares + 0.1) for _ in range(50)]  # close to it, where a slope would show
    rivals.append(PRACTICAL if len(specs) == 6 else np.array([0.4, 0.3, 0.3]))
    assert best <= min(loss(specs, rival + 1e-12, shape, query) for rival in rivals) * (1 + 1e-6)


@pytest.mark.parametrize("shape", [Shape(3, 1), Shape(2, 2)], ids=str)
def test_at_the_optimal_split_every_table_earns_its_share(shape: Shape) -> None:
    """Kuhn and Tucker: the loss falls equally fast with every share that is not zero."""
    query = workload(MONTHS_QUARTERS_YEAR, shape)
    shares = optimal_split(MONTHS_QUARTERS_YEAR, shape, query)
    step = 1e-5
    best = loss(MONTHS_QUARTERS_YEAR, shares, shape, query)
    gains = [best - loss(MONTHS_QUARTERS_YEAR, shares + step * row, shape, query) for row in np.eye(len(shares))]
    assert np.allclose(np.array(gains) / step, best, rtol=1e-3)


def test_the_expected_variance_is_that_loss() -> None:
    shape, query = Shape(2, 1), workload(MONTHS_QUARTERS_YEAR, Shape(2, 1))
    parts = split_budget(NANO // 2000, PRACTICAL)  # much noise, so that rounding sigma up does not show
    total = expected_variances(MONTHS_QUARTERS_YEAR, parts, shape, 3, query).sum()
    assert total == pytest.approx(9 * 1000 * loss(MONTHS_QUARTERS_YEAR, PRACTICAL, shape, query), rel=1e-3)


@given(st.integers(10**6, 10**11), st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_a_split_budget_never_exceeds_the_whole_and_wastes_next_to_nothing(rho_nano: int, raw: list[float]) -> None:
    shares = np.array(raw) / sum(raw)
    parts = split_budget(rho_nano, shares)
    assert len(parts) == len(shares)
    assert rho_nano * (1 - 1e-8 * len(parts)) - len(parts) <= sum(parts) <= rho_nano
    assert all(abs(part - share * rho_nano) <= 1 + rho_nano * 2e-9 for part, share in zip(parts, shares, strict=True))


def test_shares_above_one_and_parts_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="too small"):
        split_budget(1, np.array([0.5, 0.5]))
    with pytest.raises(ValueError, match="too small"):
        split_budget(NANO, np.array([0.6, 0.6]))
