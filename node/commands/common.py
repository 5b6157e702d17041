"""What every command shares: where the configuration is, and the clock."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.clock import SystemClock
from node.config import CONFIG_NAME, NodeConfig
from node.identity import load_signing_key, open_ledger
from node.ledger.store import Ledger

ConfigOption = Annotated[Path, typer.Option("--config", help="The site's node.toml.")]
CONFIG = Path(CONFIG_NAME)
CLOCK = SystemClock()


def site_ledger(settings: NodeConfig) -> Ledger:
    """The site's ledger, opened and checked with its own key."""
    return open_ledger(settings, load_signing_key(settings), CLOCK)
