"""The processes of the demonstration: ready, ended, failed, and nothing left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from federation import MARKER, fresh_folder, publishable
from processes import Process, ProcessFailedError, environment, free_port, is_listening, run, stop_all
from typer import BadParameter

from tests.flower.servers import wait_for

# Starts a child that leaves the group and ignores SIGTERM, writes the child's pid, listens, and waits.
PARENT = """
import socket, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"],
    start_new_session=True)
open(sys.argv[2], "w").write(str(child.pid))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""


class Family:
    """A process with a stubborn child."""

    def __init__(self, folder: Path) -> None:
        self._child = folder / "child"
        port = free_port()
        command = [sys.executable, "-c", PARENT, str(port), str(self._child)]
        self.process = Process("parent", command, environment(), folder / "log", lambda: is_listening(port))

    def child_exists(self) -> bool:
        """Whether the child runs; one that ended but was not reaped yet does not."""
        stat = Path(f"/proc/{self._child.read_text()}/stat")
        try:
            return stat.read_text().rpartition(")")[2].split()[0] != "Z"
        except (FileNotFoundError, ProcessLookupError):
            return False


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Family]:
    made = Family(tmp_path)
    yield made
    made.process.kill()


def test_stopping_leaves_no_child_behind(family: Family) -> None:
    family.process.start()
    assert family.process.is_running()
    assert family.child_exists()
    stop_all([family.process])
    assert not family.process.is_running()
    wait_for(lambda: not family.child_exists(), timeout_s=5)


def test_can_be_started_again_after_it_was_killed(family: Family) -> None:
    family.process.start()
    family.process.kill()
    with pytest.raises(ProcessFailedError, match="parent ended with code -9"):
        family.process.require_running()
    family.process.start()
    family.process.require_running()


def test_a_process_that_fails_at_the_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    program = "import sys; print('the address is in use'); sys.exit(3)"
    process = Process("SuperLink", [sys.executable, "-c", program], environment(), tmp_path / "log", lambda: False)
    with pytest.raises(ProcessFailedError, match=r"SuperLink ended with code 3; (?s:.*)the address is in use"):
        process.start()


def test_a_command_that_fails_shows_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(ProcessFailedError, match=r"failed with code 1:\n +no such site"):
        run([sys.executable, "-c", "import sys; sys.exit('no such site')"], environment())


def test_a_command_that_hangs_is_ended() -> None:
    with pytest.raises(ProcessFailedError, match="did not end within 0 s"):
        run([sys.executable, "-c", "import time; time.sleep(600)"], environment(), timeout_s=0.2)


def test_commands_of_this_environment_come_first_on_the_path() -> None:
    assert environment()["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_replaces_a_folder_of_its_own_and_refuses_any_other(tmp_path: Path) -> None:
    folder = fresh_folder(tmp_path / "demo")
    (folder / "truth.csv").touch()
    assert [path.name for path in fresh_folder(folder).iterdir()] == [MARKER]
    other = tmp_path / "thesis"
    other.mkdir()
    (other / "chapter-1").touch()
    with pytest.raises(BadParameter, match="was not made by this program"):
        fresh_folder(other)
    assert (other / "chapter-1").exists()


@pytest.mark.parametrize(
    ("today", "years"),
    [("2026-03-31", (2022, 2024)), ("2026-04-01", (2023, 2025)), ("2026-12-31", (2023, 2025))],
)
def test_asks_for_years_that_the_embargo_lets_through(today: str, years: tuple[int, int]) -> None:
    asked = publishable(3, date.fromisoformat(today))
    assert (asked[0], asked[-1], len(asked)) == (*years, 3)
