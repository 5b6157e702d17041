from __future__ import annotations

from datetime import date

import pytest

from node.console.wording import ago, day, emptiest, epsilon, moment, named, plural, spaced


def test_moments_and_days_are_in_utc_and_in_words() -> None:
    assert moment(0) == "1 January 1970, 00:00 UTC"
    assert day(86_399) == day("1970-01-01") == day(date(1970, 1, 1)) == "1 January 1970"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than a minute ago"), (60, "1 minute ago"), (7199, "1 hour ago"), (172_800, "2 days ago")],
)
def test_how_long_ago_is_told_in_one_unit(seconds: int, words: str) -> None:
    assert ago(seconds) == words


def test_numbers_and_names_are_spelt_for_people() -> None:
    assert [plural(n, "row") for n in (0, 1, 1204)] == ["0 rows", "1 row", "1,204 rows"]
    assert (spaced("rca_action"), named("jc_review"), named("fte")) == ("RCA action", "Just-culture review", "FTE")
    assert epsilon(0) == "0.00"


def test_completeness_is_summed_up_in_half_a_line() -> None:
    assert emptiest({}) == "no optional columns"
    assert emptiest({"a": 100.0}) == "no gaps"
    assert emptiest({"a": 100.0, "b": 20.0}) == "1 of 2 optional columns with gaps"
