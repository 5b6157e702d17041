"""The support page's words and numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.config import Console, NodeConfig, Paths, Site, Words
from node.leaders.support import support


def config(folder: Path, country: str = "FR", words: Words | None = None) -> NodeConfig:
    paths = Paths(exports=folder, mapping=folder / "mapping.toml", profile=folder / "profile.toml")
    return NodeConfig(site=Site(id="st-mary"), paths=paths, console=Console(country=country), words=words or Words())


def test_the_cards_use_the_sites_own_words(tmp_path: Path) -> None:
    found = support(config(tmp_path, words=Words(peer_support="the second-victim team")))
    assert any("the second-victim team" in card.lead for card in found.cards)
    assert not any("{" in text for card in found.cards for text in (card.lead, *card.points))


def test_helplines_are_those_of_the_country(tmp_path: Path) -> None:
    line = support(config(tmp_path)).helpline
    assert line is not None
    assert ("0805 23 23 36") in {number for _, number, _ in line.lines}
    assert support(config(tmp_path, "XX")).helpline is None


def test_the_sites_own_contacts_come_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "support.toml").write_text('contact = [["Peer team", "4711", "day and night"]]')
    assert support(config(tmp_path)).contacts == (("Peer team", "4711", "day and night"),)


@pytest.mark.parametrize("text", ["contact = [", 'contact = [["only a name"]]', "phone = 1"])
def test_a_broken_file_says_how_it_should_look_and_keeps_nothing_else_back(tmp_path: Path, text: str) -> None:
    (tmp_path / "support.toml").write_text(text)
    found = support(config(tmp_path))
    assert "contact =" in found.problem
    assert found.helpline is not None
    assert found.cards
