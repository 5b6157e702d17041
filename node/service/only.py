"""Locks beside the socket: one daemon per socket, one worker per daemon. The kernel lets go when the holder dies."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from protocols.operator.errors import EndpointError


def daemon_lock(socket: Path) -> Path:
    """The file that a running daemon holds."""
    return socket.with_name(f"{socket.name}.lock")


def worker_lock(socket: Path) -> Path:
    """The file that a running worker holds."""
    return socket.with_name(f"{socket.name}.worker.lock")


@contextmanager
def only_daemon(socket: Path) -> Iterator[None]:
    """Hold the socket for this process; EndpointError if another daemon does, however busy it is."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    with daemon_lock(socket).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            hint = "stop the other daemon first, or give this one a socket of its own"
            raise EndpointError("running", f"a daemon already serves {socket}", hint) from error
        yield


@contextmanager
def only_worker(socket: Path) -> Iterator[None]:
    """Wait until the worker of a daemon that was killed has finished what it had begun; then be the only one."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    with worker_lock(socket).open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_held(lock: Path) -> bool:
    """Whether a process holds this lock; OSError where the file cannot be opened."""
    if not lock.is_file():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
