"""How far this clock is from the SuperLink's, as preflight measured it last; metrics show it to the monitoring."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from node.config import NodeConfig
from node.files import put_file


@dataclass(frozen=True)
class Skew:
    """This clock minus the other, in seconds, and when that was."""

    skew_s: float
    at_s: int


def keep_skew(config: NodeConfig, skew: Skew) -> None:
    """Remember a measurement."""
    put_file(_path(config), json.dumps(asdict(skew)).encode())


def kept_skew(config: NodeConfig) -> Skew | None:
    """The last measurement, if there is one that can be read."""
    try:
        fields = json.loads(_path(config).read_bytes())
        return Skew(float(fields["skew_s"]), int(fields["at_s"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(config: NodeConfig) -> Path:
    return config.paths.journal.with_name("clock.json")
