"""Exact counts of a ledger year, by the same rules by which a release counts, and without noise. They stay inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from node.measures.cases import cases
from node.measures.counting import Contributions, admit_cases
from node.release.site import SiteData
from privacy.strategy import MONTHS
from protocols.catalogue.model import Tally
from protocols.periods import Period

ROLE = "role_group"


@dataclass(frozen=True)
class YearCounts:
    """Exact cases of a tally in a ledger year: `cells` of shape (12 months, cells), `roles` by role group."""

    cells: NDArray[np.int64]
    roles: Mapping[str, int]

    def within(self, period: Period) -> NDArray[np.int64]:
        """Cases per cell in a period of the year, shape (cells,)."""
        total: NDArray[np.int64] = self.cells[period.first_month - 1 : period.last_month].sum(axis=0)
        return total


def count_year(tally: Tally, site: SiteData, year: int, person_keys: bool) -> YearCounts:
    """Admit the cases of a year as a release would, the cap included, and count them.

    The cap belongs to the definition: "clinicians supported" are distinct people because the cap is 1.
    """
    found = cases(tally, site.views[tally.view], person_keys)
    admitted = admit_cases(tally, found, Contributions.none(tally), year, range(1, MONTHS + 1)).frame
    counts = np.zeros((MONTHS, len(tally.cell_names)), dtype=np.int64)
    np.add.at(counts, (admitted["month"].to_numpy() - 1, admitted["cell"].to_numpy()), 1)
    roles = {}
    if ROLE in tally.strata:
        by_role = np.bincount(admitted[ROLE].to_numpy(dtype=np.int64), minlength=len(tally.strata[ROLE]))
        roles = {code: int(count) for code, count in zip(tally.strata[ROLE], by_role, strict=True)}
    return YearCounts(counts, roles)
