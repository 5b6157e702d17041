"""What goes wrong for an operator: what happened, what to do next, and the exit code of the command line."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `leadline-node`."""

    OK = 0
    REFUSED = 1
    CONNECTION = 2
    TIMEOUT = 3
    USAGE = 4
    INTERNAL = 5


class NodeError(Exception):
    """An error that an operator can act on; `error_code` is stable and meant for programs."""

    def __init__(self, error_code: str, message: str, hint: str, exit_code: ExitCode = ExitCode.USAGE) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message
        self.hint = hint
        self.exit_code = exit_code
