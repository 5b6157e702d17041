"""What goes wrong for an operator: what happened, what to do next, and the exit code of the command line."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of both programs."""

    OK = 0
    REFUSED = 1
    CONNECTION = 2
    TIMEOUT = 3
    USAGE = 4
    INTERNAL = 5


class OperatorError(Exception):
    """An error that an operator can act on; `error_code` is stable and meant for programs."""

    exit_code = ExitCode.REFUSED

    def __init__(self, error_code: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message
        self.hint = hint


class RuleError(OperatorError):
    """The request was understood and a rule forbids it."""


class SignatureError(OperatorError):
    """A key or a signature does not fit."""

    exit_code = ExitCode.CONNECTION


class EndpointError(OperatorError):
    """A port or socket cannot be used."""

    exit_code = ExitCode.CONNECTION


class BusyError(OperatorError):
    """Something did not answer in time."""

    exit_code = ExitCode.TIMEOUT


class InputError(OperatorError):
    """An argument, a file or the configuration is wrong."""

    exit_code = ExitCode.USAGE


class InternalError(OperatorError):
    """A fault of the program itself; the message names its kind and never its text, which may quote data."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, fault: Exception) -> None:
        super().__init__("internal", f"an internal fault ({type(fault).__name__})", "report it with the version")
