"""Exact life tables over a tally's bins, against figures worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from node.leaders.durations import quantile_interval, share_over, time_of_share
from protocols.catalogue import current_catalogue

CATALOGUE, _ = current_catalogue()
CONTACT = CATALOGUE.tally("contact_time")  # hours 0, 1, 4, 12, 24, 72, 720 and beyond; nothing is censored
RECOVERY = CATALOGUE.tally("recovery")


def test_without_censoring_shares_are_counted() -> None:
    cells = np.array([2, 3, 1, 2, 1, 0, 1], dtype=np.int64)
    assert share_over(CONTACT, cells, 24) == pytest.approx(0.8)
    assert share_over(CONTACT, cells, 720) == pytest.approx(0.9)


def test_a_median_inside_a_bin_is_read_off_on_a_log_scale() -> None:
    cells = np.array([0, 0, 0, 10, 0, 0, 0], dtype=np.int64)
    assert time_of_share(CONTACT, cells, 0.5) == pytest.approx((12 * 24) ** 0.5)


def test_the_first_bin_is_read_off_evenly() -> None:
    cells = np.array([10, 0, 0, 0, 0, 0, 0], dtype=np.int64)
    assert time_of_share(CONTACT, cells, 0.25) == pytest.approx(0.25)


def test_a_share_that_is_never_reached_is_at_the_horizon() -> None:
    cells = np.array([1, 0, 0, 0, 0, 0, 9], dtype=np.int64)
    assert time_of_share(CONTACT, cells, 0.5) == 720


def test_without_cases_there_is_no_time() -> None:
    assert time_of_share(CONTACT, np.zeros(7, dtype=np.int64), 0.5) is None


def test_a_censored_case_is_at_risk_for_half_of_its_bin() -> None:
    bins = RECOVERY.cells.bins  # type: ignore[union-attr]
    cells = np.zeros(len(RECOVERY.cell_names), dtype=np.int64)
    cells[0], cells[len(bins)], cells[-1] = 2, 4, 4  # in the first bin 2 recovered and 4 were lost; 4 never recovered
    edges = RECOVERY.cells.edges  # type: ignore[union-attr]
    assert share_over(RECOVERY, cells, edges[1]) == pytest.approx(2 / (10 - 4 / 2))


def test_two_cases_above_the_middle_leave_everything_open() -> None:
    """Both of two cases beyond a median is a quarter of all tosses of two coins."""
    cells = np.array([0, 0, 0, 0, 0, 0, 2], dtype=np.int64)
    assert quantile_interval(CONTACT, cells, 0.5) == (0, 720)


def test_many_cases_in_one_class_leave_that_class() -> None:
    cells = np.array([0, 0, 0, 200, 0, 0, 0], dtype=np.int64)
    assert quantile_interval(CONTACT, cells, 0.5) == (12, 24)
