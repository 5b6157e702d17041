"""Peer groups from the public attributes of sites."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coordinator.benchmarks.model import SiteFigures
from protocols.publication.words import PEER_GROUPS

EVERYONE = "all"

_GROUP_OF_BAND = {
    "6-24": "beds-under-100",
    "25-49": "beds-under-100",
    "50-99": "beds-under-100",
    "100-199": "beds-100-299",
    "200-299": "beds-100-299",
    "300-399": "beds-300-plus",
    "400-499": "beds-300-plus",
    "500+": "beds-300-plus",
}


@dataclass(frozen=True)
class PeerGroup:
    """Sites that are compared with each other."""

    id: str
    title: str
    site_ids: frozenset[str]


def size_group(site: SiteFigures) -> str | None:
    """Type x size: EMS agencies, or hospitals by beds (noise relative to counts is a matter of size); None if
    unknown.
    """
    if site.attributes.get("type") == "ems_agency":
        return "ems"
    return _GROUP_OF_BAND.get(site.attributes.get("bed_band", ""))


def peer_groups(figures: Sequence[SiteFigures]) -> tuple[PeerGroup, ...]:
    """Everyone (also when there is nobody), then the size groups that have a site; a site is in at most one
    of those.
    """
    members = {group: frozenset(s.site_id for s in figures if size_group(s) == group) for group in PEER_GROUPS}
    members[EVERYONE] = frozenset(s.site_id for s in figures)
    return tuple(
        PeerGroup(group, PEER_GROUPS[group], ids) for group, ids in members.items() if ids or group == EVERYONE
    )
