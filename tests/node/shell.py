"""`leadline-node` in this process: the words that a person types, and what comes back."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from node.cli import main


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    exit_code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """The data of the JSON envelope."""
        return dict(json.loads(self.out)["data"])


def type_in(*words: str | Path) -> Ran:
    """Run one command line as its user would."""
    out, err = io.StringIO(), io.StringIO()
    umask = os.umask(0o022)
    try:
        argv = mock.patch.object(sys, "argv", ["leadline-node", *map(str, words)])
        with argv, redirect_stdout(out), redirect_stderr(err):
            exit_code = _exit_code()
    finally:
        os.umask(umask)
    return Ran(exit_code, out.getvalue(), err.getvalue())


def _exit_code() -> int:
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    raise AssertionError("a command line always exits")
