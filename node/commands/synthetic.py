"""An invented network to try Leadline with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def synthetic(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    sites: Annotated[int, typer.Option("--sites", min=1, max=500, help="How many sites.")] = 8,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the data; noise has none.")] = 1,
    first_year: Annotated[int, typer.Option("--first-year", min=2000, max=2200, help="First ledger year.")] = 2023,
    years: Annotated[int, typer.Option("--years", min=1, max=10, help="How many ledger years.")] = 3,
) -> None:
    """Write messy exports of invented hospitals, and the truth about them, to try Leadline with."""
    from node.synthetic.write import write_network  # noqa: PLC0415 - keeps the invented world out of the daemon

    write_network(out, sites, seed, first_year, years)
    print(f"Wrote {sites} synthetic sites and truth.csv to {out}.")
