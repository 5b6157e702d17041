"""Logs: text for people at a terminal, one JSON object per line otherwise; times in UTC as in RFC 3339.

The text of an exception may quote protected rows, so no formatter here prints one: its kind and the place in our code
are what a log holds. Libraries' own messages may quote exceptions too, and are withheld for the same reason.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import TextIO

from protocols.operator.console import Format

OURS = "leadline"
_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = {"node", "protocols", "privacy"}
_log = logging.getLogger("leadline.node")


def describe_fault(error: BaseException) -> str:
    """The kind of an exception and the place in our code where it came up, never its text."""
    return f"{type(error).__name__}{_place(error.__traceback__)}"


def configure_logs(how: Format | None = None, stream: TextIO | None = None) -> None:
    """Log to `stream` (standard error) from INFO up; without `how` a terminal decides between text and JSON."""
    stream = stream or sys.stderr
    if how is None:
        how = Format.TEXT if stream.isatty() else Format.JSON
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_JsonFormatter() if how is Format.JSON else _TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.raiseExceptions = False  # a record that cannot be printed would print its arguments
    threading.excepthook = lambda fault: _log_end(fault.exc_value)
    sys.excepthook = lambda _kind, error, _trace: _log_end(error)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{_time(record)} {record.levelname} {_message(record)}"


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "pid": record.process,
        }
        return json.dumps(fields, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    text = record.getMessage() if record.name.partition(".")[0] == OURS else f"withheld a message of {record.name}"
    fault = record.exc_info[1] if record.exc_info else None
    return " ".join((text if fault is None else f"{text} ({describe_fault(fault)})").split())


def _place(trace: TracebackType | None) -> str:
    """The innermost frame that is ours."""
    place = ""
    for frame, line in walk_tb(trace):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and path.relative_to(_ROOT).parts[0] in _PACKAGES:
            place = f" at {path.relative_to(_ROOT)}:{line}"
    return place


def _log_end(error: BaseException | None) -> None:
    if error is not None and not isinstance(error, KeyboardInterrupt):
        _log.critical("ended by a fault: %s", describe_fault(error))
