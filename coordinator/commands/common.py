"""What every command shares: where the configuration is, the clock, and the database opened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from coordinator.clock import SystemClock
from coordinator.config import CONFIG_NAME, Config, load_config
from coordinator.store.database import Store

ConfigOption = Annotated[Path, typer.Option("--config", help="The coordinator.toml.")]
YearOption = Annotated[int, typer.Option("--year", help="The ledger year, a calendar year.")]
SiteOption = Annotated[str, typer.Option("--site-id", help="The site.")]
CONFIG = Path(CONFIG_NAME)
CLOCK = SystemClock()


@contextmanager
def opened(config: Path) -> Iterator[tuple[Config, Store]]:
    """The configuration and its database, checked."""
    settings = load_config(config)
    store = Store(settings.paths.database, CLOCK)
    store.check()
    try:
        yield settings, store
    finally:
        store.close()
