"""A proposal beside the mapping that is right: which columns were found, and which are wrong."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.proposals import Proposal
from node.proposals.model import SURE
from node.tables.schema import TABLES

Place = tuple[str, str, str | None, str]
Origin = tuple[tuple[str, ...], str | None]


@dataclass(frozen=True)
class Comparison:
    """Columns by table, file, sheet and name: those that are right of those required, and what is wrong."""

    required: frozenset[Place]
    right: frozenset[Place]
    absent: frozenset[Place]
    wrong: frozenset[Place]
    wrong_and_sure: frozenset[Place]

    @property
    def share_of_required(self) -> float:
        return len(self.required & self.right) / len(self.required)


def compare(proposal: Proposal, truth: Path) -> Comparison:
    expected = _expected(tomllib.loads(truth.read_text(encoding="utf-8")))
    proposed = {
        (source.table, source.file, source.sheet, choice.column): (choice.origin, choice)
        for source in proposal.sources
        for choice in source.choices
    }
    found: dict[Place, Origin] = {
        place: (origin.source_columns, origin.constant) for place, (origin, _) in proposed.items()
    }
    right = {place for place, origin in expected.items() if found.get(place) == origin}
    wrong = set(found) - right
    return Comparison(
        required=frozenset(place for place in expected if TABLES[place[0]].column(place[3]).required),
        right=frozenset(right),
        absent=frozenset(expected.keys() - right),
        wrong=frozenset(wrong),
        wrong_and_sure=frozenset(place for place in wrong if proposed[place][1].confidence >= SURE),
    )


def _expected(mapping: dict[str, Any]) -> dict[Place, Origin]:
    return {
        (source["table"], source["file"], source.get("sheet"), column): _origin(value)
        for source in mapping["source"]
        for column, value in source["columns"].items()
    }


def _origin(value: str | dict[str, Any]) -> Origin:
    if isinstance(value, str):
        return (value,), None
    single = tuple(value[key] for key in ("column", "time") if key in value)
    return (*single, *value.get("columns", ()), *value.get("checkbox", {})), value.get("constant")
