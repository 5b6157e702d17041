"""One table against one export: how sure each pair of columns is, and the best matching as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from node.proposals.assign import best_matching
from node.proposals.fit import Fit, fit
from node.proposals.look import Seen
from node.proposals.words import likeness, names_a_number
from node.tables.keys import key_namespace
from node.tables.schema import TABLES, Column, Table

MOST_SURE = 0.98
LEAST_SURE = 0.3
_CLOSE = 0.08
_DOUBTFUL = 0.74
_WELL_MATCHED = 0.55
_FEWEST_IDS = 5
_LINK_WEIGHT = 0.75
_SHORTENED = 0.96
_LEAST_FIT = 0.15
_MOSTLY = 0.7
_LONE_DATE = 0.55
_MAY_LIST = ("event_involvement", "contributing_factor")


@dataclass(frozen=True)
class Held:
    """A column that holds the keys of a table, and its identifiers; `identifies` says that it names the rows."""

    table: str
    file: str
    source: str
    identifies: bool
    identifiers: frozenset[str]


Known = Mapping[str, tuple[Held, ...]]
"""Per namespace of keys, the columns that hold them."""


@dataclass(frozen=True)
class Pair:
    """A canonical column and a source column: how sure, from the header, the values, and identifiers held elsewhere."""

    column: Column
    source: str
    header: float
    fit: Fit
    link: float = 0.0
    link_with: str = ""

    @property
    def confidence(self) -> float:
        """1 minus the chance that header, values and links all mislead."""
        value = self.fit.value
        doubt = (1 - self.header * value) * (1 - self.fit.special) * (1 - _LINK_WEIGHT * self.link * value)
        return min(MOST_SURE, 1 - doubt) if value >= _LEAST_FIT else 0.0

    @property
    def why(self) -> str:
        """The reason in words."""
        header = (
            f'the header "{self.source}" is a known name'
            if self.header >= 0.99
            else f'the header "{self.source}" resembles a known name'
            if self.header > 0
            else "the header says nothing"
        )
        link = f"; {self.link:.0%} of its identifiers are in {self.link_with}" if self.link >= 0.3 else ""
        return f"{header}; {self.fit.why}{link}"


@dataclass(frozen=True)
class Chosen:
    """The pair that won a canonical column, its confidence after looking at rivals, and who they are."""

    pair: Pair
    confidence: float
    rivals: tuple[str, ...]


Pairs = tuple[tuple[Pair, ...], ...]
"""Every canonical column (rows) with every column of an export that may be read."""


def weigh(table: Table, seen: Seen) -> Pairs:
    """What headers and values say about every pair of columns."""
    sources = [source for source in seen.columns if source not in seen.refused]
    dated = [source for source in sources if seen.profiles[source].dates > _MOSTLY]
    lone = dated[0] if len(dated) == 1 else ""
    return tuple(tuple(_pair(table, column, seen, source, lone) for source in sources) for column in table.columns)


def match(table: Table, seen: Seen, weighed: Pairs, known: Known) -> dict[str, Chosen]:
    """The best one-to-one matching of an export's columns to a table's: canonical column -> what was chosen."""
    pairs = [[_linked(pair, table, seen, known) for pair in row] for row in weighed]
    sure = np.array([[pair.confidence for pair in row] for row in pairs]).reshape(len(pairs), -1)
    # Squares prefer one good pair to two middling ones.
    gain = np.where(sure >= LEAST_SURE, sure**2, 0.0)
    chosen = best_matching(gain)
    return {table.columns[i].name: _settle(pairs, sure, i, j, set(chosen.values())) for i, j in chosen.items()}


def _settle(pairs: Sequence[Sequence[Pair]], sure: NDArray[np.float64], i: int, j: int, used: set[int]) -> Chosen:
    """Look at what else the two columns could be: a rival that is nearly as good makes the choice doubtful."""
    own = pairs[i][j]
    confidence = float(sure[i, j])
    rivals = [
        k
        for k in range(sure.shape[1])
        if k != j and sure[i, k] >= max(0.5, confidence - _CLOSE) and pairs[i][k].header >= own.header - 0.1
    ]
    if any(k not in used for k in rivals):
        confidence = min(confidence, _DOUBTFUL)
    others = sorted((k for k in range(sure.shape[1]) if k != j and sure[i, k] >= LEAST_SURE), key=lambda k: -sure[i, k])
    return Chosen(own, confidence, tuple(pairs[i][k].source for k in others[:5]))


def _pair(table: Table, column: Column, seen: Seen, source: str, lone_date: str) -> Pair:
    split = table.name in _MAY_LIST and source in seen.parts
    values = seen.parts[source] if split and column.name != table.identity[0] else seen.profiles[source]
    found = fit(table.name, column, values, table.identity == (column.name,))
    if source == lone_date and column.required and column.kind in ("date", "datetime"):
        found = replace(found, special=_LONE_DATE, why=f"{found.why}, and no other column holds dates")
    if found.value < _LEAST_FIT:
        return Pair(column, source, 0.0, found)
    if column.kind in ("count", "number") and names_a_number(source):
        return Pair(column, source, 0.0, replace(found, value=0.0))
    names = enumerate(seen.spellings[source])
    header = max((_SHORTENED if n else 1.0) * likeness(name, table.name, column.name) for n, name in names)
    return Pair(column, source, header, found)


def _linked(pair: Pair, table: Table, seen: Seen, known: Known) -> Pair:
    if pair.column.kind != "key" or not known:
        return pair
    link, link_with = _link(table, pair.column, seen, pair.source, known)
    return replace(pair, link=link, link_with=link_with)


def _link(table: Table, column: Column, seen: Seen, source: str, known: Known) -> tuple[float, str]:
    """The greatest share of a column's identifiers that another table holds under the same kind of key."""
    own = seen.identifiers[source]
    best = (0.0, "")
    if len(own) < _FEWEST_IDS:
        return best
    for held in known.get(key_namespace(column.name), ()):
        if held.table == table.name or len(held.identifiers) < _FEWEST_IDS:
            continue
        if held.file != seen.file:
            best = max(best, (len(own & held.identifiers) / len(own), held.file))
        elif held.source == source and held.identifies:
            best = max(best, (1.0, f"{held.table}, whose rows it names"))
    return best


def known_keys(matches: Mapping[tuple[str, int], Mapping[str, Chosen]], files: Sequence[Seen]) -> Known:
    """The identifiers that well matched key columns hold, to find the columns of other tables that refer to them."""
    held: dict[str, list[Held]] = {}
    for (table, place), chosen in matches.items():
        for column in TABLES[table].columns:
            found = chosen.get(column.name)
            if column.kind == "key" and found is not None and found.confidence >= _WELL_MATCHED:
                source, seen = found.pair.source, files[place]
                identifies = TABLES[table].identity == (column.name,)
                one = Held(table, seen.file, source, identifies, seen.identifiers[source])
                held.setdefault(key_namespace(column.name), []).append(one)
    return {namespace: tuple(places) for namespace, places in held.items()}
