"""An enrolled site as its commands made it, on disk and in processes: for tests of what runs, not of what counts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from node.clock import SystemClock
from node.config import NodeConfig, load_config
from node.enrolment import init_site, make_request
from node.gateway import probe
from node.membership import install_approval
from protocols.enrolment import open_enrolment
from protocols.v1 import leadline_pb2 as pb
from protocols.v1 import leadline_pb2_grpc as services
from tests.node.world import DAY_S, Pso, write_profile

NODE = [sys.executable, "-m", "node.cli"]
START_S = 90.0
MAPPING = """\
version = 1
[[source]]
table = "support_encounter"
file = "encounters.csv"
[source.columns]
encounter_key = "id"
activation_key = "activation"
person_key = "staff"
encounter_date = "at"
tier = "tier"
mode = { constant = "one_to_one_in_person" }
"""


@dataclass
class Installed:
    """A site in `folder` that its PSO has approved for the real day."""

    config_file: Path
    pso: Pso

    @property
    def config(self) -> NodeConfig:
        """The configuration as it stands on disk."""
        return load_config(self.config_file)

    def set(self, before: str, after: str) -> None:
        """Change a line of node.toml."""
        text = self.config_file.read_text()
        assert before in text, f"node.toml has no {before}"
        self.config_file.write_text(text.replace(before, after))

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command of this site."""
        command = [*NODE, *words, "--config", str(self.config_file)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_S)

    def json(self, *words: str) -> dict[str, Any]:
        """The envelope that one command prints."""
        ran = self.run(*words, "--format", "json")
        answer: dict[str, Any] = json.loads(ran.stdout)
        assert answer["exit_code"] == ran.returncode
        return answer

    def exchange(self, *envelopes: bytes, timeout_s: float = 60) -> list[bytes]:
        """What the daemon answers to the relay."""
        with grpc.insecure_channel(f"unix:{self.config.paths.socket}") as channel:
            batch = pb.Batch(envelopes=envelopes)
            return list(services.GatewayStub(channel).Exchange(batch, timeout=timeout_s).envelopes)

    def request(self, quarter: int = 1, **changes: object) -> bytes:
        """A request of the PSO for a plan over 2025."""
        return self.pso.request(self.pso.plan(**changes), quarter, self.config.site.id)

    @contextmanager
    def daemon(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """The daemon while this lasts; killed if it is still there at the end."""
        command = [*NODE, "start", "--config", str(self.config_file), *words]
        log = self.config_file.with_name("log")
        with log.open("a") as output, subprocess.Popen(command, stderr=output, text=True) as daemon:
            try:
                self.wait_until_up(daemon)
                yield daemon
            finally:
                daemon.kill()

    def wait_until_up(self, daemon: subprocess.Popen[str]) -> None:
        """Return once the gateway answers its health check."""
        deadline = time.monotonic() + START_S
        while not probe(self.config.paths.socket, 0.5):
            assert daemon.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def log(self) -> str:
        """What daemon and worker wrote."""
        return self.config_file.with_name("log").read_text()


def install(folder: Path, exports: Path | None = None) -> Installed:
    """Init, request and approval, as the commands do them; monitoring is off."""
    if exports is None:
        exports = folder / "exports"
        exports.mkdir(parents=True)
        (exports / "mapping.toml").write_text(MAPPING)
        rows = [f"e{i},a{i},p{i},2025-{1 + i % 12:02}-0{1 + i % 9} 09:30,2" for i in range(24)]
        (exports / "encounters.csv").write_text("\n".join(["id,activation,staff,at,tier", *rows]) + "\n")
    made, pso = init_site(folder / "n", "site-a", exports), Pso()
    write_profile(made.profile)
    site = Installed(made.config, pso)
    site.set("port = 9464", "port = 0")
    approve(site)
    return site


def approve(site: Installed, **changes: object) -> None:
    """A fresh approval by the PSO, imported."""
    now_s = SystemClock().now_s()
    made = make_request(site.config, site.config_file.with_name("enrolment"), SystemClock())
    enrolment = open_enrolment(made.file.read_bytes()).message
    period = {"valid_from_s": now_s - DAY_S, "valid_until_s": now_s + 29 * DAY_S}
    install_approval(site.config, site.pso.approval(enrolment, **(period | changes)), site.pso.fingerprint, now_s)


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return int(probe_socket.getsockname()[1])


def children(pid: int) -> list[int]:
    """Processes that this one started and that are still there."""
    listings = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for listing in listings for child in listing.read_text().split()]


def kill(pid: int) -> None:
    """End a process as a crash would, and return once it is dead."""
    os.kill(pid, signal.SIGKILL)
    while is_alive(pid):
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether any thread of the process runs (proc(5), field 3 of stat); the dead stay listed until they are buried."""
    try:
        stats = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (FileNotFoundError, ProcessLookupError):
        return True  # a thread ended while we looked: look again
    return any(stat.rpartition(")")[2].split()[0] not in "ZX" for stat in stats)
