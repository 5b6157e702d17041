"""Proposing the mapping of the exports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.commands.common import CONFIG, ConfigOption
from protocols.operator.console import Format, FormatOption


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("map")(propose_mapping)


def propose_mapping(
    config: ConfigOption = CONFIG,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where the mapping goes; else where node.toml says.")
    ] = None,
    accept: Annotated[bool, typer.Option("--accept", help="Ask nothing: write what is sure, list the rest.")] = False,
    choose: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help='table.column="Source column", table.column=const:value, table.column[word]=code; may be repeated.',
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a mapping; the old one is kept as *.1.")] = False,
    how: FormatOption = Format.TEXT,
) -> None:
    """Propose a mapping of the exports from their headers and values, and write it once it is accepted."""
    from node.proposals.dialogue import Wish, run_dialogue  # noqa: PLC0415 - loads what reads tables

    run_dialogue(Wish(config, out, accept, tuple(choose or ()), force), how)
