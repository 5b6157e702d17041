"""`leadline-coordinator`: the command line of the patient safety organisation."""

from __future__ import annotations

import sys

import typer
from sqlalchemy.exc import OperationalError

from coordinator.commands import installation, publications, rounds, sites
from protocols.operator.console import run
from protocols.operator.errors import BusyError, OperatorError

app = typer.Typer(
    name="leadline-coordinator",
    help="The coordinator of a Leadline network: asks sites, checks their answers, publishes benchmarks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
installation.register(app)
sites.register(app)
rounds.register(app)
publications.register(app)


def main() -> None:
    """Run the command line; errors print one line with what to do, and end with an exit code of `ExitCode`."""
    sys.exit(run(app, "leadline-coordinator", _explain, show_fault=True))


def _explain(error: Exception) -> OperatorError | None:
    if isinstance(error, OperationalError):
        message = f"the database did not answer: {error.orig}"
        return BusyError("database", message, "try again; check that the disk is not full")
    return None


if __name__ == "__main__":
    main()
