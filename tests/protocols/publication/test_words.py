from __future__ import annotations

import pytest

from coordinator.benchmarks.model import SiteFigures
from coordinator.benchmarks.peers import peer_groups
from protocols.publication.gate import GateRules
from protocols.publication.rows import Status
from protocols.publication.words import READING_NOTES, peer_group_words, status_words
from tests.coordinator.portal.examples import CATALOGUE


@pytest.mark.parametrize(
    ("status", "label", "reason"),
    [
        (Status.OK, "Published", "passed every rule"),
        (Status.TOO_FEW_SITES, "Too few sites", "Fewer than 6 sites"),
        (Status.DOMINATED, "One site dominates", "more than 30 % of the exposure"),
        (Status.TOO_RECENT, "Too recent", "less than 120 days"),
        (Status.TOO_FEW_EXPECTED, "Too few cases", "noise would drown them"),
        (Status.DIFFERENCING, "Held back against subtraction", "fewer than 4 sites"),
        (Status.NOT_RUN, "Not asked for", "No round asked"),
    ],
)
def test_a_status_is_told_with_the_thresholds_in_force(status: Status, label: str, reason: str) -> None:
    rules = GateRules(min_sites=6, max_share=0.3, embargo_days=120, min_difference=4)
    told = status_words(status, rules)
    assert told.label == label
    assert reason in told.reason
    assert "{" not in told.reason


def test_no_status_is_without_words() -> None:
    assert all(status_words(status, GateRules()).reason for status in Status)


def test_peer_groups_are_called_as_the_benchmarks_call_them() -> None:
    bands = [("hospital", band) for band in ("25-49", "100-199", "500+")] + [("ems_agency", "")]
    sites = [SiteFigures(f"s{i}", {"type": kind, "bed_band": band}, {}, {}) for i, (kind, band) in enumerate(bands)]
    groups = peer_groups(sites)
    assert len(groups) == 5
    assert [peer_group_words(group.id) for group in groups] == [group.title for group in groups]


def test_reading_notes_belong_to_groups_of_the_catalogue() -> None:
    assert READING_NOTES.keys() <= {measure.group for measure in CATALOGUE.measures}
