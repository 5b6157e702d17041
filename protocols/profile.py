"""A site's profile: the public attributes by which its peers are found. Both sides read it by the same rules."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from protocols.operator.errors import InputError

SITE_ID = r"^[a-z0-9][a-z0-9-]{1,40}$"
EMS = "ems_agency"
NO_BEDS = "none"  # an EMS agency's bed band, and nobody else's

PEER_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "type": ("acute_general", "children", "cancer", "psychiatric", "rehab", EMS, "critical_access"),
    "bed_band": ("6-24", "25-49", "50-99", "100-199", "200-299", "300-399", "400-499", "500+", NO_BEDS),
    "teaching": ("major", "minor", "none"),
    "ownership": ("public", "nonprofit", "forprofit"),
    "setting": ("urban_metro", "urban_other", "rural"),
    "programme_model": ("tiered_forYOU", "on_call_RISE", "local_peer", "eap_only", "none"),
    "programme_age": ("<1y", "1-3y", "3-7y", ">7y"),
}


def parse_profile(path: Path) -> dict[str, str]:
    """A site's attributes from its profile, a TOML file with one key per attribute; InputError names what is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("profile_unreadable", f"cannot read the profile {path}: {error}", "mend it") from error
    return check_profile(raw, str(path))


def check_profile(raw: Mapping[str, object], where: str) -> dict[str, str]:
    """The attributes, in the order of PEER_ATTRIBUTES; InputError names what is wrong `where`."""
    for name in (*PEER_ATTRIBUTES, *raw):
        _check_attribute(where, name, raw.get(name))
    if (raw["type"] == EMS) != (raw["bed_band"] == NO_BEDS):
        problem = f"{where} has type {raw['type']} with bed_band {raw['bed_band']}"
        raise InputError("profile_value", problem, f"bed_band is {NO_BEDS!r} for an {EMS}, and for nobody else")
    return {name: str(raw[name]) for name in PEER_ATTRIBUTES}


def _check_attribute(where: str, name: str, value: object) -> None:
    if name not in PEER_ATTRIBUTES:
        allowed = ", ".join(PEER_ATTRIBUTES)
        raise InputError("profile_unknown_key", f"{where} has an unknown key {name}", f"allowed are: {allowed}")
    if value not in PEER_ATTRIBUTES[name]:
        found = "is missing" if value is None else f"is {value!r}"
        allowed = ", ".join(PEER_ATTRIBUTES[name])
        raise InputError("profile_value", f"{name} in {where} {found}", f"allowed are: {allowed}")
