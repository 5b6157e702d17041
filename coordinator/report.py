"""How the command line speaks: text for people, one JSON envelope for programs, errors in one line with what to do.

Envelope: {"schema_version": "1", "status": "ok" | "error", "exit_code": 0, "data": {...}}; an error's data holds
error_code, message and hint.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum

from coordinator.errors import CoordinatorError, ExitCode


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


def complain(how: Format, error: CoordinatorError) -> int:
    """Print an error and return its exit code."""
    if how is Format.JSON:
        data = {"error_code": error.error_code, "message": error.message, "hint": error.hint}
        print(envelope(error.exit_code, data))
    else:
        line = f"leadline-coordinator: {error.message}. What to do: {error.hint}."
        print(" ".join(line.split()), file=sys.stderr)
    return int(error.exit_code)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Left-aligned columns for a terminal."""
    cells = [list(heads), *([str(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )
