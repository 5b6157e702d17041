"""What the node knows about its site when it answers: the views over its tables, and its exposures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from node.measures.cases import answerable
from node.measures.exposure import monthly_exposures
from node.measures.joins import Frame, Tables
from node.measures.views import build_views
from node.tables.schema import TABLES
from protocols.catalogue.model import Tally


@dataclass(frozen=True)
class SiteData:
    """One reading of the site's exports."""

    tables: Tables
    views: Mapping[str, Frame]
    exported: frozenset[str]

    @classmethod
    def of(cls, tables: Tables, exported: frozenset[str] = frozenset(TABLES)) -> SiteData:
        """Join the canonical tables into views. `exported` are the tables that the site's mapping fills."""
        return cls(tables, build_views(tables), exported)

    def can_answer(self, tally: Tally) -> bool:
        """Whether the site exports what the tally counts; otherwise it would report nobody where nobody looked."""
        return answerable(tally, self.exported)

    def exposures(self, year: int, quarter: int) -> dict[str, tuple[int, int, int]]:
        """Public facts for the months of a quarter."""
        return monthly_exposures(self.tables, year, quarter)


class DataNotReady(Exception):
    """The exports cannot be read; the message is for the site's own log and never leaves."""


LoadSite = Callable[[], SiteData]
