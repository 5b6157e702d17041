from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from protocols.publication.change import Change, change, difference_limits
from protocols.publication.rows import BenchmarkRow, Status
from protocols.publication.words import change_words
from tests.coordinator.portal.examples import held_back


def row(year: int, value: float, lower: float, upper: float) -> BenchmarkRow:
    return BenchmarkRow(
        measure="D2",
        grain="year",
        period_start=date(year, 1, 1),
        period_end=date(year, 12, 31),
        peer_group="all",
        stratum="all",
        n_sites=12,
        value=value,
        lower=lower,
        upper=upper,
        noise_sd=1.0,
        unit="%",
        status=Status.OK,
        spread=None,
        percentiles=(),
    )


def test_overlapping_intervals_do_not_hide_a_difference_that_is_there() -> None:
    assert change(row(2025, 66, 62, 70), row(2024, 60, 56, 64)) is Change.HIGHER
    assert change(row(2025, 60, 56, 64), row(2024, 66, 62, 70)) is Change.LOWER


def test_a_difference_within_the_intervals_is_not_called_one() -> None:
    assert change(row(2025, 65, 61, 69), row(2024, 60, 56, 64)) is Change.CANNOT_TELL


def test_skewed_intervals_count_on_the_side_that_faces_the_other() -> None:
    limits = difference_limits(row(2025, 40, 37, 60), row(2024, 34, 20, 36))
    assert limits == (pytest.approx(6 - math.hypot(3, 2)), pytest.approx(6 + math.hypot(20, 14)))
    assert change(row(2025, 40, 37, 60), row(2024, 34, 20, 36)) is Change.HIGHER


def test_nothing_is_compared_with_a_figure_that_is_not_there() -> None:
    now = row(2025, 65, 61, 69)
    assert change(now, None) is Change.NO_COMPARISON
    assert change(now, held_back(row(2024, 60, 56, 64), Status.TOO_FEW_SITES)) is Change.NO_COMPARISON


def test_two_equal_years_are_called_different_one_time_in_twenty() -> None:
    rng = np.random.default_rng(5)
    sd, repeats = 2.0, 4000
    values = rng.normal(60, sd, (repeats, 2))
    half = 1.96 * sd
    called = sum(
        change(row(2025, a, a - half, a + half), row(2024, b, b - half, b + half)) is not Change.CANNOT_TELL
        for a, b in values
    )
    assert 0.04 < called / repeats < 0.06


def test_every_change_has_words() -> None:
    assert [change_words(item, 2024) for item in Change] == [
        "Higher than in 2024",
        "Lower than in 2024",
        "Cannot tell",
        "No figure for 2024",
    ]
