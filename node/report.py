"""How the command line speaks: text for people, one JSON envelope for programs, errors in one line with what to do.

Envelope: {"schema_version": "1", "status": "ok" | "error", "exit_code": 0, "data": {...}}; an error's data holds
error_code, message and hint.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from enum import StrEnum

from node.errors import ExitCode, NodeError


class Format(StrEnum):
    """How a command prints."""

    TEXT = "text"
    JSON = "json"


def envelope(exit_code: ExitCode, data: Mapping[str, object]) -> str:
    """The JSON envelope of a result."""
    status = "ok" if exit_code is ExitCode.OK else "error"
    return json.dumps({"schema_version": "1", "status": status, "exit_code": int(exit_code), "data": data}, indent=1)


def say(how: Format, text: str, data: Mapping[str, object]) -> None:
    """Print a result."""
    print(envelope(ExitCode.OK, data) if how is Format.JSON else text)


def run(main: Callable[[], object], how: Format = Format.TEXT) -> int:
    """Call `main` and turn what goes wrong into one line and an exit code."""
    try:
        main()
    except NodeError as error:
        if how is Format.JSON:
            data = {"error_code": error.error_code, "message": error.message, "hint": error.hint}
            print(envelope(error.exit_code, data))
        else:
            print(f"leadline-node: {error.message}. What to do: {error.hint}.", file=sys.stderr)
        return int(error.exit_code)
    return int(ExitCode.OK)
