"""The worker process, from the daemon's side: hired when an envelope comes, dismissed when none came for a while.

One pipe, length-prefixed messages (multiprocessing.connection): the worker first says that it is ready, or why it
cannot be; then each envelope is answered by one. Whichever end dies, the other finds the pipe closed. Nothing is lost
with a worker: what it sealed is in the ledger, and is the answer when the coordinator asks again.
"""

from __future__ import annotations

import json
import logging
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe

from node.gateway import MAX_MESSAGE_BYTES, NotAnsweredError
from protocols.operator.errors import ExitCode, OperatorError

_log = logging.getLogger("leadline.node")

READY = b"{}"
START_S = 300.0  # imports, the sampler's self-test, and the first reading of the exports
ANSWER_S = 300.0
IDLE_S = 120.0
BUSY_S = 30.0
END_S = 10.0


class WorkerRefusedError(OperatorError):
    """The worker cannot work; the error is the one that it met."""

    def __init__(self, report: bytes) -> None:
        fields = json.loads(report)
        super().__init__(fields["error_code"], fields["message"], fields["hint"])
        self.exit_code = ExitCode(fields["exit_code"])


def report_of(error: OperatorError) -> bytes:
    """What a worker sends instead of READY."""
    fields = {"error_code": error.error_code, "message": error.message, "hint": error.hint}
    return json.dumps(fields | {"exit_code": int(error.exit_code)}).encode()


@dataclass(frozen=True)
class Worker:
    """A worker process and our end of its pipe."""

    process: subprocess.Popen[bytes]
    pipe: Connection

    def receive(self, limit_s: float, message: bytes | None = None) -> bytes:
        """Send `message` if there is one, and return what comes back; EOFError or OSError where the worker is gone.

        One that takes longer than `limit_s` is killed: its half of the pipe closes, and that ends the wait.
        """
        watchdog = threading.Timer(limit_s, self.process.kill)
        watchdog.start()
        try:
            if message is not None:
                self.pipe.send_bytes(message)
            return self.pipe.recv_bytes(MAX_MESSAGE_BYTES)
        finally:
            watchdog.cancel()

    def end(self) -> None:
        """Close the pipe, which ends the worker; kill it if it does not."""
        self.pipe.close()
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Workers:
    """At most one worker at a time, started with `command` and the number of its end of the pipe."""

    def __init__(self, command: Sequence[str], idle_s: float = IDLE_S, answer_s: float = ANSWER_S) -> None:
        self._command, self._idle_s, self._answer_s = tuple(command), idle_s, answer_s
        self._turn = threading.Lock()
        self._worker: Worker | None = None
        self._used_s = 0.0
        self._alarm: threading.Timer | None = None
        self._closing = False

    @property
    def at_work(self) -> bool:
        """Whether a worker process runs."""
        worker = self._worker
        return worker is not None and worker.process.poll() is None

    def start(self) -> None:
        """Have a worker ready; WorkerRefusedError says what keeps it from work, NotAnsweredError that it died."""
        with self._in_turn():
            self._worker = self._hire("--read-exports")

    def answer(self, raw: bytes) -> bytes:
        """One envelope for one; NotAnsweredError where the worker is busy, died, hung or cannot start."""
        with self._in_turn():
            try:
                worker = self._ready()
            except WorkerRefusedError as error:
                raise NotAnsweredError(f"{error.message}. What to do: {error.hint}") from error
            try:
                return worker.receive(self._answer_s, raw)
            except (EOFError, OSError) as error:
                self._dismiss()
                raise NotAnsweredError(f"the worker died or was stopped, {_how(worker)}") from error

    def stop_hiring(self) -> None:
        """From now on nothing new is answered; what is under way goes on."""
        self._closing = True

    def close(self, grace_s: float) -> None:
        """Let what is under way end within `grace_s`, then end the worker, in the worst case by force."""
        self.stop_hiring()
        in_time = self._turn.acquire(timeout=grace_s)
        if not in_time and (worker := self._worker) is not None:
            _log.error("the worker did not finish within %.0f s and is killed", grace_s)
            worker.process.kill()
            self._turn.acquire()
        try:
            self._dismiss()
        finally:
            self._turn.release()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=BUSY_S):
            raise NotAnsweredError("an earlier batch is still being answered")
        try:
            if self._closing:
                raise NotAnsweredError("the node is stopping")
            yield
        finally:
            self._set_alarm()
            self._turn.release()

    def _ready(self) -> Worker:
        """The worker, hired if there is none. To be called in turn."""
        if self._worker is None or not self.at_work:
            self._dismiss()
            self._worker = self._hire()
        return self._worker

    def _hire(self, *words: str) -> Worker:
        ours, theirs = Pipe()
        with theirs:
            number = theirs.fileno()
            command = [*self._command, *words, str(number)]
            # A session of its own: Ctrl-C and the terminal's end reach the daemon alone, which lets the worker finish.
            process = subprocess.Popen(command, pass_fds=[number], stdin=subprocess.DEVNULL, start_new_session=True)
        worker = Worker(process, ours)
        try:
            report = worker.receive(START_S)
        except (EOFError, OSError) as error:
            worker.end()
            raise NotAnsweredError(f"the worker ended while it started, {_how(worker)}") from error
        if report != READY:
            worker.end()
            raise WorkerRefusedError(report)
        return worker

    def _dismiss(self) -> None:
        """End the worker, if there is one. To be called in turn."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _set_alarm(self) -> None:
        self._used_s = time.monotonic()
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = threading.Timer(self._idle_s, self._dismiss_idle)
        self._alarm.daemon = True
        self._alarm.start()

    def _dismiss_idle(self) -> None:
        """Give the memory back, unless an envelope came while this waited for its turn."""
        if self._turn.acquire(blocking=False):
            try:
                if time.monotonic() - self._used_s >= self._idle_s:
                    self._dismiss()
            finally:
                self._turn.release()


def _how(worker: Worker) -> str:
    code = worker.process.poll()
    return f"exit code {code}" if code is not None else "closing its pipe"
