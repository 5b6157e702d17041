from __future__ import annotations

from datetime import date

import pytest

from coordinator.benchmarks.model import SiteFigures
from coordinator.benchmarks.peers import peer_groups
from protocols.publication.gate import GateRules
from protocols.publication.rows import Status

RULES = GateRules()


def _ids(first: int, last: int) -> frozenset[str]:
    return frozenset(f"site-{number:02d}" for number in range(first, last + 1))


@pytest.mark.parametrize(
    ("exposures", "status"),
    [
        ([10.0] * 4, Status.TOO_FEW_SITES),
        ([10.0] * 5, Status.OK),
        ([10.0, 10, 10, 10, 13.4], Status.DOMINATED),
        ([10.0, 10, 10, 10, 13.3], Status.OK),
        ([], Status.TOO_FEW_SITES),
    ],
)
def test_five_sites_of_which_none_holds_more_than_a_quarter(exposures: list[float], status: Status) -> None:
    assert RULES.participation(exposures) is status


@pytest.mark.parametrize(("today", "status"), [("2025-03-30", Status.TOO_RECENT), ("2025-03-31", Status.OK)])
def test_the_embargo_ends_90_days_after_the_period(today: str, status: Status) -> None:
    assert RULES.recency(date(2024, 12, 31), date.fromisoformat(today)) is status


@pytest.mark.parametrize(
    ("sites", "levels"), [(7, ()), (8, (25, 50, 75)), (19, (25, 50, 75)), (20, (10, 25, 50, 75, 90))]
)
def test_percentiles_need_sites(sites: int, levels: tuple[int, ...]) -> None:
    assert RULES.percentile_levels(sites) == levels


@pytest.mark.parametrize(
    ("members", "held"),
    [
        ({"all": _ids(1, 10), "big": _ids(1, 8)}, {"big"}),
        ({"all": _ids(1, 10), "big": _ids(1, 7)}, set()),
        ({"big": _ids(1, 10), "all": _ids(1, 10)}, {"all"}),
        ({"all": _ids(1, 9), "one": _ids(1, 6), "two": _ids(3, 7)}, set()),
        ({"all": _ids(1, 20), "one": _ids(1, 10), "two": _ids(2, 11)}, {"two"}),
    ],
)
def test_of_two_groups_that_differ_by_fewer_than_three_sites_the_larger_is_published(
    members: dict[str, frozenset[str]], held: set[str]
) -> None:
    assert RULES.differencing(members) == held


def test_the_rest_after_all_disjoint_groups_counts_as_a_difference() -> None:
    sizes = {"all": _ids(1, 20), "large": _ids(1, 7), "middle": _ids(8, 13), "small": _ids(14, 18)}
    assert RULES.differencing(sizes) == {"small"}
    assert RULES.differencing({**sizes, "small": _ids(14, 17)}) == frozenset()
    assert RULES.differencing({**sizes, "small": _ids(14, 20)}) == frozenset()


def _site(site_id: str, **attributes: str) -> SiteFigures:
    return SiteFigures(site_id, attributes, {}, {})


def test_a_site_is_in_everyone_and_in_at_most_one_size_group() -> None:
    figures = [
        _site("a", type="acute_general", bed_band="50-99"),
        _site("b", type="critical_access", bed_band="6-24"),
        _site("c", type="acute_general", bed_band="200-299"),
        _site("d", type="children", bed_band="500+"),
        _site("e", type="ems_agency", bed_band="6-24"),
        _site("f", type="acute_general"),
    ]
    assert {group.id: set(group.site_ids) for group in peer_groups(figures)} == {
        "all": set("abcdef"),
        "beds-under-100": {"a", "b"},
        "beds-100-299": {"c"},
        "beds-300-plus": {"d"},
        "ems": {"e"},
    }


def test_a_quarter_of_the_exposure_is_not_yet_dominance() -> None:
    assert GateRules().participation([25.0, 25.0, 20.0, 15.0, 15.0]) is Status.OK
    assert GateRules().participation([25.1, 25.0, 20.0, 15.0, 14.9]) is Status.DOMINATED
