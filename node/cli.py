"""`leadline-node`: the command line of hospital IT."""

from __future__ import annotations

import os
import sqlite3
import sys

import typer

from node.commands import console as console_commands
from node.commands import ledger, run, site, synthetic
from node.ledger.acts import LedgerError
from node.sources.refused import FileRefused
from node.tables.mapping import MappingError
from protocols.keys import KeyFileError
from protocols.operator import console
from protocols.operator.errors import BusyError, InputError, OperatorError, RuleError, SignatureError
from protocols.refusals import Refused

app = typer.Typer(
    name="leadline-node",
    help="The node of a hospital: reads exports, answers the PSO's signed plans with noise, keeps the ledger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
site.register(app)
run.register(app)
console_commands.register(app)
app.add_typer(ledger.app, name="ledger")
app.command()(synthetic.synthetic)


def main() -> None:
    """Run the command line; errors print one line with what to do, and end with an exit code of `ExitCode`."""
    os.umask(0o077)  # ledger, quality report and keys are nobody else's business
    sys.exit(console.run(app, "leadline-node", _explain, show_fault=False))


def _explain(error: Exception) -> OperatorError | None:
    if isinstance(error, FileRefused | MappingError):
        return InputError("exports", str(error).rstrip("."), "mend the export or its mapping, then check again")
    if isinstance(error, LedgerError):
        return RuleError("ledger_broken", str(error), "release nothing from this site until the cause is known")
    if isinstance(error, Refused):
        return RuleError(error.code.value, str(error).rstrip("."), error.explanation.remedy.rstrip("."))
    if isinstance(error, KeyFileError):
        return SignatureError("key", str(error), "give the right key file; docs/hospital-it.md names them all")
    if isinstance(error, sqlite3.Error):
        return BusyError("ledger", f"the ledger cannot be used: {error}", "check disk, rights and other processes")
    if isinstance(error, OSError):
        return InputError("file", f"a file cannot be used: {error}", "check the path and its rights")
    return None


if __name__ == "__main__":
    main()
