"""The publication gate: rules on the list of contributors and their public exposure, never on counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations

from pydantic import BaseModel, ConfigDict, Field

from protocols.publication.rows import Status

QUARTILES = (25, 50, 75)
TAILS = (10, 90)


class GateRules(BaseModel):
    """The thresholds. Five sites and 25 % are the custom that the withdrawn DOJ/FTC safety zone left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_sites: int = Field(default=5, ge=1)
    max_share: float = Field(default=0.25, gt=0, le=1)
    min_difference: int = Field(default=3, ge=1)
    percentile_sites: int = Field(default=8, ge=2)
    tail_sites: int = Field(default=20, ge=2)
    embargo_days: int = Field(default=90, ge=0)

    def at_least(self, sites: int) -> GateRules:
        """The rules for a measure that may be published from `sites` sites on only."""
        return self.model_copy(update={"min_sites": sites}) if sites > self.min_sites else self

    def recency(self, period_end: date, today: date) -> Status:
        """TOO_RECENT until `embargo_days` after the period's last day have passed."""
        return Status.TOO_RECENT if today < period_end + timedelta(days=self.embargo_days) else Status.OK

    def participation(self, exposures: Sequence[float]) -> Status:
        """Enough contributors, none of which dominates; `exposures` is one positive public number per
        contributor.
        """
        if len(exposures) < self.min_sites:
            return Status.TOO_FEW_SITES
        return Status.DOMINATED if max(exposures) > self.max_share * sum(exposures) else Status.OK

    def percentile_levels(self, sites: int) -> tuple[int, ...]:
        """The percentiles that this many sites' values may carry, in rising order."""
        levels = QUARTILES if sites >= self.percentile_sites else ()
        return tuple(sorted(levels + TAILS)) if levels and sites >= self.tail_sites else levels

    def differencing(self, members: Mapping[str, frozenset[str]]) -> frozenset[str]:
        """Ids of the groups to hold back because a difference of published groups would show fewer than 3
        sites.

        The larger of two groups is published, of equals the one named first. A union of published groups that
        do not overlap is as good as published, for sums add: without the small EMS group, "all" minus the
        size groups would show it.
        """
        order = list(members)
        kept: list[str] = []
        for group in sorted(order, key=lambda g: (-len(members[g]), order.index(g))):
            if all(self._apart(members[group], members[other]) for other in kept) and self._unions_apart(
                [*(members[other] for other in kept), members[group]]
            ):
                kept.append(group)
        return frozenset(order) - frozenset(kept)

    def _apart(self, one: frozenset[str], other: frozenset[str]) -> bool:
        return len(one ^ other) >= self.min_difference

    def _unions_apart(self, groups: Sequence[frozenset[str]]) -> bool:
        """No group minus a union of two or more disjoint ones inside it leaves 1 or 2 sites; nothing left
        shows nothing.
        """
        for whole in groups:
            inside = [group for group in groups if group < whole]
            for count in range(2, len(inside) + 1):
                for parts in combinations(inside, count):
                    union = frozenset().union(*parts)
                    disjoint = len(union) == sum(map(len, parts))
                    if disjoint and 0 < len(whole - union) < self.min_difference:
                        return False
        return True
