"""The serving process, for real: a clean end, a second one refused, and kill -9 in the middle of a round."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest

from coordinator.clock import SystemClock
from coordinator.store.audit import first_broken
from coordinator.store.database import Store
from protocols.keys import load_public_key
from protocols.v1 import broker_pb2
from protocols.v1.broker_pb2_grpc import BrokerStub
from tests.coordinator.site import TinySite

pytestmark = pytest.mark.federation

COMMAND = [sys.executable, "-m", "coordinator.cli"]
YEAR = 2024
START_S = 120.0
CALL_S = 5.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Coordinator:
    """A coordinator's folder, its command line, its process, and a pump for its sites."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.config = folder / "coordinator.toml"
        folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(
            f"[rounds]\nresend_s = 0.2\ntick_s = 0.1\n[web]\nport = {self.port}\n[sites]\nsuperlink = 'localhost:1'\n"
        )
        self.call("init", "--dir", str(folder), config=False)
        self.pso = load_public_key(folder / "keys/pso.pub")
        self.sites = [TinySite(f"site-{number}") for number in range(5)]
        for site in self.sites:
            file, read_out = site.write_enrolment(folder)
            out = folder / f"{site.site_id}.approval"
            self.call("sites", "approve", str(file), "--fingerprint", read_out, "--out", str(out))

    def call(self, *words: str, config: bool = True) -> dict[str, Any]:
        options = ["--config", str(self.config)] if config else []
        done = subprocess.run(
            [*COMMAND, *words, *options, "--format", "json"], capture_output=True, text=True, timeout=60, check=True
        )
        data: dict[str, Any] = json.loads(done.stdout)["data"]
        return data

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        process = subprocess.Popen([*COMMAND, "serve", "--config", str(self.config)])
        try:
            self.wait_for_web(process)
            yield process
        finally:
            process.kill()
            process.wait()

    def wait_for_web(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert process.poll() is None, "the process ended"
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError("not serving in time")

    def pump(self, stopping: threading.Event) -> None:
        """Carry until stopped, whatever happens to the other end."""
        nodes = [site.node(number) for number, site in enumerate(self.sites)]
        with grpc.insecure_channel(f"unix:{self.folder / 'run/broker.sock'}") as channel:
            broker = BrokerStub(channel)
            while not stopping.wait(0.02):
                with suppress(grpc.RpcError):
                    for delivery in broker.Take(broker_pb2.TakeRequest(online=nodes), timeout=CALL_S).due:
                        payload = self.sites[delivery.node_id].exchange(delivery.payload, self.pso)
                        answer = broker_pb2.Delivery(delivery_id=delivery.delivery_id, payload=payload)
                        broker.Deliver(answer, timeout=CALL_S)

    def answers(self) -> int:
        store = Store(self.folder / "coordinator.db", SystemClock())
        with store.reading() as reader:
            found = sum(len(reader.releases_of_site(site.site_id)) for site in self.sites)
            assert first_broken(reader.audit_events()) is None
        store.close()
        return found

    def states(self) -> set[str]:
        return {found["state"] for found in self.call("rounds", "status")["rounds"]}


@pytest.fixture(scope="module")
def coordinator(tmp_path_factory: pytest.TempPathFactory) -> Coordinator:
    return Coordinator(tmp_path_factory.mktemp("c"))


def test_sigterm_ends_it_cleanly_and_quickly(coordinator: Coordinator) -> None:
    with coordinator.serving() as process:
        with urllib.request.urlopen(f"http://127.0.0.1:{coordinator.port}/healthz", timeout=5) as reply:
            assert reply.status == 200
        second = subprocess.run(
            [*COMMAND, "serve", "--config", str(coordinator.config)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert "another coordinator holds" in second.stderr
        process.terminate()
        assert process.wait(20) == 0


def test_a_taken_port_ends_it_with_what_to_do(coordinator: Coordinator) -> None:
    with socket.create_server(("127.0.0.1", coordinator.port)):
        done = subprocess.run(
            [*COMMAND, "serve", "--config", str(coordinator.config)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert "free the port, or set web.port" in done.stderr


def test_killed_in_the_middle_of_a_round_it_goes_on(coordinator: Coordinator) -> None:
    """Killed three times while answers come in: nothing is lost, nothing is drawn twice, the round completes."""
    stopping = threading.Event()
    pump = threading.Thread(target=coordinator.pump, args=(stopping,))
    coordinator.call("rounds", "open", "--year", str(YEAR))
    pump.start()
    try:
        for wanted in (1, 9, 25):
            with coordinator.serving() as process:
                deadline = time.monotonic() + START_S
                while coordinator.answers() < wanted:
                    assert time.monotonic() < deadline
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        with coordinator.serving():
            deadline = time.monotonic() + START_S
            while coordinator.states() != {"complete"}:
                assert time.monotonic() < deadline
    finally:
        stopping.set()
        pump.join()
    assert coordinator.answers() == 5 * 8
    assert [len(site.sealed) for site in coordinator.sites] == [8] * 5
    assert [site.entries for site in coordinator.sites] == [17] * 5
