"""Whether the exports cover a period at all: a figure of half a year must not be laid beside whole ones."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import pandas as pd

from node.measures.cases import tables_behind
from node.release.site import SiteData
from protocols.catalogue.model import Tally
from protocols.periods import Period

# Tables in which a site that is at work has rows every year, and the day that a row belongs to.
_DATED = {
    "safety_event": "event_date",
    "support_activation": "activation_datetime",
    "support_encounter": "encounter_date",
    "support_episode": "event_date",
    "survey_wave": "closed",
    "shift_staffing": "shift_date",
}


class Coverage(StrEnum):
    """How far the exports cover a period."""

    WHOLE = "whole"
    PART = "part"
    NOTHING = "nothing"


def coverage(site: SiteData, tallies: Iterable[Tally], periods: Iterable[Period]) -> Coverage:
    """NOTHING if a table behind a figure has no row in one of the periods; PART if staff is declared for some of their
    months only, or a period is not over yet; what a site does not declare staff for, it has not exported whole.
    """
    wanted = tuple(periods)
    tables = frozenset[str]().union(*map(tables_behind, tallies)) & _DATED.keys()
    if any(not _has_rows(site.tables[table][_DATED[table]], period) for table in tables for period in wanted):
        return Coverage.NOTHING
    declared = set(site.tables["staffing_period"]["period"].dropna())
    months = {pd.Timestamp(p.year, m, 1) for p in wanted for m in range(p.first_month, p.last_month + 1)}
    return Coverage.WHOLE if months <= declared else Coverage.PART


def _has_rows(days: pd.Series[pd.Timestamp], period: Period) -> bool:
    year = pd.Timestamp(period.year, 1, 1), pd.Timestamp(period.year, 12, 31, 23, 59, 59)
    return bool(days.between(*year).any())
