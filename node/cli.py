"""`leadline-node`: the command line of a hospital's node. docs/hospital-it.md describes every command."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from node import daemon
from node.clock import SystemClock, today
from node.config import load_config
from node.enrolment import init_site
from node.errors import ExitCode, NodeError
from node.exports import ExportReader
from node.gateway import probe
from node.ledger.budget import describe_budget, describe_entry
from node.ledger.chain import LedgerError
from node.ledger.store import verify_file
from node.measures.cases import check_vocabulary
from node.release.site import SiteData
from node.report import Format, run, say
from node.sources.refused import FileRefused
from node.tables.mapping import MappingError
from protocols.catalogue import current_catalogue
from protocols.keys import KeyFileError, load_public_key

app = typer.Typer(
    name="leadline-node",
    help="The node of a hospital: reads exports, answers the PSO's signed plans with noise, keeps the ledger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ledger_app = typer.Typer(help="The record of every charge and release.", no_args_is_help=True)
app.add_typer(ledger_app, name="ledger")

ConfigOption = Annotated[Path, typer.Option("--config", help="The site's node.toml.")]
FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]
_CONFIG = Path("node.toml")


def _finish(command: Callable[[], object], how: Format = Format.TEXT) -> None:
    raise typer.Exit(run(command, how))


@app.command()
def init(
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the new site.")],
    site_id: Annotated[str, typer.Option("--site-id", help="Lower-case letters, digits and hyphens.")],
    pso_key: Annotated[Path, typer.Option("--pso-key", help="The PSO's public key file.")],
    exports: Annotated[Path, typer.Option("--exports", help="Folder with the exports and mapping.toml.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Make a site: folder, keys and configuration. Prints the fingerprint to compare with the PSO."""

    def command() -> None:
        made = init_site(folder, site_id, pso_key, exports)
        text = (
            f"Made {made.config}.\nSend {made.public_key} to the PSO, and compare this fingerprint by telephone:\n"
            f"  {made.fingerprint}\nNext: leadline-node check --config {made.config}"
        )
        data = {"config": str(made.config), "public_key": str(made.public_key), "fingerprint": made.fingerprint}
        say(how, text, data)

    _finish(command, how)


@app.command()
def check(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Read configuration, keys and exports as a release would, and print the quality report. Spends nothing."""

    def command() -> None:
        settings = load_config(config)
        daemon.load_identity(settings)
        try:
            imported = ExportReader(settings.paths).import_now(today(SystemClock()))
        except (FileRefused, MappingError) as error:
            raise NodeError("exports", str(error), "mend the export or its mapping, then check again") from error
        check_vocabulary(current_catalogue()[0], SiteData.of(imported.tables).views)
        text = f"{imported.quality.to_text()}\nThe report is in {settings.paths.quality}; it never leaves this machine."
        say(how, text, {"quality_report": str(settings.paths.quality / "report.json")})

    _finish(command, how)


@app.command()
def start(config: ConfigOption = _CONFIG) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C."""

    def command() -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
        daemon.run(load_config(config))

    _finish(command)


@app.command()
def status(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Whether the daemon runs, whether the site has paused, and what is left of each year's budget."""

    def command() -> None:
        settings = load_config(config)
        running, paused = probe(settings.paths.socket), settings.pause_file.exists()
        ledger = daemon.open_ledger(settings, daemon.load_identity(settings), SystemClock())
        budget = describe_budget(ledger, settings.policy.budget_nano())
        lines = [f"site {settings.site.id}: daemon {'running' if running else 'not running'}"]
        lines += ["paused: nothing is released until `leadline-node resume`"] if paused else []
        lines += [row["text"] for row in budget] or ["nothing has been charged yet"]
        data = {"site": settings.site.id, "running": running, "paused": paused, "budget": budget}
        say(how, "\n".join(lines), data)

    _finish(command, how)


@app.command()
def pause(config: ConfigOption = _CONFIG) -> None:
    """Stop answering; every plan is refused as paused until `resume`."""

    def command() -> None:
        load_config(config).pause_file.touch()
        print("Paused: nothing is released until `leadline-node resume`.")

    _finish(command)


@app.command()
def resume(config: ConfigOption = _CONFIG) -> None:
    """Answer again."""

    def command() -> None:
        load_config(config).pause_file.unlink(missing_ok=True)
        print("Resumed.")

    _finish(command)


@ledger_app.command("show")
def ledger_show(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Every entry: what was reserved and sealed, when, and at what cost."""

    def command() -> None:
        settings = load_config(config)
        ledger = daemon.open_ledger(settings, daemon.load_identity(settings), SystemClock())
        entries = [describe_entry(entry) for entry in ledger.entries()]
        say(how, "\n".join(str(entry["text"]) for entry in entries), {"entries": entries})

    _finish(command, how)


@ledger_app.command("verify")
def ledger_verify(
    ledger: Annotated[Path, typer.Argument(help="The ledger file.")],
    key: Annotated[Path, typer.Option("--key", help="The site's public key file.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Check chain, signatures and sealed answers with the public key alone: anybody can."""

    def command() -> None:
        try:
            head = verify_file(ledger, load_public_key(key))
        except LedgerError as error:
            hint = "do not release anything from this site until the cause is known"
            raise NodeError("ledger_broken", f"{ledger}: {error}", hint, ExitCode.REFUSED) from error
        except KeyFileError as error:
            raise NodeError("key", str(error), "give the site's public key file", ExitCode.CONNECTION) from error
        text = f"The ledger holds together: {head.length} entries, head {head.hash.hex()}."
        say(how, text, {"entries": head.length, "head": head.hash.hex()})

    _finish(command, how)


@app.command()
def synthetic(
    out: Annotated[Path, typer.Option("--out", help="Folder to write to.")],
    sites: Annotated[int, typer.Option("--sites", min=1, max=500, help="How many sites.")] = 8,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the data; noise has none.")] = 1,
    first_year: Annotated[int, typer.Option("--first-year", help="First ledger year.")] = 2023,
    years: Annotated[int, typer.Option("--years", min=1, max=10, help="How many ledger years.")] = 3,
) -> None:
    """Write messy exports of invented hospitals, and the truth about them, to try Leadline with."""

    def command() -> None:
        from node.synthetic.write import write_network  # noqa: PLC0415 - keeps the invented world out of the daemon

        write_network(out, sites, seed, first_year, years)
        print(f"Wrote {sites} synthetic sites and truth.csv to {out}.")

    _finish(command)


def main() -> None:
    """Entry point."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
