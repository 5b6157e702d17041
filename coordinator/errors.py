"""What goes wrong for an operator: what happened, what to do next, and the exit code of the command line."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `leadline-coordinator`."""

    OK = 0
    REFUSED = 1
    CONNECTION = 2
    TIMEOUT = 3
    USAGE = 4
    INTERNAL = 5


class CoordinatorError(Exception):
    """An error that an operator can act on; `error_code` is stable and meant for programs."""

    exit_code = ExitCode.REFUSED

    def __init__(self, error_code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message
        self.hint = hint


class RuleError(CoordinatorError):
    """The request was understood and a rule forbids it."""


class SignatureError(CoordinatorError):
    """A key or a signature does not fit."""

    exit_code = ExitCode.CONNECTION


class EndpointError(CoordinatorError):
    """A port or socket cannot be used."""

    exit_code = ExitCode.CONNECTION


class InputError(CoordinatorError):
    """An argument, a file or the configuration is wrong."""

    exit_code = ExitCode.USAGE


class DatabaseBusyError(CoordinatorError):
    """The database did not answer in time."""

    exit_code = ExitCode.TIMEOUT

    def __init__(self, reason: str) -> None:
        super().__init__(
            "database", f"the database did not answer: {reason}", "try again; check that the disk is not full"
        )


class InternalError(CoordinatorError):
    """A fault of this program."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, fault: Exception) -> None:
        message = f"an internal fault, {type(fault).__name__}: {fault}"
        super().__init__("internal", message, "report it with the lines above")
