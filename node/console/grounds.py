"""What each measure stands on: the inputs behind it, and how much of them the exports really know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from node.measures.cases import answerable, tables_behind
from node.tables.quality import InputQuality, QualityReport
from protocols.catalogue.model import Catalogue, Measure

_INPUT_WORDS = {
    "event_link": "linked to what it belongs to",
    "person": "person known",
    "role": "role known",
    "time": "clock time known",
    "outcome": "outcome known",
}


@dataclass(frozen=True)
class Ground:
    """One input, and the measures whose tables it belongs to."""

    found: InputQuality
    words: str
    measures: tuple[Measure, ...]


def grounds(report: QualityReport, catalogue: Catalogue) -> tuple[Ground, ...]:
    """The inputs on which measures stand, the least known first."""
    behind = [(measure, _tables(catalogue, measure)) for measure in catalogue.measures]
    found = [
        Ground(item, _INPUT_WORDS[item.input], tuple(measure for measure, tables in behind if item.table in tables))
        for item in report.inputs
    ]
    return tuple(sorted((ground for ground in found if ground.measures), key=lambda ground: ground.found.percent))


def not_answered(exported: Collection[str], catalogue: Catalogue) -> tuple[Measure, ...]:
    """The measures that no export is mapped to the tables of."""
    tables = frozenset(exported)
    return tuple(m for m in catalogue.measures if not all(answerable(catalogue.tally(t), tables) for t in m.tallies))


def _tables(catalogue: Catalogue, measure: Measure) -> frozenset[str]:
    return frozenset[str]().union(*(tables_behind(catalogue.tally(tally)) for tally in measure.tallies))
