"""Hand-made tables counted by a tally of the shipped catalogue, as a year of releases would count them."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from node.measures.cases import cases
from node.measures.counting import Contributions, admit_cases
from node.measures.views import build_views
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Tally
from tests.node.measures.canonical import Row, tables

CATALOGUE, _ = current_catalogue()
YEAR = 2024
MONTHS = range(1, 13)


def admitted(tally: Tally, views: dict[str, pd.DataFrame], year: int = YEAR) -> pd.DataFrame:
    """The cases that count in a year."""
    return admit_cases(tally, cases(tally, views[tally.view]), Contributions.none(tally), year, MONTHS).frame


def counted(tally_id: str, year: int = YEAR, **given: list[Row]) -> dict[tuple[int, str], int]:
    """Count by month and cell; what is not there is zero."""
    tally = CATALOGUE.tally(tally_id)
    rows = admitted(tally, build_views(tables(**given)), year)
    return dict(Counter((int(m), tally.cell_names[c]) for m, c in zip(rows["month"], rows["cell"], strict=True)))


def split(tally_id: str, stratum: str, **given: list[Row]) -> dict[str, int]:
    """Count by the codes of a stratum."""
    tally = CATALOGUE.tally(tally_id)
    rows = admitted(tally, build_views(tables(**given)))
    return dict(Counter(tally.strata[stratum][code] for code in rows[stratum]))
