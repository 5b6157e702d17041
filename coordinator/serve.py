"""The coordinator's one process: broker, round clock, pages and API, and the pump's supervisor.

All state is in the store, written before it is acted on, so the process can be killed at any moment and started again.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn

from coordinator.api.app import create_app
from coordinator.broker import Broker, start_broker
from coordinator.clock import Clock
from coordinator.config import Config, Web
from coordinator.installation import pso_key
from coordinator.publications.shelf import Shelf
from coordinator.pump import PumpSupervisor
from coordinator.rounds.conduct import advance_rounds
from coordinator.store.database import Store
from protocols.catalogue import current_catalogue
from protocols.operator.errors import EndpointError, InputError, RuleError

MAX_SOCKET_PATH_BYTES = 107
GRACE_S = 5.0
LOOK_S = 0.2

_log = logging.getLogger("leadline.coordinator")


class RoundClock(threading.Thread):
    """Ends rounds when they are settled or their deadline has passed."""

    def __init__(self, store: Store, clock: Clock, tick_s: float) -> None:
        super().__init__(name="round-clock", daemon=True)
        self._store, self._clock, self._tick_s = store, clock, tick_s
        self._stopping = threading.Event()

    def run(self) -> None:
        """Look every tick until stopped; a fault is logged and the next tick tries again."""
        while not self._stopping.wait(self._tick_s):
            try:
                for ended in advance_rounds(self._store, self._clock):
                    _log.info("round %s is %s: %s", ended.round_id, ended.state.value, ended.reason)
            except Exception:
                _log.exception("the round clock met a fault and goes on")

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self.join()


class WebServer(threading.Thread):
    """Pages and API in a thread; it ends by itself only if it cannot serve."""

    def __init__(self, where: Web, shelf: Shelf) -> None:
        super().__init__(name="web", daemon=True)
        app = create_app(shelf, current_catalogue()[0])
        quiet: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False, "ws": "none"}
        options = uvicorn.Config(app, where.host, where.port, **quiet)
        self._server = uvicorn.Server(options)

    def run(self) -> None:
        """Serve until stopped."""
        with contextlib.suppress(SystemExit):  # uvicorn's way to say that the port is taken
            self._server.run()

    def stop(self) -> None:
        """Let requests that are being answered finish, and end the thread."""
        self._server.should_exit = True
        self.join(GRACE_S)


@contextlib.contextmanager
def only_one(lock_file: Path) -> Iterator[None]:
    """Hold a lock that the kernel frees however the process ends. RuleError if another process holds it."""
    lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock_file.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RuleError(
                "already_running", f"another coordinator holds {lock_file}", "stop it first, or use that one"
            ) from error
        yield


def serve(config: Config, clock: Clock) -> None:
    """Run until SIGTERM or SIGINT, then end cleanly."""
    socket = config.paths.broker_socket
    if len(bytes(socket)) > MAX_SOCKET_PATH_BYTES:
        raise InputError("socket_path", f"{socket} is too long for a unix socket", "set paths.broker_socket shorter")
    store, key = Store(config.paths.database, clock), pso_key(config)
    store.check()
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    with only_one(socket.with_suffix(".lock")), contextlib.ExitStack() as running:
        for number in (signal.SIGTERM, signal.SIGINT):
            running.callback(signal.signal, number, signal.signal(number, stop))
        running.callback(store.close)
        broker = Broker(store, clock, config, key)
        server = start_broker(broker, socket)
        running.callback(lambda: server.stop(GRACE_S).wait())
        rounds = RoundClock(store, clock, config.rounds.tick_s)
        rounds.start()
        running.callback(rounds.stop)
        if config.pump is not None:
            pump = PumpSupervisor(config.pump.command, config.pump.environment, broker.heard_at)
            pump.start()
            running.callback(pump.stop)
        web = WebServer(config.web, Shelf(store))
        web.start()
        running.callback(web.stop)
        _log.info("serving on unix:%s and http://%s:%s", socket, config.web.host, config.web.port)
        while web.is_alive() and not stopping.wait(LOOK_S):
            pass
    if not stopping.is_set():
        where = f"{config.web.host}:{config.web.port}"
        raise EndpointError("web_ended", f"pages cannot be served on {where}", "free the port, or set web.port")
