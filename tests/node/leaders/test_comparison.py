"""What may be said about an own figure beside a published one, and what is left open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from node.leaders.chance import count_interval
from node.leaders.comparison import Place, Standing, compare
from node.leaders.coverage import Coverage
from node.leaders.figures import Own
from node.leaders.sentences import own_sentence, peers_sentence, standing_sentence
from protocols.catalogue import current_catalogue
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Percentile, Status

CATALOGUE, _ = current_catalogue()
REACH = CATALOGUE.measure("C1")


def row(value: float | None = 20.0, half: float = 2.0, status: Status = Status.OK) -> BenchmarkRow:
    levels = (Percentile(level=25, value=15, lower=12, upper=18), Percentile(level=50, value=20, lower=17, upper=23))
    levels = (*levels, Percentile(level=75, value=26, lower=23, upper=30))
    known = status is Status.OK and value is not None
    return BenchmarkRow(
        measure="C1", grain="year", period_start=date(2025, 1, 1), period_end=date(2025, 12, 31), peer_group="all",
        stratum="all", n_sites=12, value=value, lower=value - half if known and value else None,
        upper=value + half if known and value else None, noise_sd=0.5 if known else None, unit=REACH.unit,
        status=status, spread=None, percentiles=levels if known else (),
    )  # fmt: skip


def own(value: float | None, lower: float | None = None, upper: float | None = None) -> Own:
    return Own("all", value, lower, upper, 31)


def test_a_difference_beyond_both_intervals_is_told() -> None:
    assert compare(own(40, 36, 44), row()).standing is Standing.HIGHER
    assert compare(own(5, 3, 8), row()).standing is Standing.LOWER


def test_a_difference_within_chance_cannot_be_told() -> None:
    found = compare(own(23, 16, 32), row())
    assert found.standing is Standing.CANNOT_TELL
    assert found.difference is not None
    difference, low, high = found.difference
    assert difference == pytest.approx(3)
    assert low < 0 < high


def test_without_an_interval_of_its_own_nothing_is_claimed() -> None:
    assert compare(own(400), row()).standing is Standing.NOT_TESTED


def test_a_figure_of_a_part_of_the_year_is_compared_with_nothing() -> None:
    part = replace(own(40, 36, 44), covered=Coverage.PART)
    assert compare(part, row()).standing is Standing.NO_OWN


@pytest.mark.parametrize(
    ("value", "place"), [(14.9, Place.BELOW), (15, Place.INSIDE), (26, Place.INSIDE), (26.1, Place.ABOVE)]
)
def test_the_middle_half_includes_its_ends(value: float, place: Place) -> None:
    assert compare(own(value, value, value), row()).place is place


def test_a_row_that_is_held_back_is_no_benchmark_and_says_which_rule() -> None:
    held = row(None, status=Status.TOO_FEW_SITES)
    assert compare(own(5, 3, 8), held).standing is Standing.NO_BENCHMARK
    assert "Fewer than 5 sites" in peers_sentence(held, GateRules())


def test_the_sentences_say_what_is_known_and_never_good_or_bad() -> None:
    mine, theirs = own(40, 36, 44), row()
    said = (own_sentence(CATALOGUE, REACH, mine, "2025"), peers_sentence(theirs, GateRules()))
    told = " ".join((*said, standing_sentence(compare(mine, theirs), theirs)))
    assert "In 2025 your figure was 40" in told
    assert "rests on 31 clinicians" in told
    assert "95 % interval 18.0 to 22.0" in told
    assert "Yours is higher, by more than chance and privacy noise explain." in told
    assert "above the middle half of the sites (15 to 26)" in told
    assert not {"good", "bad", "better", "worse", "poor"} & set(told.lower().replace(".", " ").split())


def test_equal_hospitals_are_called_different_about_as_rarely_as_stated() -> None:
    """400 hospitals of the peers' own rate: at 95 % about 1 in 20 may be called higher or lower, not 1 in 8."""
    draws = np.random.default_rng(20251122).poisson(24, 400)
    factor = 20 / 24
    told = []
    for count in draws.tolist():
        low, high = count_interval(count)
        told.append(compare(own(count * factor, low * factor, high * factor), row(half=1.0)).standing)
    different = sum(standing in (Standing.HIGHER, Standing.LOWER) for standing in told)
    assert 2 <= different <= 32


def test_each_side_of_the_difference_takes_the_facing_side_of_both_intervals() -> None:
    lopsided = row().model_copy(update={"lower": 18.0, "upper": 26.0})
    assert compare(own(24, 23, 25), lopsided).standing is Standing.CANNOT_TELL
    assert compare(own(17, 16, 18), lopsided).standing is Standing.LOWER
