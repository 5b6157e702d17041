"""Which sites a publication uses. A publication that differs from the one before by a site or two would show them.

The gate compares groups within one publication. This rule does the same over time: once a year's figures were
published, late sites join by size group, and no fewer at a time than `min_difference`; until then they wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from coordinator.benchmarks.model import SiteFigures
from coordinator.benchmarks.peers import size_group
from coordinator.store.schema import Site


def admitted(sites: Sequence[Site], before: Collection[str], min_difference: int) -> frozenset[str]:
    """Ids of the sites to use, given those that the publication before this one used (none: all may join)."""
    if not before:
        return frozenset(site.site_id for site in sites)
    newcomers: dict[str | None, list[str]] = defaultdict(list)
    for site in sites:
        if site.site_id not in before:
            newcomers[size_group(SiteFigures(site.site_id, site.attributes, {}, {}))].append(site.site_id)
    joining = [site_id for group in newcomers.values() if len(group) >= min_difference for site_id in group]
    return frozenset(before) | frozenset(joining)
