"""How a command line speaks: text for people, one JSON envelope for programs, errors in one line with what to do.

Envelope: {"schema_version": "1", "status": "ok" | "error", "exit_code": 0, "data": {...}}; an error's data holds
error_code, message and hint.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated

import click
import typer

from protocols.operator.errors import ExitCode, InputError, InternalError, OperatorError

Explain = Callable[[Exception], OperatorError | None]


class Format(StrEnum):
    """How a command prints."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="text for people, json for programs.")]


def envelope(exit_code: ExitCode, data: Mapping[str, object]) -> str:
    """The JSON envelope of a result."""
    status = "ok" if exit_code is ExitCode.OK else "error"
    return json.dumps({"schema_version": "1", "status": status, "exit_code": int(exit_code), "data": data}, indent=1)


def say(how: Format, text: str, data: Mapping[str, object]) -> None:
    """Print a result."""
    print(envelope(ExitCode.OK, data) if how is Format.JSON else text)


def complain(how: Format, program: str, error: OperatorError) -> int:
    """Print an error and return its exit code."""
    if how is Format.JSON:
        data = {"error_code": error.error_code, "message": error.message, "hint": error.hint}
        print(envelope(error.exit_code, data))
    else:
        line = f"{program}: {error.message}. What to do: {error.hint}."
        print(" ".join(line.split()), file=sys.stderr)
    return int(error.exit_code)


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Left-aligned columns for a terminal."""
    cells = [list(heads), *([str(value) for value in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(heads))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def run(app: typer.Typer, program: str, explain: Explain, show_fault: bool) -> int:
    """Run a command line and return its exit code; whatever goes wrong is one line with what to do.

    `explain` knows the program's own exceptions. `show_fault` prints the trace of an unforeseen one: never where its
    text could quote protected rows.
    """
    words = " ".join(sys.argv[1:]).replace("=", " ").split()
    how = Format.JSON if ("--format", "json") in pairwise(words) else Format.TEXT
    try:
        result = app(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError:
        return int(ExitCode.USAGE)  # the help was printed
    except click.exceptions.Abort:
        return int(ExitCode.REFUSED)
    except Exception as error:
        return complain(how, program, _explained(error, explain, show_fault))
    return result if isinstance(result, int) else int(ExitCode.OK)


def _explained(error: Exception, explain: Explain, show_fault: bool) -> OperatorError:
    if isinstance(error, OperatorError):
        return error
    if isinstance(error, click.ClickException):
        return InputError("usage", error.format_message().rstrip("."), "see the command with --help")
    known = explain(error)
    if known is not None:
        return known
    if show_fault:
        traceback.print_exception(error)
    return InternalError(error)
