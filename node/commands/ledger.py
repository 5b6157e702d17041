"""The record of every charge and release: show it, check it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.commands.common import CONFIG, ConfigOption, site_ledger
from node.config import load_config
from node.ledger.budget import describe_entry
from node.ledger.files import verify_file
from protocols.keys import load_public_key
from protocols.operator.console import Format, FormatOption, say

app = typer.Typer(help="The record of every charge and release.", no_args_is_help=True)


@app.command("show")
def ledger_show(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Every entry: what was reserved and sealed, when, and at what cost."""
    entries = [describe_entry(entry) for entry in site_ledger(load_config(config)).entries()]
    say(how, "\n".join(str(entry["text"]) for entry in entries), {"entries": entries})


@app.command("verify")
def ledger_verify(
    ledger: Annotated[Path, typer.Argument(help="The ledger file.")],
    key: Annotated[Path, typer.Option("--key", help="The site's public key file.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Check chain, signatures and sealed answers with the public key alone: anybody can."""
    head = verify_file(ledger, load_public_key(key))
    text = f"The ledger holds together: {head.entries} entries, head {head.head.hash.hex()}."
    say(how, text, {"entries": head.entries, "head": head.head.hash.hex()})
