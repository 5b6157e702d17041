"""Keeps the pump running: starts it, and starts another when the broker has not heard from one for a while.

The pump carries messages between the broker and the transport. Here it is only a command line that submits it
and returns; whether it lives is judged by its calls to the broker alone, because a transport that went down takes
the pump with it and reports nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

log = logging.getLogger(__name__)

LOOK_S = 0.5
END_S = 5.0
TAIL_BYTES = 600


@dataclass(frozen=True)
class PumpTiming:
    """When a pump counts as dead and how soon another may be started; all in seconds."""

    settle_s: float = 2.0  # after start(): a pump that outlived a restart of the coordinator reports first
    submit_s: float = 60.0  # the longest that the command may run before it is ended
    silence_s: float = 30.0  # without a call to the broker for so long, the pump counts as dead
    first_retry_s: float = 2.0  # pause after the first failed start; doubled at each further one
    last_retry_s: float = 60.0


class PumpSupervisor:
    """Runs `command` with `environment` added to this process's own, whenever no pump is heard.

    `heard_at` tells when the broker last heard a pump, on `clock`'s scale (seconds), or None if it never did.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        heard_at: Callable[[], float | None],
        *,
        timing: PumpTiming = PumpTiming(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._command = tuple(command)
        self._environment = {**os.environ, **environment}
        self._heard_at = heard_at
        self._timing = timing
        self._clock = clock
        self._starter: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._started_at = clock()
        self._next_start_at = self._started_at + timing.settle_s
        self._retry_s = timing.first_retry_s
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to watch, in a thread of its own."""
        self._thread = threading.Thread(target=self._watch, name="pump-supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop watching and end a command that is still running. The pump itself ends as the broker goes away."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if self._starter is not None:
            self._end_starter()

    def look(self) -> None:
        """Do what is to be done now, without waiting: reap or end the command, start another pump if none is heard."""
        now = self._clock()
        if self._starter is not None:
            self._reap(now)
        elif self._is_heard(now):
            self._retry_s = self._timing.first_retry_s
        elif now >= self._next_start_at:
            self._submit(now)

    def _watch(self) -> None:
        while not self._stopping.wait(LOOK_S):
            self.look()

    def _is_heard(self, now: float) -> bool:
        heard_at = self._heard_at()
        return heard_at is not None and now - heard_at < self._timing.silence_s

    def _submit(self, now: float) -> None:
        self._started_at = now
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (closed when the command is reaped)
        try:
            self._starter = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            self._back_off(now, f"cannot run {self._command[0]}: {error.strerror}; check [pump] in the configuration")

    def _reap(self, now: float) -> None:
        """Note how the command ended, or end it if it takes too long."""
        assert self._starter is not None  # noqa: S101  (the caller's condition, for the type checker)
        code = self._starter.poll()
        if code == 0:
            log.info("pump submitted")
            self._next_start_at = now + max(self._timing.silence_s, self._retry_s)
            self._retry_s = min(2 * self._retry_s, self._timing.last_retry_s)
            self._end_starter()
        elif code is not None:
            self._back_off(now, f"the pump's command ended with code {code}: {self._tail()}")
        elif now - self._started_at > self._timing.submit_s:
            self._back_off(now, f"the pump's command did not return within {self._timing.submit_s:.0f} s")

    def _back_off(self, now: float, reason: str) -> None:
        log.warning("no pump: %s; next try in %.0f s", reason, self._retry_s)
        self._next_start_at = now + self._retry_s
        self._retry_s = min(2 * self._retry_s, self._timing.last_retry_s)
        self._end_starter()

    def _tail(self) -> str:
        """The end of what the command printed, on one line."""
        assert self._output is not None  # noqa: S101
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - TAIL_BYTES))
        return " ".join(self._output.read().decode(errors="replace").split())

    def _end_starter(self) -> None:
        if self._starter is not None:
            self._starter.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._starter.wait(END_S)
            self._starter.kill()
            self._starter.wait()
            self._starter = None
        if self._output is not None:
            self._output.close()
            self._output = None
