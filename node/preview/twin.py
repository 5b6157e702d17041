"""A synthetic twin of the site: an invented hospital of the same size. No row of the site is ever read for it."""

from __future__ import annotations

from pathlib import Path

from node.release.site import SiteData
from node.synthetic.frames import canonical
from node.synthetic.network import synthesize_like
from node.tables.schema import TABLES
from protocols.operator.errors import InputError
from protocols.profile import parse_profile

DEFAULT_BAND = "200-299"
_SEED = 1  # of the invented people alone; noise has no seed


def twin_band(profile: Path) -> str:
    """The bed band in the site's profile, or DEFAULT_BAND while there is no profile that can be read."""
    try:
        return parse_profile(profile)["bed_band"]
    except InputError:
        return DEFAULT_BAND


def make_twin(bed_band: str, year: int) -> SiteData:
    """An invented hospital with this bed band and a year of records; tables that nobody invents yet are empty."""
    site = synthesize_like(bed_band, _SEED, year, 1)
    return SiteData.of({name: canonical(name, {}) for name in TABLES} | site.tables)
