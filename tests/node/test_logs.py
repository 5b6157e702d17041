"""Logs that can be shown to anybody: one line per record, no text of an exception, nothing of a library's own."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from node.logs import configure_logs, describe_fault
from privacy.accountant import rho_for_epsilon
from protocols.operator.console import Format


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Give the test runner its own logging back."""
    root, hook = logging.getLogger(), sys.excepthook
    handlers, level, raising = list(root.handlers), root.level, logging.raiseExceptions
    yield
    root.handlers[:], sys.excepthook, logging.raiseExceptions = handlers, hook, raising
    root.setLevel(level)


def _log(how: Format | None) -> io.StringIO:
    stream = io.StringIO()
    configure_logs(how, stream)
    return stream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_off_a_terminal_every_record_is_one_json_object_in_utc() -> None:
    stream = _log(None)
    logging.getLogger("leadline.node").info("serving site %s", "site-a")
    logging.getLogger("leadline.node").debug("not shown")
    (line,) = stream.getvalue().splitlines()
    record = json.loads(line)
    assert (record["level"], record["message"]) == ("INFO", "serving site site-a")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["time"])


def test_at_a_terminal_it_is_text() -> None:
    stream = Terminal()
    configure_logs(None, stream)
    logging.getLogger("leadline.node").warning("careful")
    assert re.fullmatch(r"\S+Z WARNING careful\n", stream.getvalue())


@pytest.mark.parametrize("how", list(Format))
def test_an_exceptions_text_is_never_shown(how: Format) -> None:
    stream = _log(how)
    try:
        rho_for_epsilon("Jane Roe", 1e-6)  # type: ignore[arg-type]
    except Exception:
        logging.getLogger("leadline.node").exception("a fault")
        logging.getLogger("grpc._server").exception("Exception calling application: Jane Roe")
    assert "Jane" not in stream.getvalue()
    assert "Traceback" not in stream.getvalue()
    assert "privacy/accountant.py:" in stream.getvalue(), "the place in our code is what helps"
    assert "withheld a message of grpc._server" in stream.getvalue()


def test_a_message_cannot_forge_a_second_record() -> None:
    stream = _log(Format.TEXT)
    logging.getLogger("leadline.node").info("refused: %s", "x\n2026-01-01T00:00:00Z INFO forged")
    assert len(stream.getvalue().splitlines()) == 1


def test_a_fault_outside_our_code_has_a_kind_and_no_place() -> None:
    assert describe_fault(ValueError("Jane Roe")) == "ValueError"


def test_a_process_that_ends_by_a_fault_says_so_without_its_text() -> None:
    code = "from node.logs import configure_logs; configure_logs(); raise ValueError('Jane Roe')"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert json.loads(ran.stderr)["message"] == "ended by a fault: ValueError"
