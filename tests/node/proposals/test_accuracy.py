"""Proposals recover the true mappings: of invented sites in all four shapes, and of exports unlike those."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.proposals import Proposal, look_at, propose
from node.synthetic.exports import write_exports
from node.synthetic.network import synthesize
from tests.node.proposals.compare import Comparison, compare

EXAMPLES = Path(__file__).parent / "examples"
SITES = ("site-01", "site-02", "site-03", "site-04")  # an incident system, REDCap, a spreadsheet, views
FLOOR = 0.9
# The synthetic mappings leave out links between tables that are there all the same.
RIGHT_ALL_THE_SAME = {("support_episode", "activation_key")}


@pytest.fixture(scope="module")
def proposals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Proposal, Comparison]]:
    found = {}
    for site in synthesize(4, 3, 2023, 1):
        folder = tmp_path_factory.mktemp(site.site_id)
        write_exports(site, folder)
        proposal = propose(look_at(folder))
        found[site.site_id] = (proposal, compare(proposal, folder / "mapping.toml"))
    return found


@pytest.mark.parametrize("site_id", SITES)
def test_the_required_columns_of_a_shape_are_found(
    proposals: dict[str, tuple[Proposal, Comparison]], site_id: str
) -> None:
    _, comparison = proposals[site_id]
    assert comparison.share_of_required >= FLOOR, comparison.required - comparison.right
    assert len(comparison.right) >= FLOOR * len(comparison.right | comparison.absent), comparison.absent


@pytest.mark.parametrize("site_id", SITES)
def test_nothing_is_wrong_and_sure(proposals: dict[str, tuple[Proposal, Comparison]], site_id: str) -> None:
    wrong = {place for place in proposals[site_id][1].wrong_and_sure if (place[0], place[3]) not in RIGHT_ALL_THE_SAME}
    assert not wrong


def test_rows_lists_and_instruments_are_told_apart(proposals: dict[str, tuple[Proposal, Comparison]]) -> None:
    incidents = {source.table: source for source in proposals["site-01"][0].sources if source.file == "incidents.csv"}
    assert incidents["jc_review"].where == {"Reviewed": ("Yes",)}
    explode = incidents["event_involvement"].explode
    assert explode is not None
    assert set(explode.columns) == {"Staff ids", "Staff roles", "Staff involvement"}
    redcap = {source.table: source.where for source in proposals["site-02"][0].sources if source.where}
    assert redcap["support_encounter"] == {"redcap_repeat_instrument": ("contact",)}
    assert redcap["support_activation"] == {"redcap_event_name": ("referral_arm_1",)}
    trackers = {source.file for source in proposals["site-03"][0].sources if source.table == "support_encounter"}
    assert trackers == {"peer_support_tracker_*.csv"}


def test_codes_without_words_are_asked_about_and_never_guessed(
    proposals: dict[str, tuple[Proposal, Comparison]],
) -> None:
    source = next(s for s in proposals["site-02"][0].sources if s.table == "support_activation")
    role = next(choice for choice in source.choices if choice.column == "role_group")
    assert not role.is_sure
    assert not role.origin.codes
    assert "1" in role.unread
    assert role.question
    assert not source.is_sure


@pytest.mark.parametrize("name", sorted(folder.name for folder in EXAMPLES.iterdir()))
def test_exports_unlike_the_synthetic_ones_are_recognised(name: str) -> None:
    folder = EXAMPLES / name
    comparison = compare(propose(look_at(folder)), folder / "expected.toml")
    assert comparison.share_of_required >= FLOOR, comparison.required - comparison.right
    assert not comparison.wrong_and_sure
    assert len(comparison.wrong) <= 1, comparison.wrong
