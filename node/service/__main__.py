"""`python -m node.service --config node.toml`: what `leadline-node start` becomes."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from node.clock import SystemClock
from node.config import load_config
from node.explain import explain
from node.logs import configure_logs
from node.service.run import run
from protocols.operator.console import Format, complain
from protocols.operator.errors import InternalError


def main() -> int:
    """Serve; an error is one line with what to do, as for every other command."""
    parser = argparse.ArgumentParser(prog="node.service")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--logs", type=Format, default=None)
    told = parser.parse_args()
    os.umask(0o077)
    configure_logs(told.logs)
    try:
        run(told.config, load_config(told.config), SystemClock(), told.logs)
    except Exception as error:
        return complain(told.logs or Format.TEXT, "leadline-node", explain(error) or InternalError(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
