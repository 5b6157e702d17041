from __future__ import annotations

import math

import pytest

from protocols.look.numbers import decimals, figure, narrower_without_noise, number


@pytest.mark.parametrize(
    ("lower", "upper", "places"),
    [(60.2, 67.2, 1), (60.1, 67.3, 0), (40.0, 90.0, 0), (2.4, 3.4, 1), (2.70, 2.80, 2), (2.7001, 2.7002, 2)],
)
def test_digits_follow_the_width_of_the_interval(lower: float, upper: float, places: int) -> None:
    assert decimals((lower + upper) / 2, lower, upper) == places


def test_without_an_interval_large_numbers_are_whole() -> None:
    assert decimals(1461.7, None, None) == 0
    assert decimals(14.6, 14.6, 14.6) == 1


def test_nothing_negative_is_printed() -> None:
    shown = figure(0.4, -1.2, 2.0, "per 1,000 staff")
    assert (shown.value, shown.interval) == ("0.4", "0.0 to 2.0")
    assert number(-3.0, 0) == "0"


def test_a_figure_reads_as_a_sentence() -> None:
    assert figure(64.1, 60.2, 68.0, "%").sentence == "64 % (95 % interval 60 to 68)"
    assert figure(1461.67, 1461.67, 1461.67, "persons").sentence == "1,462 persons"


def test_the_cost_of_noise_is_the_part_of_the_width_that_it_explains() -> None:
    sampling, noise = 3.0, 4.0
    half = 1.959964 * math.hypot(sampling, noise)
    assert narrower_without_noise(50 - half, 50 + half, noise) == pytest.approx(1 - 3 / 5)
    assert narrower_without_noise(50 - half, 50 + half, 0.0) == 0.0
    assert narrower_without_noise(49.9, 50.1, noise) == 1.0
