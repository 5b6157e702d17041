"""The supervisor, with a small real program as the command and a clock that the test sets."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coordinator.pump import PumpSupervisor, PumpTiming
from tests.flower.servers import wait_for

TIMING = PumpTiming(settle_s=2, submit_s=60, silence_s=30, first_retry_s=4, last_retry_s=16)

PROGRAM = """
import os, sys, time
with open(sys.argv[1], "a") as file:
    print(os.getpid(), file=file)
if os.environ["BEHAVIOUR"] == "hang":
    time.sleep(600)
if os.environ["BEHAVIOUR"] == "fail":
    sys.exit("no SuperLink\\nat this address")
"""


class Bench:
    """A supervisor whose time and whose broker are in the test's hand."""

    def __init__(self, folder: Path, behaviour: str, log: pytest.LogCaptureFixture) -> None:
        self.now = 1000.0
        self.heard_at: float | None = None
        self._starts = folder / "starts"
        self._log = log
        command = [sys.executable, "-c", PROGRAM, str(self._starts)]
        self.supervisor = PumpSupervisor(
            command, {"BEHAVIOUR": behaviour}, lambda: self.heard_at, timing=TIMING, clock=lambda: self.now
        )

    @property
    def pids(self) -> list[int]:
        return [int(line) for line in self._starts.read_text().split()] if self._starts.exists() else []

    def is_idle_at(self, now: float) -> bool:
        """Whether a look at `now` neither starts nor ends anything."""
        before = len(self.pids), len(self._log.records)
        self.now = now
        self.supervisor.look()
        self.supervisor.look()
        return (len(self.pids), len(self._log.records)) == before

    def outcome_at(self, now: float) -> str:
        """Look at `now` until the supervisor says how a start went; give its words."""
        self.now = now
        before = len(self._log.records)

        def said() -> bool:
            self.supervisor.look()
            return len(self._log.records) > before

        wait_for(said, timeout_s=20)
        return self._log.records[-1].getMessage()


@pytest.fixture
def bench(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[str], Bench]]:
    made = []

    def make(behaviour: str) -> Bench:
        made.append(Bench(tmp_path, behaviour, caplog))
        return made[-1]

    caplog.set_level("INFO", logger="leadline.coordinator.pump")
    yield make
    for one in made:
        one.supervisor.stop()


def test_starts_a_pump_when_none_reported_within_the_settling_time(bench: Callable[[str], Bench]) -> None:
    it = bench("submit")
    assert it.is_idle_at(1001.9)
    assert it.outcome_at(1002) == "pump submitted"


def test_leaves_a_pump_alone_that_outlived_a_restart(bench: Callable[[str], Bench]) -> None:
    it = bench("submit")
    it.heard_at = 1001.0
    assert it.is_idle_at(1002)
    assert it.is_idle_at(1030.9)
    assert it.outcome_at(1031) == "pump submitted"


def test_starts_another_when_the_pump_falls_silent(bench: Callable[[str], Bench]) -> None:
    it = bench("submit")
    it.outcome_at(1002)
    it.heard_at = 1100.0
    assert it.is_idle_at(1129.9)
    assert it.outcome_at(1130) == "pump submitted"
    assert len(it.pids) == 2


def test_gives_a_submitted_pump_time_to_report(bench: Callable[[str], Bench]) -> None:
    it = bench("submit")
    it.outcome_at(1002)
    assert it.is_idle_at(1031.9)
    assert it.outcome_at(1032) == "pump submitted"


def test_failed_starts_are_further_and_further_apart_up_to_a_bound(bench: Callable[[str], Bench]) -> None:
    it = bench("fail")
    said = it.outcome_at(1002)
    assert "code 1: no SuperLink at this address; next try in 4 s" in said
    for last, pause_s, next_pause_s in ((1002, 4, 8), (1006, 8, 16), (1014, 16, 16), (1030, 16, 16)):
        assert it.is_idle_at(last + pause_s - 0.1)
        assert it.outcome_at(last + pause_s).endswith(f"next try in {next_pause_s} s")


def test_a_pump_that_reports_ends_the_backing_off(bench: Callable[[str], Bench]) -> None:
    it = bench("fail")
    it.outcome_at(1002)
    it.outcome_at(1006)
    it.heard_at = 1010.0
    assert it.is_idle_at(1011)
    assert it.outcome_at(1040).endswith("next try in 4 s")


def test_ends_a_command_that_does_not_return(bench: Callable[[str], Bench]) -> None:
    it = bench("hang")
    assert it.is_idle_at(1001)
    it.now = 1002
    it.supervisor.look()
    wait_for(lambda: len(it.pids) == 1)
    assert it.is_idle_at(1062)
    assert "did not return within 60 s" in it.outcome_at(1062.1)
    assert not _exists(it.pids[0])


def test_says_what_to_check_when_the_command_cannot_be_run(caplog: pytest.LogCaptureFixture) -> None:
    supervisor = PumpSupervisor(["/no/such/flwr"], {}, lambda: None, timing=PumpTiming(settle_s=0))
    supervisor.look()
    assert "cannot run /no/such/flwr: No such file or directory; check [pump]" in caplog.text
    supervisor.stop()


def test_runs_in_a_thread_of_its_own_and_ends_the_command_with_it(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    command = [sys.executable, "-c", PROGRAM, str(starts)]
    supervisor = PumpSupervisor(command, {"BEHAVIOUR": "hang"}, lambda: None, timing=PumpTiming(settle_s=0))
    supervisor.start()
    wait_for(lambda: starts.exists() and starts.read_text().endswith("\n"), timeout_s=20)
    supervisor.stop()
    assert not _exists(int(starts.read_text()))


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
