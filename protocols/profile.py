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
    """The attributes, in the order of PEER_ATTRIBUTES; InputError names everything that is wrong `where`."""
    unknown = [name for name in raw if name not in PEER_ATTRIBUTES]
    if unknown:
        problem, allowed = f"{where} has an unknown key {unknown[0]}", ", ".join(PEER_ATTRIBUTES)
        raise InputError("profile_unknown_key", problem, f"allowed are: {allowed}")
    wrong = [name for name, allowed in PEER_ATTRIBUTES.items() if raw.get(name) not in allowed]
    if wrong:
        missing = [name for name in wrong if raw.get(name) in (None, "")]
        problems = [f"{', '.join(missing)} in {where} {'are' if missing[1:] else 'is'} missing"] if missing else []
        problems += [f"{name} in {where} is {raw[name]!r}" for name in wrong if name not in missing]
        allowed = "; ".join(f"{name}: {', '.join(PEER_ATTRIBUTES[name])}" for name in wrong)
        raise InputError("profile_value", "; ".join(problems), f"allowed are: {allowed}")
    if (raw["type"] == EMS) != (raw["bed_band"] == NO_BEDS):
        problem = f"{where} has type {raw['type']} with bed_band {raw['bed_band']}"
        raise InputError("profile_value", problem, f"bed_band is {NO_BEDS!r} for an {EMS}, and for nobody else")
    return {name: str(raw[name]) for name in PEER_ATTRIBUTES}
