"""Running the node: the daemon, its state, pauses, and what the exports are worth."""

from __future__ import annotations

import logging

import typer

from node import daemon
from node.clock import today
from node.commands.common import CLOCK, CONFIG, ConfigOption, site_ledger
from node.config import load_config
from node.exports import ExportReader
from node.gateway import probe
from node.ledger.budget import describe_budget
from node.measures.cases import check_vocabulary
from protocols.catalogue import current_catalogue
from protocols.operator.console import Format, FormatOption, say


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (quality, start, status, pause, resume):
        app.command()(command)


def quality(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Read the exports as a release would, and print the quality report. Spends nothing."""
    settings = load_config(config)
    daemon.load_identity(settings)
    site, quality = ExportReader(settings.paths).import_now(today(CLOCK))
    catalogue, _ = current_catalogue()
    check_vocabulary(catalogue, site.views)
    left_out = [m.id for m in catalogue.measures if not all(site.can_answer(catalogue.tally(t)) for t in m.tallies)]
    text = f"{quality.to_text()}\nThe report is in {settings.paths.quality}; it never leaves this machine."
    if left_out:
        text += f"\nNot answered, because no export is mapped to their tables: {', '.join(left_out)}."
    say(how, text, {"quality_report": str(settings.paths.quality / "report.json"), "not_answered": left_out})


def start(config: ConfigOption = CONFIG) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    daemon.run(load_config(config))


def status(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Whether the daemon runs, whether the site has paused, and what is left of each year's budget."""
    settings = load_config(config)
    running, paused = probe(settings.paths.socket), settings.pause_file.exists()
    budget = describe_budget(site_ledger(settings), settings.policy.budget_nano())
    lines = [f"site {settings.site.id}: daemon {'running' if running else 'not running'}"]
    lines += ["paused: nothing is released until `leadline-node resume`"] if paused else []
    lines += [row["text"] for row in budget] or ["nothing has been charged yet"]
    data = {"site": settings.site.id, "running": running, "paused": paused, "budget": budget}
    say(how, "\n".join(lines), data)


def pause(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Stop answering; every plan is refused as paused until `resume`."""
    load_config(config).pause_file.touch()
    say(how, "Paused: nothing is released until `leadline-node resume`.", {"paused": True})


def resume(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Answer again."""
    load_config(config).pause_file.unlink(missing_ok=True)
    say(how, "Resumed.", {"paused": False})
