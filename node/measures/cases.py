"""From a view to cases: what counts, for whom, in which month, stratum and cell. One row of the result is one case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from node.measures.joins import Column, Frame
from node.measures.views import ONLY_EXPORTED, TABLES_BEHIND_COLUMN, TABLES_BEHIND_VIEW
from protocols.catalogue.model import (
    Catalogue,
    CodeCells,
    DateEntry,
    DurationCells,
    OutcomeEntry,
    Tally,
)

ProtectedUnit = Literal["clinician", "record", "encounter"]

EPISODES = "support_episode"

_HOURS = {"hours": 1, "days": 24}


class VocabularyError(Exception):
    """A tally of the catalogue names a view or a column that this version does not have."""


@dataclass(frozen=True)
class Cases:
    """Columns of equal length, in no particular order.

    `unit_key` (str) is what the cap holds for, `row_key` (str) identifies the case, `entry` (days since 1970) is when
    it enters, `cell` the position in the tally's cells, `strata` the code of each stratum or None.
    """

    unit_key: NDArray[np.object_]
    row_key: NDArray[np.object_]
    entry: NDArray[np.int64]
    cell: NDArray[np.int64]
    strata: Mapping[str, NDArray[np.object_]]


def protected_unit(tally: Tally, person_keys: bool) -> ProtectedUnit:
    """What the noise of `tally` protects at a site that does, or does not, have a key per person."""
    if tally.unit == "clinician" and not person_keys:
        return "encounter"
    return tally.unit


def check_vocabulary(catalogue: Catalogue, views: Mapping[str, Frame]) -> None:
    """VocabularyError if the catalogue needs a view or a column that is not there."""
    for tally in catalogue.tallies:
        if tally.view not in views:
            raise VocabularyError(f"tally {tally.id}: there is no view {tally.view!r}")
        missing = needed_columns(tally) - set(views[tally.view].columns)
        if missing:
            raise VocabularyError(f"tally {tally.id}: view {tally.view} has no columns {sorted(missing)}")


def needed_columns(tally: Tally) -> set[str]:
    """The columns of its view that `tally` reads."""
    entry = tally.entry
    dates = {entry.column} if isinstance(entry, DateEntry) else {entry.start, entry.end, entry.censor}
    cells = {tally.cells.column} if isinstance(tally.cells, CodeCells) else set()
    conditions = {condition.column for condition in tally.where}
    return {tally.key, *conditions, *(d for d in dates if d), *cells, *tally.strata}


def tables_behind(tally: Tally) -> frozenset[str]:
    """The canonical tables without which `tally` would count nobody for want of an export."""
    columns = [TABLES_BEHIND_COLUMN.get(column, frozenset()) for column in needed_columns(tally) - set(tally.strata)]
    return TABLES_BEHIND_VIEW[tally.view].union(*columns)


def answerable(tally: Tally, exported: frozenset[str]) -> bool:
    """Whether a site with these exports counts what `tally` asks for, and not nobody for want of an export.

    Episodes that an import derives from encounters will do, but not for what only an export can tell of them.
    """
    derived = {EPISODES} if "support_encounter" in exported and not needed_columns(tally) & ONLY_EXPORTED else set()
    return tables_behind(tally) <= exported | derived


def cases(tally: Tally, view: Frame, person_keys: bool = True) -> Cases:
    """The cases of `tally` in `view`: conditions met, unit known, entry date known."""
    rows = view
    for condition in tally.where:
        rows = rows[rows[condition.column].isin(condition.one_of)]
    key = tally.key if protected_unit(tally, person_keys) != "encounter" else "row_key"
    rows = rows[rows[key].notna()]
    entry, cell = _entry_and_cell(tally, rows)
    placed = entry.notna().to_numpy() & (cell >= 0)
    rows, entry, cell = rows[placed], entry[placed], cell[placed]
    return Cases(
        unit_key=rows[key].to_numpy(dtype=object),
        row_key=rows["row_key"].to_numpy(dtype=object),
        entry=entry.to_numpy().astype("datetime64[D]").astype(np.int64),
        cell=cell,
        strata={stratum: rows[stratum].to_numpy(dtype=object) for stratum in tally.strata},
    )


def _entry_and_cell(tally: Tally, rows: Frame) -> tuple[Column, NDArray[np.int64]]:
    if isinstance(tally.entry, DateEntry):
        entry = rows[tally.entry.column] + pd.Timedelta(days=tally.entry.lag_days)
        return entry.dt.normalize(), _code_cells(tally, rows)
    return _outcomes(tally, tally.entry, rows)


def _code_cells(tally: Tally, rows: Frame) -> NDArray[np.int64]:
    if not isinstance(tally.cells, CodeCells):
        return np.zeros(len(rows), dtype=np.int64)
    position = {code: index for index, code in enumerate(tally.cells.codes)}
    codes = rows[tally.cells.column].map(position)
    return codes.fillna(position[tally.cells.other]).to_numpy().astype(np.int64)


def _outcomes(tally: Tally, rule: OutcomeEntry, rows: Frame) -> tuple[Column, NDArray[np.int64]]:
    """Entry date and cell of cases that wait for an outcome; cell -1 where the start is unknown or after the end."""
    start, end = rows[rule.start], rows[rule.end]
    limit = rule.horizon * _HOURS[rule.unit]
    elapsed = _hours(end - start)
    happened = (elapsed >= 0) & (elapsed <= limit)
    entry = end.where(happened, start + pd.Timedelta(hours=limit)).dt.normalize()
    if not isinstance(tally.cells, DurationCells):
        return entry, np.where(elapsed < 0, -1, _code_cells(tally, rows))
    bins = len(tally.cells.bins)
    edges = np.asarray(tally.cells.edges, dtype=np.float64) * _HOURS[rule.unit]
    cell = np.where(happened, _bin(elapsed, edges), len(tally.cell_names) - 1)
    if rule.censor is not None:
        followed = _hours(rows[rule.censor] - start)
        lost = end.isna().to_numpy() & (followed >= 0) & (followed < limit)
        cell = np.where(lost, bins + _bin(followed, edges), cell)
    return entry, np.where(elapsed < 0, -1, cell).astype(np.int64)


def _hours(elapsed: Column) -> NDArray[np.float64]:
    return elapsed.dt.total_seconds().to_numpy(dtype=np.float64) / 3600


def _bin(value: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Bin of each value: lower <= value < upper, the last bin with its upper edge."""
    inside = np.searchsorted(edges, value, side="right") - 1
    return np.clip(inside, 0, len(edges) - 2)
