"""Processes on this machine: started in groups of their own, with a log file each, and always ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

BIN = Path(sys.executable).parent  # where this environment's commands are
TAIL_LINES = 15
LOOK_S = 0.1
START_S = 60.0


class ProcessFailedError(Exception):
    """A process that ended, failed or did not become ready; the message holds the end of its log."""


def environment(**extra: str) -> dict[str, str]:
    """This process's environment with our commands on PATH and loopback kept away from proxies."""
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    local = "localhost,127.0.0.1"
    return {**os.environ, "PATH": path, "NO_PROXY": local, "no_proxy": local, **extra}


def free_port() -> int:
    """A TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    """Whether something accepts connections on a TCP port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(command: Sequence[str], env: Mapping[str, str], timeout_s: float = 120) -> str:
    """Run a command to its end and return what it printed; raise ProcessFailedError where it fails."""
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as error:
        raise ProcessFailedError(f"`{_words(command)}` did not end within {timeout_s:.0f} s") from error
    if done.returncode:
        output = _last_lines(done.stdout + done.stderr)
        raise ProcessFailedError(f"`{_words(command)}` failed with code {done.returncode}:\n{output}")
    return done.stdout


class Process:
    """A long-running command that is up when `ready()`; its output goes to `log`."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path, ready: Callable[[], bool]
    ) -> None:
        self.name = name
        self._command = tuple(command)
        self._env = dict(env)
        self._log = log
        self._ready = ready
        self._popen: subprocess.Popen[bytes] | None = None
        self._family: dict[int, str] = {}

    def start(self) -> None:
        """Start it, or start it again after it ended, and wait until it is ready; ProcessFailedError if it fails.

        It gets a process group of its own, so that Ctrl-C reaches us alone and no child is left behind.
        """
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as output:
            self._popen = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S
        while not self._ready():
            self.require_running()
            if time.monotonic() > deadline:
                raise ProcessFailedError(f"{self.name} was not ready after {START_S:.0f} s; {self._log_tail()}")
            time.sleep(LOOK_S)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        if self._popen is None:
            raise ProcessFailedError(f"{self.name} was not started")
        return self._popen.pid

    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    def require_running(self) -> None:
        """Raise ProcessFailedError if the process has ended."""
        if not self.is_running():
            code = None if self._popen is None else self._popen.returncode
            raise ProcessFailedError(f"{self.name} ended with code {code}; {self._log_tail()}")

    def terminate(self) -> None:
        """Ask it to end, and do not wait."""
        if self.is_running():
            self._family |= _descendants(self.pid)
            os.kill(self.pid, signal.SIGTERM)

    def stop(self, grace_s: float = 10) -> None:
        """Ask it to end, wait, then kill what is left of it and its descendants."""
        if self._popen is None:
            return
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(grace_s)
        self.kill()

    def kill(self) -> None:
        """Kill it and its descendants at once, also those that have left its process group."""
        if self._popen is None:
            return
        if self.is_running():
            self._family |= _descendants(self.pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()
        for pid, started in self._family.items():
            if _start_time(pid) == started:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._family.clear()

    def _log_tail(self) -> str:
        text = self._log.read_text(errors="replace") if self._log.is_file() else ""
        return f"the end of {self._log}:\n{_last_lines(text)}"


def stop_all(processes: Iterable[Process]) -> None:
    """Ask all to end at once, then wait for each, and kill what is left."""
    chosen = list(processes)
    for process in chosen:
        process.terminate()
    for process in chosen:
        process.stop()


def _descendants(pid: int) -> dict[int, str]:
    """Process ids of all descendants with their start times, which tell a process from a later one of the same id."""
    found: dict[int, str] = {}
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, listing.read_text().split()):
                found |= {child: _start_time(child)} | _descendants(child)
    return found


def _start_time(pid: int) -> str:
    """The kernel's start time of a process, or nothing if there is none (proc(5), field 22 of stat)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def _last_lines(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-TAIL_LINES:])


def _words(command: Sequence[str]) -> str:
    return " ".join([Path(command[0]).name, *command[1:]])
