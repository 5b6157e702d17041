"""Which rows of an export are rows of a table: filters, multi-select columns, keys of several columns, date order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from node.proposals.look import Seen
from node.proposals.pairs import Chosen
from node.tables.codes import words_for_missing
from node.tables.dates import Order
from node.tables.mapping import Explode
from node.tables.schema import Table
from node.tables.stamps import Evidence, find_evidence

_APART = 0.95
_MOSTLY_FILLED = 0.8


def find_filter(table: Table, seen: Seen, chosen: Mapping[str, Chosen]) -> dict[str, tuple[str, ...]]:
    """The column and values that tell the rows of a table from the rest of a file; {} if all rows are, or none does.

    Rows of the table are those in which most of its required columns are filled. Its values are written down, so that
    only columns that may be read and hold nothing but short codes come into question.
    """
    needed = [c.name for c in table.columns if c.required and c.name in chosen]
    filled = [_filled(seen.cells[chosen[name].pair.source]) for name in needed]
    partly = [mask for mask in filled if not mask.all()]
    if not partly or not len(seen.cells):
        return {}
    rows = np.mean(partly, axis=0) > 0.5  # a value may be missing here and there
    if not rows.any() or rows.all():
        return {}
    found: list[tuple[float, int, str, tuple[str, ...]]] = []
    for column in seen.filters:
        values = [value for value, _ in seen.profiles[column].values]
        cells = seen.cells[column].str.strip()
        shares = {value: float(rows[(cells == value).to_numpy()].mean()) for value in values}
        kept = tuple(value for value in values if shares[value] >= 0.5)
        picked = cells.isin(kept).to_numpy(dtype=np.bool_)
        if kept and not picked.all():
            both = min(float(picked[rows].mean()), float((~picked)[~rows].mean()))
            found.append((both, -len(values), column, kept))
    best = max(found, default=None)
    return {best[2]: best[3]} if best is not None and best[0] >= _APART else {}


def rows_without(table: Table, seen: Seen, chosen: Mapping[str, Chosen], where: Mapping[str, Sequence[str]]) -> str:
    """The required column that is blank in too many of a table's rows for the import; "" if none is."""
    kept = np.ones(len(seen.cells), dtype=np.bool_)
    for name, values in where.items():
        kept &= seen.cells[name].str.strip().isin(values).to_numpy(dtype=np.bool_)
    if not kept.any():
        return ""
    needed = [c.name for c in table.columns if c.required and c.kind != "code" and c.name in chosen]
    gaps = [name for name in needed if _filled(seen.cells[chosen[name].pair.source])[kept].mean() < _MOSTLY_FILLED]
    return gaps[0] if gaps else ""


def find_lists(table: Table, seen: Seen, chosen: Mapping[str, Chosen]) -> Explode | None:
    """The multi-select columns among the chosen ones, the person or factor first."""
    lists = [
        (not column.required, column.name == "role_group", chosen[column.name].pair.source)
        for column in table.columns
        if column.name in chosen and chosen[column.name].pair.source in seen.parts and column.name != table.identity[0]
    ]
    if not lists:
        return None
    first = sorted(lists)[0][2]
    mark = seen.profiles[first].separator
    columns = [source for _, _, source in sorted(lists) if seen.profiles[source].separator == mark]
    return Explode(columns=tuple(columns), separator=mark)


def find_order(table: Table, seen: Seen, chosen: Mapping[str, Chosen]) -> tuple[Order | None, str]:
    """The order of the dates if they prove one without contradiction, and the question if they do not."""
    dated = [c.name for c in table.columns if c.kind in ("date", "datetime", "month") and c.name in chosen]
    found = sum((find_evidence(_given(seen.cells[chosen[n].pair.source])) for n in dated), Evidence())
    if found.mixed:
        return None, "Some dates have the day first and some the month: which is right for most of them?"
    if found.order is None and found.undecided:
        return None, "No date shows whether the day or the month comes first: which is it?"
    return found.order, ""


def find_time(seen: Seen, date_column: str, used: set[str]) -> str:
    """A column of clock times beside a date without them; "" if there is none."""
    if seen.profiles[date_column].clocked > 0.2:
        return ""
    times = [c for c in seen.columns if c not in used and seen.profiles[c].times > 0.7 and c not in seen.refused]
    after = [c for c in times if seen.columns.index(c) > seen.columns.index(date_column)]
    return after[0] if after and seen.columns.index(after[0]) - seen.columns.index(date_column) <= 2 else ""


def _filled(cells: pd.Series[str]) -> NDArray[np.bool_]:
    return (~cells.str.strip().str.casefold().isin(words_for_missing("value"))).to_numpy(dtype=np.bool_)


def _given(cells: pd.Series[str]) -> pd.Series[str]:
    text = cells.str.strip()
    return text[text != ""]
