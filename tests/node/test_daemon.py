"""The daemon and its worker as processes: what dies, hangs or is stopped loses nothing and charges nothing twice."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest

from node.clock import SystemClock
from node.gateway import NotAnsweredError, probe
from node.identity import load_signing_key, open_ledger
from node.ledger.store import Ledger
from node.service.only import is_held, worker_lock
from node.service.workers import Workers
from protocols.refusals import Code
from protocols.statement import parse_envelope
from protocols.v1 import leadline_pb2 as pb
from tests.node.installed import NODE, Installed, children, free_port, install, is_alive, kill

LARGE = ("arrow", "opendp", "pandas", "numpy")
PLAN_NANO = 30_000_000  # the plan of `Installed.request`: three tables
SLICE_NANO = 20_000_000  # its first quarter again: months and quarter; the year is not in it


@pytest.fixture
def site(tmp_path: Path) -> Installed:
    return install(tmp_path)


@pytest.fixture
def ledger(site: Installed) -> Iterator[Ledger]:
    opened = open_ledger(site.config, load_signing_key(site.config), SystemClock())
    yield opened
    opened.close()


def _workers(site: Installed, ledger: Ledger, **limits: float) -> Workers:
    """Workers of a daemon that starts now."""
    command = [sys.executable, "-m", "tests.node.stumbling_worker", "--config", str(site.config_file)]
    return Workers([*command, "--run-from", str(ledger.head().length)], **limits)


@pytest.fixture
def stumble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def prepare(how: str) -> None:
        monkeypatch.setenv("STUMBLE", how)
        monkeypatch.setenv("STUMBLED", str(tmp_path / "stumbled"))

    return prepare


def _kind(raw: bytes) -> str:
    return parse_envelope(raw).kind


def _code(raw: bytes) -> str:
    return pb.Refusal.FromString(parse_envelope(raw).body).code


def _wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_a_worker_that_dies_after_the_seal_costs_nothing_and_changes_no_byte(
    site: Installed, ledger: Ledger, stumble: Callable[[str], None]
) -> None:
    stumble("sealed die")
    workers = _workers(site, ledger)
    asked = site.request()
    with pytest.raises(NotAnsweredError, match="died"):
        workers.answer(asked)
    sealed = ledger.sealed(*_slice(asked))
    assert sealed is not None
    assert workers.answer(asked) == sealed
    assert workers.answer(asked) == sealed
    workers.close(5)
    assert ledger.spent(2025)["clinician"] == PLAN_NANO


def _slice(asked: bytes) -> tuple[bytes, int]:
    request = pb.Request.FromString(parse_envelope(asked).body)
    return hashlib.sha256(parse_envelope(request.plan).body).digest(), request.quarter


@pytest.mark.parametrize("step", ["reserved", "drawn"])
def test_a_worker_that_dies_between_charge_and_seal_is_not_charged_again_until_the_daemon_starts_anew(
    step: str, site: Installed, ledger: Ledger, stumble: Callable[[str], None]
) -> None:
    stumble(f"{step} die")
    workers = _workers(site, ledger)
    with pytest.raises(NotAnsweredError, match="died"):
        workers.answer(site.request())
    for _ in range(2):
        assert _code(workers.answer(site.request())) == Code.INTERNAL
    assert ledger.spent(2025)["clinician"] == PLAN_NANO
    workers.close(5)
    restarted = _workers(site, ledger)
    answer = restarted.answer(site.request())
    assert _kind(answer) == "release"
    assert restarted.answer(site.request()) == answer
    restarted.close(5)
    assert ledger.spent(2025)["clinician"] == PLAN_NANO + SLICE_NANO


def test_a_worker_that_hangs_is_killed_in_time(site: Installed, ledger: Ledger, stumble: Callable[[str], None]) -> None:
    stumble("reserved 600")
    workers = _workers(site, ledger, answer_s=5)
    begun = time.monotonic()
    with pytest.raises(NotAnsweredError):
        workers.answer(site.request())
    assert time.monotonic() - begun < 60
    assert not workers.at_work
    assert _kind(workers.answer(b"junk")) == "refusal", "the next worker answers"
    workers.close(5)


def test_closing_lets_an_answer_that_was_begun_be_sealed(
    site: Installed, ledger: Ledger, stumble: Callable[[str], None], tmp_path: Path
) -> None:
    stumble("reserved 1.5")
    workers = _workers(site, ledger)
    answers: list[bytes] = []
    asking = threading.Thread(target=lambda: answers.append(workers.answer(site.request())))
    asking.start()
    _wait_for((tmp_path / "stumbled").exists)
    workers.close(30)
    asking.join(30)
    assert [_kind(answer) for answer in answers] == ["release"]
    assert answers == [ledger.sealed(*_slice(site.request()))]
    with pytest.raises(NotAnsweredError, match="stopping"):
        workers.answer(site.request())


def test_closing_is_bounded_where_the_worker_hangs(
    site: Installed, ledger: Ledger, stumble: Callable[[str], None], tmp_path: Path
) -> None:
    stumble("reserved 600")
    workers = _workers(site, ledger)

    def ask() -> None:
        with pytest.raises(NotAnsweredError):
            workers.answer(site.request())

    asking = threading.Thread(target=ask)
    asking.start()
    _wait_for((tmp_path / "stumbled").exists)
    begun = time.monotonic()
    workers.close(0.5)
    asking.join(10)
    assert time.monotonic() - begun < 10


def test_an_idle_worker_ends_and_the_next_envelope_hires_another(
    site: Installed, ledger: Ledger, stumble: Callable[[str], None]
) -> None:
    stumble("none die")
    workers = _workers(site, ledger, idle_s=0.3)
    first = workers.answer(site.request())
    assert workers.at_work
    _wait_for(lambda: not workers.at_work)
    assert not is_held(worker_lock(site.config.paths.socket))
    assert workers.answer(site.request()) == first
    workers.close(5)


def _maps(pid: int) -> str:
    return Path(f"/proc/{pid}/maps").read_text()


def test_the_daemon_answers_is_killed_and_gives_the_same_bytes_again(site: Installed, ledger: Ledger) -> None:
    """One story with real processes: memory, one daemon per socket, kill -9 of either, stop."""
    with site.daemon() as daemon:
        answer = site.exchange(site.request())[0]
        assert _kind(answer) == "release", site.log()
        (worker,) = children(daemon.pid)
        assert not [name for name in LARGE if name in _maps(daemon.pid)], "the daemon imported what is large"
        assert [name for name in LARGE if name in _maps(worker)] == list(LARGE), "this test looks for the wrong names"
        kill(worker)
        assert site.exchange(site.request()) == [answer]
        (worker,) = children(daemon.pid)
        daemon.send_signal(signal.SIGSTOP)
        second = site.json("start")
        assert (second["exit_code"], second["data"]["error_code"]) == (2, "running"), "however busy the first is"
        assert site.json("status")["data"]["running"] is True
        daemon.send_signal(signal.SIGCONT)
        kill(daemon.pid)
        daemon.wait(10)
        _wait_for(lambda: not is_alive(worker))
    assert site.json("status")["data"]["running"] is False
    with site.daemon() as daemon:
        assert site.exchange(site.request()) == [answer]
        assert site.json("status")["data"]["worker"] is True
        begun = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
        assert time.monotonic() - begun < 10
    assert not site.config.paths.socket.exists()
    assert ledger.spent(2025)["clinician"] == PLAN_NANO
    assert [content["quarter"] for content in ledger.contents("reserved")] == [1]


def test_a_relay_that_comes_while_no_worker_can_start_is_told_to_come_again(site: Installed) -> None:
    with site.daemon() as daemon:
        (worker,) = children(daemon.pid)
        site.config.paths.person_key.chmod(0o644)
        kill(worker)
        with pytest.raises(grpc.RpcError) as failure:
            site.exchange(site.request())
        assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "person.key" not in failure.value.details()
        assert "chmod 600" in site.log(), "the operator learns why"
        site.config.paths.person_key.chmod(0o600)
        assert _kind(site.exchange(site.request())[0]) == "release"


def test_start_says_what_is_missing(site: Installed) -> None:
    approval, elsewhere = site.config.paths.approval, site.config.paths.approval.with_name("elsewhere")
    approval.rename(elsewhere)
    answer = site.json("start")
    assert (answer["exit_code"], answer["data"]["error_code"]) == (1, "not_approved")
    elsewhere.rename(approval)
    site.config.paths.person_key.chmod(0o644)
    answer = site.json("start")
    assert (answer["exit_code"], answer["data"]["error_code"]) == (2, "key")
    assert not probe(site.config.paths.socket, 0.2)


def test_a_monitoring_port_that_is_taken_is_named(site: Installed) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        site.set("port = 0", f"port = {port}")
        answer = site.json("start")
        assert (answer["exit_code"], answer["data"]["error_code"]) == (2, "port")
        assert str(port) in answer["data"]["message"]


def test_a_supervisor_and_a_monitoring_hear_when_it_serves_and_when_it_stops(
    site: Installed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    site.set("port = 0", f"port = {port}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with site.daemon() as daemon:
            assert supervisor.recv(100) == b"READY=1"
            with urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
                assert json.load(answer)["status"] == "ready"
            site.exchange(site.request())
            with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
                assert 'leadline_node_releases_total{outcome="sent"} 1.0' in answer.read().decode()
            daemon.send_signal(signal.SIGINT)
            assert supervisor.recv(100) == b"STOPPING=1"
            assert daemon.wait(30) == 0


def test_a_signal_during_the_start_ends_it_at_once_and_leaves_nothing_behind(site: Installed) -> None:
    command = [*NODE, "start", "--config", str(site.config_file)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as daemon:
        _wait_for(lambda: bool(children(daemon.pid)), 60)
        workers = children(daemon.pid)
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(10) != 0
    _wait_for(lambda: not any(map(is_alive, workers)), 60)
    with site.daemon():
        assert _kind(site.exchange(site.request())[0]) == "release"
