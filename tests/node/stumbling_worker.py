"""A worker that dies or dawdles once, at the step of an answer that STUMBLE names: `STEP die` or `STEP SECONDS`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from node.clock import SystemClock
from node.config import load_config
from node.daemon import build_inbox
from node.service.only import only_worker
from node.worker import arguments, serve
from tests.node.installed import kill


def main() -> None:
    """As node.worker, but for the stumbling; the file STUMBLED says that it was done."""
    told, config = arguments(), load_config(arguments().config)
    wanted, how = os.environ["STUMBLE"].split()
    mark = Path(os.environ["STUMBLED"])

    def on_step(step: str) -> None:
        if step == wanted and not mark.exists():
            mark.touch()
            if how == "die":
                kill(os.getpid())
            time.sleep(float(how))

    def prepare() -> Callable[[bytes], bytes]:
        return build_inbox(config, SystemClock(), run_from=told.run_from, on_step=on_step).take

    with only_worker(config.paths.socket):
        serve(Connection(told.pipe), prepare)


if __name__ == "__main__":
    main()
