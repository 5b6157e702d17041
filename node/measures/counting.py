"""Admission over the slices of a year, and the integer tables of a plan. No number of this module may leave the node.

What was admitted in sealed slices is kept (`Contributions`), so an export that is edited, reordered or repeated
between slices can neither lift a unit above its cap nor change what an earlier slice counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from node.measures.cases import Cases
from privacy.bounds import admit
from privacy.strategy import MONTHS, Shape, TableSpec, slice_rows
from protocols.catalogue.model import UNKNOWN, Tally
from protocols.plan import GRAINS
from protocols.v1 import leadline_pb2 as pb

_KEY_COLUMNS = ["unit_key", "row_key"]


@dataclass(frozen=True)
class Contributions:
    """Admitted cases of one plan and tally: columns unit_key, row_key, month (1..12), cell, and one per stratum.

    Stratum columns hold positions in the stratum's codes.
    """

    frame: pd.DataFrame

    @classmethod
    def none(cls, tally: Tally) -> Contributions:
        """No case yet."""
        columns = {"unit_key": object, "row_key": object, "month": np.int64, "cell": np.int64}
        columns |= dict.fromkeys(tally.strata, np.int64)
        return cls(pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in columns.items()}))

    def joined(self, later: Contributions) -> Contributions:
        """These and later ones."""
        return Contributions(pd.concat([self.frame, later.frame], ignore_index=True))


def admit_cases(tally: Tally, found: Cases, before: Contributions, year: int, months: Sequence[int]) -> Contributions:
    """The cases of `months` (1..12) of a ledger year that count, given what was admitted in the months before them."""
    month_index = found.entry.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) - (year - 1970) * MONTHS
    frame = pd.DataFrame(
        {"unit_key": found.unit_key, "row_key": found.row_key, "month": month_index + 1, "cell": found.cell}
        | {name: _positions(codes, tally.strata[name]) for name, codes in found.strata.items()}
    )
    frame["entry"] = found.entry
    frame = frame[frame["month"].isin(list(months))]
    seen = pd.MultiIndex.from_frame(before.frame[_KEY_COLUMNS])
    frame = frame[~pd.MultiIndex.from_frame(frame[_KEY_COLUMNS]).isin(seen)]
    frame = frame.sort_values(["entry", "row_key"], kind="stable").drop_duplicates(_KEY_COLUMNS)
    unit = _whole(pd.factorize(frame["unit_key"])[0])
    counted = before.frame.groupby("unit_key").size()
    already = _whole(frame["unit_key"].map(counted).fillna(0))
    kept = admit(unit, np.arange(len(frame), dtype=np.int64), already, tally.cap)
    return Contributions(frame[kept].drop(columns="entry").reset_index(drop=True))


def _positions(codes: NDArray[np.object_], known: tuple[str, ...]) -> NDArray[np.int64]:
    position = {code: index for index, code in enumerate(known)}
    return _whole(pd.Series(codes, dtype=object).map(position).fillna(position[UNKNOWN]))


def _whole(values: object) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


def table_spec(table: pb.Table) -> TableSpec:
    """The shape that `privacy.strategy` works with."""
    return TableSpec(GRAINS[table.grain].months, bool(table.stratum), table.by_cell)


def count_slice(tally: Tally, table: pb.Table, contributions: Contributions, quarter: int) -> NDArray[np.int64]:
    """The values of `table` that close in `quarter`, in the order of `protocols.plan.labels`; exact, protected."""
    spec, frame = table_spec(table), contributions.frame
    codes = len(tally.strata[table.stratum]) if table.stratum else 1
    shape = Shape(codes, len(tally.cell_names))
    period = (_whole(frame["month"]) - 1) // spec.months
    stratum = _whole(frame[table.stratum]) if table.stratum else np.zeros_like(period)
    cells = shape.cells if table.by_cell else 1
    cell = _whole(frame["cell"]) if table.by_cell else np.zeros_like(period)
    position = (period * codes + stratum) * cells + cell
    counts = np.zeros(spec.rows(shape), dtype=np.int64)
    np.add.at(counts, position, 1)
    return counts[slice_rows(spec, shape, quarter)]
