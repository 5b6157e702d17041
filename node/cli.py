"""`leadline-node`: the command line of a hospital's node. docs/hospital-it.md describes every command."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from pathlib import Path
from typing import Annotated

import typer

from node import daemon
from node.clock import SystemClock, today
from node.config import CONFIG_NAME, NodeConfig, load_config
from node.enrolment import init_site
from node.exports import ExportReader
from node.gateway import probe
from node.ledger.budget import describe_budget, describe_entry
from node.ledger.chain import LedgerError
from node.ledger.store import Ledger, verify_file
from node.measures.cases import check_vocabulary
from node.sources.refused import FileRefused
from node.tables.mapping import MappingError
from protocols.catalogue import current_catalogue
from protocols.keys import KeyFileError, load_public_key
from protocols.operator.console import Format, FormatOption, run, say
from protocols.operator.errors import BusyError, InputError, OperatorError, RuleError, SignatureError

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
_CONFIG = Path(CONFIG_NAME)
_CLOCK = SystemClock()


def _ledger(settings: NodeConfig) -> Ledger:
    return daemon.open_ledger(settings, daemon.load_identity(settings), _CLOCK)


@app.command()
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
        f"  {made.pso_fingerprint}\nNext: leadline-node check --config {made.config}"
    )
    data = {"config": str(made.config), "public_key": str(made.public_key), "fingerprint": made.fingerprint}
    data["pso_fingerprint"] = made.pso_fingerprint
    say(how, text, data)


@app.command()
def check(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Read configuration, keys and exports as a release would, and print the quality report. Spends nothing."""
    settings = load_config(config)
    daemon.load_identity(settings)
    site, quality = ExportReader(settings.paths).import_now(today(_CLOCK))
    catalogue, _ = current_catalogue()
    check_vocabulary(catalogue, site.views)
    left_out = [m.id for m in catalogue.measures if not all(site.can_answer(catalogue.tally(t)) for t in m.tallies)]
    text = f"{quality.to_text()}\nThe report is in {settings.paths.quality}; it never leaves this machine."
    if left_out:
        text += f"\nNot answered, because no export is mapped to their tables: {', '.join(left_out)}."
    say(how, text, {"quality_report": str(settings.paths.quality / "report.json"), "not_answered": left_out})


@app.command()
def start(config: ConfigOption = _CONFIG) -> None:
    """Run the daemon in the foreground, until SIGTERM or Ctrl-C."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    daemon.run(load_config(config))


@app.command()
def status(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Whether the daemon runs, whether the site has paused, and what is left of each year's budget."""
    settings = load_config(config)
    running, paused = probe(settings.paths.socket), settings.pause_file.exists()
    budget = describe_budget(_ledger(settings), settings.policy.budget_nano())
    lines = [f"site {settings.site.id}: daemon {'running' if running else 'not running'}"]
    lines += ["paused: nothing is released until `leadline-node resume`"] if paused else []
    lines += [row["text"] for row in budget] or ["nothing has been charged yet"]
    data = {"site": settings.site.id, "running": running, "paused": paused, "budget": budget}
    say(how, "\n".join(lines), data)


@app.command()
def pause(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Stop answering; every plan is refused as paused until `resume`."""
    load_config(config).pause_file.touch()
    say(how, "Paused: nothing is released until `leadline-node resume`.", {"paused": True})


@app.command()
def resume(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Answer again."""
    load_config(config).pause_file.unlink(missing_ok=True)
    say(how, "Resumed.", {"paused": False})


@ledger_app.command("show")
def ledger_show(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Every entry: what was reserved and sealed, when, and at what cost."""
    entries = [describe_entry(entry) for entry in _ledger(load_config(config)).entries()]
    say(how, "\n".join(str(entry["text"]) for entry in entries), {"entries": entries})


@ledger_app.command("verify")
def ledger_verify(
    ledger: Annotated[Path, typer.Argument(help="The ledger file.")],
    key: Annotated[Path, typer.Option("--key", help="The site's public key file.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Check chain, signatures and sealed answers with the public key alone: anybody can."""
    head = verify_file(ledger, load_public_key(key))
    text = f"The ledger holds together: {head.length} entries, head {head.hash.hex()}."
    say(how, text, {"entries": head.length, "head": head.hash.hex()})


@app.command()
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


def main() -> None:
    """Run the command line; errors print one line with what to do, and end with an exit code of `ExitCode`."""
    os.umask(0o077)  # ledger, quality report and keys are nobody else's business
    sys.exit(run(app, "leadline-node", _explain, show_fault=False))


def _explain(error: Exception) -> OperatorError | None:
    if isinstance(error, FileRefused | MappingError):
        return InputError("exports", str(error).rstrip("."), "mend the export or its mapping, then check again")
    if isinstance(error, LedgerError):
        return RuleError("ledger_broken", str(error), "release nothing from this site until the cause is known")
    if isinstance(error, KeyFileError):
        return SignatureError("key", str(error), "give the right key file; docs/hospital-it.md names them all")
    if isinstance(error, sqlite3.Error):
        return BusyError("ledger", f"the ledger cannot be used: {error}", "check disk, rights and other processes")
    if isinstance(error, OSError):
        return InputError("file", f"a file cannot be used: {error}", "check the path and its rights")
    return None


if __name__ == "__main__":
    main()
