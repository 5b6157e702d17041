"""What the node knows about its site when it answers: the views over its tables, and its exposures."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from node.measures.exposure import monthly_exposures
from node.measures.views import Frame, Tables, build_views


@dataclass(frozen=True)
class SiteData:
    """One reading of the site's exports."""

    tables: Tables
    views: Mapping[str, Frame]

    @classmethod
    def of(cls, tables: Tables) -> SiteData:
        """Join the canonical tables into views."""
        return cls(tables, build_views(tables))

    def exposures(self, year: int, quarter: int) -> dict[str, tuple[int, int, int]]:
        """Public facts for the months of a quarter."""
        return monthly_exposures(self.tables, year, quarter)


class DataNotReady(Exception):
    """The exports cannot be read; the message is for the site's own log and never leaves."""


LoadSite = Callable[[], SiteData]
