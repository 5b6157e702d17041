"""`leadline-node`: the command line of hospital IT."""

from __future__ import annotations

import os
import sys

import typer

from node.commands import console as console_commands
from node.commands import egress, exchange, ledger, mapping, run, site, synthetic
from node.explain import explain
from protocols.operator import console

app = typer.Typer(
    name="leadline-node",
    help="The node of a hospital: reads exports, answers the PSO's signed plans with noise, keeps the ledger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
site.register(app)
exchange.register(app)
run.register(app)
mapping.register(app)
egress.register(app)
console_commands.register(app)
app.add_typer(ledger.app, name="ledger")
app.command()(synthetic.synthetic)


def main() -> None:
    """Run the command line; errors print one line with what to do, and end with an exit code of `ExitCode`."""
    os.umask(0o077)  # ledger, quality report and keys are nobody else's business
    sys.exit(console.run(app, "leadline-node", explain, show_fault=False))


if __name__ == "__main__":
    main()
