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

_log = logging.getLogger("leadline.coordinator.pump")

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
        self._submission: _Submission | None = None
        self._next_start_at = clock() + timing.settle_s
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
        self._end_submission()

    def look(self) -> None:
        """Do what is to be done now, without waiting: judge a command under way, or submit a pump if none is heard."""
        now = self._clock()
        if self._submission is not None:
            self._judge(self._submission, now)
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
        try:
            self._submission = _Submission(self._command, self._environment, now)
        except OSError as error:
            reason = f"cannot run {self._command[0]}: {error.strerror}; check [pump] in the configuration"
            self._back_off(now, reason)

    def _judge(self, submission: _Submission, now: float) -> None:
        code = submission.process.poll()
        if code == 0:
            _log.info("pump submitted")
            self._wait_before_next(now, max(self._timing.silence_s, self._retry_s))
        elif code is not None:
            self._back_off(now, f"the pump's command ended with code {code}: {submission.tail()}")
        elif now - submission.started_at > self._timing.submit_s:
            self._back_off(now, f"the pump's command did not return within {self._timing.submit_s:.0f} s")

    def _back_off(self, now: float, reason: str) -> None:
        _log.warning("no pump: %s; next try in %.0f s", reason, self._retry_s)
        self._wait_before_next(now, self._retry_s)

    def _wait_before_next(self, now: float, pause_s: float) -> None:
        """End what is under way; the pause doubles at every start until a pump is heard."""
        self._end_submission()
        self._next_start_at = now + pause_s
        self._retry_s = min(2 * self._retry_s, self._timing.last_retry_s)

    def _end_submission(self) -> None:
        if self._submission is not None:
            self._submission.end()
            self._submission = None


class _Submission:
    """One run of the command; OSError if it cannot be started."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], started_at: float) -> None:
        self.started_at = started_at
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (closed by end)
        try:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT
            )
        except OSError:
            self._output.close()
            raise

    def tail(self) -> str:
        """The end of what the command printed, on one line."""
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - TAIL_BYTES))
        return " ".join(self._output.read().decode(errors="replace").split())

    def end(self) -> None:
        """End the command, kindly at first."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_S)
        self.process.kill()
        self.process.wait()
        self._output.close()
