"""Becoming a site of the network, and ceasing to be one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.enrolment import init_site
from protocols.operator.console import Format, FormatOption, say


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(init)


def init(
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the new site.")],
    site_id: Annotated[str, typer.Option("--site-id", help="Lower-case letters, digits and hyphens.")],
    pso_key: Annotated[Path, typer.Option("--pso-key", help="The PSO's public key file.")],
    exports: Annotated[Path, typer.Option("--exports", help="Folder with the exports and mapping.toml.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Make a site: folder, keys and configuration. Prints the fingerprint to compare with the PSO."""
    made = init_site(folder, site_id, pso_key, exports)
    text = (
        f"Made {made.config}.\nSend {made.public_key} to the PSO, and compare this fingerprint by telephone:\n"
        f"  {made.fingerprint}\nThe PSO reads you the fingerprint of its own key, which must be:\n"
        f"  {made.pso_fingerprint}\nNext: leadline-node quality --config {made.config}"
    )
    data = {"config": str(made.config), "public_key": str(made.public_key), "fingerprint": made.fingerprint}
    data["pso_fingerprint"] = made.pso_fingerprint
    say(how, text, data)
