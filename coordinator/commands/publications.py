"""Publishing, and checking what was published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coordinator.commands.common import CLOCK, CONFIG, ConfigOption, opened
from coordinator.config import load_config
from coordinator.publications.verify import verify_file
from protocols.operator.console import Format, FormatOption, say

release_app = typer.Typer(help="Publications that were released.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(publish)
    app.add_typer(release_app, name="release")


def publish(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would appear, and publish nothing.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the files.")] = None,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Publish what the finished rounds brought, signed, under the next number. What is published never changes."""
    from coordinator.publications import command  # noqa: PLC0415  (loads scipy, which other commands need not wait for)

    with opened(config) as (settings, store):
        found = (store, settings, CLOCK)
        said = command.dry_run(*found) if dry_run else command.publish_to(*found, out)
    say(how, said.text, said.data)


@release_app.command("verify")
def release_verify(
    file: Annotated[Path, typer.Argument(help="A publication.json, with publication.sig beside it.")],
    key: Annotated[Path | None, typer.Option("--key", help="The publisher's public key; ours without it.")] = None,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Check that a publication is signed and was not changed. Needs the file, its signature and the public key."""
    found = verify_file(file, key or load_config(config).paths.public_key)
    text = f"Publication {found.number} of {found.created_at:%Y-%m-%d}: the signature fits, nothing was changed."
    say(how, text, {"number": found.number, "created_at": found.created_at.isoformat(), "rows": len(found.rows)})
