"""The rows of one publication, found by measure, year, peer group and stratum."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from protocols.publication.document import Publication
from protocols.publication.rows import BenchmarkRow, Status

EVERYBODY = "all"
WHOLE = "all"


class Rows:
    """An index over a publication's rows. Rows keep the order in which they were published."""

    def __init__(self, publication: Publication) -> None:
        self.publication = publication

    @cached_property
    def years(self) -> tuple[int, ...]:
        """The years with yearly rows, rising."""
        return tuple(sorted({row.period_start.year for row in self.publication.rows if row.grain == "year"}))

    @cached_property
    def newest_shown_year(self) -> int | None:
        """The newest year of which anything is published; the newest at all if nothing is, None without rows."""
        shown = [
            row.period_start.year for row in self.publication.rows if row.grain == "year" and row.status is Status.OK
        ]
        return max(shown or self.years, default=None)

    def year(self, measure: str, year: int, peer_group: str = EVERYBODY) -> tuple[BenchmarkRow, ...]:
        """The rows of a measure in a year: one, or one per cell of a histogram; empty if nobody asked for it."""
        rows = self._yearly.get((measure, year), ())
        return tuple(row for row in rows if row.peer_group == peer_group)

    def groups(self, measure: str, year: int) -> tuple[str, ...]:
        """The peer groups with rows of a measure in a year, in published order."""
        return tuple(dict.fromkeys(row.peer_group for row in self._yearly.get((measure, year), ())))

    def series(self, measure: str, grain: str) -> tuple[BenchmarkRow, ...]:
        """The rows over all sites of a measure's years, quarters or months, in order of time."""
        rows = (
            row
            for row in self.publication.rows
            if (row.measure, row.grain, row.peer_group, row.stratum) == (measure, grain, EVERYBODY, WHOLE)
        )
        return tuple(sorted(rows, key=lambda row: row.period_start))

    def trend(self, measure: str) -> tuple[BenchmarkRow, ...]:
        """The finest series that shows at least four periods: quarters, else months; empty if there is none."""
        for grain in ("quarter", "month"):
            rows = self.series(measure, grain)
            if sum(row.status is Status.OK for row in rows) >= 4:
                return rows
        return ()

    @cached_property
    def _yearly(self) -> dict[tuple[str, int], list[BenchmarkRow]]:
        index: dict[tuple[str, int], list[BenchmarkRow]] = {}
        for row in self.publication.rows:
            if row.grain == "year":
                index.setdefault((row.measure, row.period_start.year), []).append(row)
        return index

    @cached_property
    def held_back(self) -> tuple[BenchmarkRow, ...]:
        """All rows that are not published."""
        return tuple(row for row in self.publication.rows if row.status is not Status.OK)


def only(rows: Sequence[BenchmarkRow]) -> BenchmarkRow | None:
    """The single row of a measure that is no histogram; None if there is none."""
    return next((row for row in rows if row.stratum == WHOLE), None)
