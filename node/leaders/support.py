"""What a leader says and does when somebody is in distress, and whom to call. Words and numbers are data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from pydantic import Field, ValidationError

from node.config import NodeConfig, Words
from protocols.operator.settings import Section

OWN_FILE = "support.toml"
_PACKAGED = Path(__file__).parent / "support.toml"


class Card(Section):
    """One idea: a lead sentence and what follows from it."""

    title: str
    lead: str
    points: tuple[str, ...]


class Helpline(Section):
    """The numbers of one country: emergency, and lines as (name, number, note)."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    emergency: str
    lines: tuple[tuple[str, str, str], ...]


class _Document(Section):
    written_down: date
    card: tuple[Card, ...]
    helpline: tuple[Helpline, ...]


class _OwnDocument(Section):
    contact: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Support:
    """The support page: `contacts` are the site's own, `helpline` its country's, None where none is known.

    `problem` says why the site's own file cannot be read; the page is shown all the same.
    """

    cards: tuple[Card, ...]
    contacts: tuple[tuple[str, str, str], ...]
    helpline: Helpline | None
    countries: tuple[str, ...]
    written_down: date
    problem: str


def support(config: NodeConfig) -> Support:
    """Cards in the site's own words, its own contacts (support.toml beside node.toml, if there is one), helplines."""
    packaged = _packaged()
    lines = {item.country: item for item in packaged.helpline}
    contacts, problem = _own_contacts(config.paths.profile.with_name(OWN_FILE))
    return Support(
        cards=tuple(_in_words(card, config.words) for card in packaged.card),
        contacts=contacts,
        helpline=lines.get(config.console.country),
        countries=tuple(sorted(lines)),
        written_down=packaged.written_down,
        problem=problem,
    )


@cache
def _packaged() -> _Document:
    return _Document.model_validate(tomllib.loads(_PACKAGED.read_text(encoding="utf-8")))


def _in_words(card: Card, words: Words) -> Card:
    own: Mapping[str, str] = words.model_dump()
    lead, *points = (text.format_map(own) for text in (card.lead, *card.points))
    return Card(title=card.title, lead=lead, points=tuple(points))


def _own_contacts(path: Path) -> tuple[tuple[tuple[str, str, str], ...], str]:
    """The site's own contacts, and what is wrong with its file."""
    if not path.is_file():
        return (), ""
    try:
        return _OwnDocument.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).contact, ""
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError):
        return (), f'{path.name} cannot be read. It holds one list: contact = [["Name", "Number", "When"], …]'
