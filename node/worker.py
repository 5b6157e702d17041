"""The worker process: reads exports, draws noise, writes the ledger. `python -m node.worker --config … PIPE`.

It ignores signals: it ends when the daemon closes the pipe, and so never between a charge and its seal.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from node.clock import SystemClock
from node.config import load_config
from node.daemon import build_inbox, require_sound_sampler, say_whether_ready
from node.explain import explain
from node.exports import ExportReader
from node.gateway import MAX_MESSAGE_BYTES
from node.logs import configure_logs
from node.service.only import only_worker
from node.service.workers import READY, report_of
from protocols.operator.console import Format
from protocols.operator.errors import InternalError

_log = logging.getLogger("leadline.node")


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """What the daemon tells its worker."""
    parser = argparse.ArgumentParser(prog="node.worker")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--run-from", type=int, required=True, help="number of the ledger's newest entry at the start")
    parser.add_argument("--read-exports", action="store_true", help="say at once whether they can be read")
    parser.add_argument("--logs", type=Format, default=None)
    parser.add_argument("pipe", type=int, help="number of the inherited file descriptor")
    return parser.parse_args(words)


def serve(pipe: Connection, prepare: Callable[[], Callable[[bytes], bytes]]) -> None:
    """Say ready, or why not; then answer envelope by envelope until the daemon closes the pipe."""
    with pipe:
        try:
            answer = prepare()
        except Exception as error:
            pipe.send_bytes(report_of(explain(error) or InternalError(error)))
            return
        pipe.send_bytes(READY)
        while True:
            try:
                raw = pipe.recv_bytes(MAX_MESSAGE_BYTES)
            except EOFError:
                return
            reply = answer(raw)
            try:
                pipe.send_bytes(reply)
            except OSError:
                _log.warning("the daemon is gone; what was answered is kept in the ledger")
                return


def main() -> None:
    """Work for the daemon at the other end of the pipe."""
    told = arguments()
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    configure_logs(told.logs)

    config = load_config(told.config)

    def prepare() -> Callable[[bytes], bytes]:
        require_sound_sampler()
        clock, reader = SystemClock(), ExportReader(config.paths)
        inbox = build_inbox(config, clock, reader, told.run_from)
        if told.read_exports:
            say_whether_ready(reader, clock)
        return inbox.take

    with only_worker(config.paths.socket):
        serve(Connection(told.pipe), prepare)


if __name__ == "__main__":
    main()
