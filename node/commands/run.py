"""Running the node: the daemon, its state, pauses, checks, and what the exports are worth."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from node.commands.common import CLOCK, CONFIG, ConfigOption, site_ledger
from node.config import load_config
from node.pauses import Pause, pause, paused_by, resume, wait_until_quiet
from node.preflight import run_preflight
from node.preflight.finding import exit_code_of, report
from node.state import look_at
from protocols.operator.console import Format, FormatOption, envelope, say

REBOOT_WAIT_S = 120.0


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (quality, preflight, start, status):
        app.command()(command)
    app.command("pause")(pause_site)
    app.command("resume")(resume_site)
    app.command("prepare-for-reboot")(prepare_for_reboot)


def quality(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Read the exports as a release would, and print the quality report. Spends nothing."""
    from node.clock import today  # noqa: PLC0415 - what reads tables takes a second to import; other commands do not
    from node.exports import ExportReader  # noqa: PLC0415 - as above
    from node.measures.cases import check_vocabulary  # noqa: PLC0415 - as above
    from protocols.catalogue import current_catalogue  # noqa: PLC0415 - as above

    settings = load_config(config)
    site, found = ExportReader(settings.paths).import_now(today(CLOCK))
    catalogue, _ = current_catalogue()
    check_vocabulary(catalogue, site.views)
    left_out = [m.id for m in catalogue.measures if not all(site.can_answer(catalogue.tally(t)) for t in m.tallies)]
    text = f"{found.to_text()}\nThe report is in {settings.paths.quality}; it never leaves this machine."
    if left_out:
        text += f"\nNot answered, because no export is mapped to their tables: {', '.join(left_out)}."
    say(how, text, {"quality_report": str(settings.paths.quality / "report.json"), "not_answered": left_out})


def preflight(
    offline: Annotated[bool, typer.Option("--offline", help="Leave out what needs the network.")] = False,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> int:
    """Check everything that the node stands on, and say what to do about each thing that is not in order.

    Exit code 0 if nothing failed, 2 if only keys or the connection did, 1 otherwise.
    """
    findings = run_preflight(load_config(config), CLOCK, offline)
    code = exit_code_of(findings)
    data = {"findings": [finding.as_dict() for finding in findings]}
    print(envelope(code, data) if how is Format.JSON else report(findings))
    return int(code)


def start(
    config: ConfigOption = CONFIG,
    how: Annotated[
        Format | None, typer.Option("--format", help="Logs as text or json; by default text on a terminal.")
    ] = None,
) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C."""
    load_config(config)
    # Another program takes this process's place: one that has imported nothing of tables and noise, and stays small.
    # -P keeps the current folder out of what may be imported.
    words = [sys.executable, "-P", "-m", "node.service", "--config", str(config.resolve())]
    os.execv(sys.executable, words if how is None else [*words, "--logs", how])  # noqa: S606 - no shell is wanted


def status(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Whether the daemon runs, pauses and approval, when the PSO was heard last, releases, and the budget."""
    state = look_at(load_config(config), CLOCK)
    say(how, state.text(), state.as_dict())


def pause_site(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Stop answering; every plan is refused as paused until `resume`."""
    pause(load_config(config), Pause.OPERATOR)
    say(how, "Paused: nothing is released until `leadline-node resume`.", {"paused": True})


def resume_site(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Answer again."""
    resume(load_config(config))
    say(how, "Resumed.", {"paused": False})


def prepare_for_reboot(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Begin nothing new, wait until nothing is under way, and leave the ledger whole in its one file.

    The next `start` answers again by itself, unless the operator had paused the site.
    """
    settings = load_config(config)
    pause(settings, Pause.REBOOT)
    wait_until_quiet(settings.paths.ledger, REBOOT_WAIT_S)
    ledger = site_ledger(settings)
    head = ledger.head()
    ledger.close()
    after = (
        "The node answers again when it is started, or after `leadline-node resume`."
        if paused_by(settings) is Pause.REBOOT
        else "The site was paused before, and that pause stays: it ends with `leadline-node resume` and nothing else."
    )
    text = (
        f"Nothing is under way, and the ledger is whole: {head.length} entries, head {head.hash.hex()}.\n"
        f"It is safe to reboot. {after}"
    )
    data = {"safe_to_reboot": True, "entries": head.length, "head": head.hash.hex()}
    say(how, text, data | {"stays_paused": paused_by(settings) is not Pause.REBOOT})
