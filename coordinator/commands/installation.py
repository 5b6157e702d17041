"""Setting the coordinator up, running it, and checking its record of acts."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from coordinator.commands.common import CLOCK, CONFIG, ConfigOption, opened
from coordinator.config import load_config
from coordinator.installation import install
from coordinator.store.audit import first_broken
from protocols.enrolment import show_fingerprint
from protocols.operator.console import Format, FormatOption, say
from protocols.operator.errors import OperatorError

audit_app = typer.Typer(help="The record of who did what.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command()(init)
    app.command()(serve)
    app.add_typer(audit_app, name="audit")


def init(
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the coordinator.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Make configuration, key and database; bring an older database up to date. Safe to run again."""
    made = install(folder, CLOCK)
    text = (
        f"Configuration: {made.config}\nBefore the first site is approved, set sites.superlink in it.\n"
        "The fingerprint of your key, which every hospital compares by telephone before it takes its first approval:\n"
        f"  {show_fingerprint(made.fingerprint)}"
    )
    data = {"config": str(made.config), "public_key": str(made.public_key), "fingerprint": made.fingerprint}
    say(how, text, data)


def serve(config: ConfigOption = CONFIG) -> None:
    """Run broker, round clock, pages and API in the foreground, until SIGTERM or Ctrl-C."""
    from coordinator import serve as serving  # noqa: PLC0415  (loads the web stack, which other commands need not)

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("leadline").setLevel(logging.INFO)
    serving.serve(load_config(config), CLOCK)


@audit_app.command("verify")
def audit_verify(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Check that no audit event was changed, removed or put in between."""
    with opened(config) as (_, store), store.reading() as reader:
        events = reader.audit_events()
        broken = first_broken(events)
    if broken is not None:
        raise OperatorError(
            "audit_broken", f"audit event {broken} does not follow from those before it", "restore from a backup"
        )
    say(how, f"{len(events)} audit events, the chain is whole.", {"events": len(events)})
