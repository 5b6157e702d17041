"""The daemon: lock, worker, health and metrics, the relay's door; then wait for the signal that ends it."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from pathlib import Path

from node.clock import Clock
from node.config import NodeConfig
from node.gateway import NotAnsweredError, start_gateway
from node.identity import load_signing_key, open_ledger
from node.membership import Membership, describe, load_membership
from node.monitor.listener import Pages, monitored
from node.monitor.metrics import Metrics
from node.pauses import Pause, paused_by, resume
from node.relay_settings import write_relay_settings
from node.service.notify import notify
from node.service.only import only_daemon
from node.service.workers import Workers
from protocols.operator.console import Format
from protocols.operator.errors import ExitCode, OperatorError, RuleError

_log = logging.getLogger("leadline.node")
STOP_S, END_S = 60.0, 5.0  # what is under way may finish; the unit file's TimeoutStopSec is above their sum


class WorkerDiedError(OperatorError):
    """The worker ended without a word; starting again may help, so a supervisor tries."""

    exit_code = ExitCode.TIMEOUT


def run(path: Path, config: NodeConfig, clock: Clock, how: Format | None = None) -> None:
    """Serve the site whose configuration is at `path` until SIGTERM or SIGINT.

    OperatorError if a daemon runs, keys, ledger or noise are not in order, or nobody has approved the site yet.
    """
    with only_daemon(config.paths.socket):
        ledger = open_ledger(config, load_signing_key(config), clock)
        membership = require_approval(config)
        _log.info("site %s: %s", config.site.id, describe(membership, clock.now_s()))
        tell_relay(config, membership)
        end_reboot_pause(config)
        workers = Workers(worker_command(path, ledger.head().length, how))
        metrics = Metrics(config, ledger, clock)
        try:
            with monitored(Pages(config, ledger, clock, metrics)):
                _start(workers)
                _serve(config, workers, metrics)
        finally:
            workers.close(END_S)
            ledger.close()
    _log.info("stopped")


def require_approval(config: NodeConfig) -> Membership:
    """The approval, in force or not (one that ended is renewed over the pipe); RuleError where there never was one."""
    membership = load_membership(config)
    if membership is None:
        hint = "send the file of `leadline-node request` to the PSO, and import what it sends: import-approval FILE"
        raise RuleError("not_approved", f"no PSO has approved site {config.site.id} yet", hint)
    return membership


def tell_relay(config: NodeConfig, membership: Membership) -> None:
    """Bring the relay's files in line with node.toml. Where that fails, files that an operator carries still work."""
    try:
        write_relay_settings(config, membership.approval)
    except OperatorError as error:
        _log.error("the relay's settings cannot be brought up to date: %s; %s", error, error.hint)


def end_reboot_pause(config: NodeConfig) -> None:
    """A pause that was made for a reboot ends with it; the operator's own stays."""
    match paused_by(config):
        case Pause.REBOOT:
            resume(config)
            _log.info("resumed after the reboot")
        case Pause.OPERATOR:
            _log.warning("the site is paused: plans are refused until `leadline-node resume`")


def worker_command(path: Path, run_from: int, how: Format | None) -> list[str]:
    """How a worker is started. -P keeps the current folder out of what may be imported."""
    command = [sys.executable, "-P", "-m", "node.worker", "--config", str(path), "--run-from", str(run_from)]
    return command if how is None else [*command, "--logs", how]


def _start(workers: Workers) -> None:
    try:
        workers.start()
    except NotAnsweredError as error:
        hint = "look at what it logged just before; if it says nothing, the machine may be short of memory"
        raise WorkerDiedError("worker", str(error), hint) from error


def _serve(config: NodeConfig, workers: Workers, metrics: Metrics) -> None:
    """Until the signal comes. Before that nothing was asked, so a signal during the start just ends the process."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = start_gateway(config.paths.socket, metrics.counted(workers.answer))
    _log.info("serving site %s on %s", config.site.id, config.paths.socket)
    notify("READY=1")
    stopped.wait()
    notify("STOPPING=1")
    _log.info("stopping: what is under way may finish")
    workers.stop_hiring()
    server.stop(STOP_S).wait()
    config.paths.socket.unlink(missing_ok=True)
