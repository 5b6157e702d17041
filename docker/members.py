"""The two kinds of members of the federation as they are set up by their own command lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from processes import BIN, Process, ProcessFailedError, environment, free_port, run
from transport import SuperLink

NODE = str(BIN / "leadline-node")
COORDINATOR = str(BIN / "leadline-coordinator")

CONFIGURATION = """\
title = "Leadline demonstration: invented hospitals"

[paths]
broker_socket = {socket}

[rounds]
resend_s = 30.0
reask_s = 5.0

[sites]
superlink = {superlink}
root_certificates = {authorities}

[web]
port = {port}

[pump]
command = {command}
environment = {{ {environment} }}
"""


class Site:
    """A hospital in `folder`, which holds its `exports` and `profile.toml`: node daemon and SuperNode."""

    def __init__(self, folder: Path, sockets: Path, logs: Path, link: SuperLink) -> None:
        self.site_id = folder.name
        self._folder = folder
        self._config = folder / "node.toml"
        self._relay = folder / "relay"
        self._socket = sockets / f"{self.site_id}.sock"
        self._link = link
        log = logs / f"{self.site_id}-node.log"
        command = [NODE, "start", "--config", str(self._config)]
        self.daemon = Process(f"node of {self.site_id}", command, environment(), log, self._socket.exists)
        key, authorities = self._relay / "transport", self._relay / "ca.crt"
        log = logs / f"{self.site_id}-supernode.log"
        daemon = f"unix:{self._socket}"
        self.supernode = link.supernode(self.site_id, folder / "flower", key, authorities, daemon, log)

    def enrol(self, coordinator: Coordinator) -> None:
        """What the two sides do, each with its own command line; here one program reads out both fingerprints."""
        self._ask(
            "init", "--dir", str(self._folder), "--site-id", self.site_id, "--exports", str(self._folder / "exports")
        )
        self._adapt()
        asked = self._ask("request", "--config", str(self._config))
        approval = self._folder / f"{self.site_id}.approval"
        pso_fingerprint = coordinator.approve(asked["file"], asked["fingerprint"], approval)
        self._link.register(self.site_id, self._relay / "transport.pub")
        options = ["--fingerprint", pso_fingerprint, "--config", str(self._config)]
        self._ask("import-approval", str(approval), *options)

    def has_publication(self) -> bool:
        """Whether a publication came in over the pipe."""
        return any((self._folder / "publications").glob("*.json"))

    def start(self) -> None:
        """Start the daemon, then the SuperNode that talks to it."""
        self.daemon.start()
        self.supernode.start()

    def _adapt(self) -> None:
        """A unix socket's path may have 107 bytes, and the folder's may be longer; one port is not enough for all."""
        text = self._config.read_text()
        for default, own in (
            ('socket = "run/node.sock"', f"socket = {json.dumps(str(self._socket))}"),
            ("port = 9464", "port = 0"),
        ):
            if default not in text:
                raise ProcessFailedError(f"{self._config} has no line {default}; `leadline-node init` has changed")
            text = text.replace(default, own)
        self._config.write_text(text)

    def _ask(self, *words: str) -> dict[str, Any]:
        return _data([NODE, *words])


class Coordinator:
    """The patient safety organisation in `folder`: broker, rounds, publications and pages."""

    def __init__(self, folder: Path, sockets: Path, logs: Path, link: SuperLink) -> None:
        self._folder = folder
        self._config = folder / "coordinator.toml"
        self._socket = sockets / "broker.sock"
        self._port = free_port()
        self._link = link
        command = [COORDINATOR, "serve", "--config", str(self._config)]
        self.process = Process("coordinator", command, environment(), logs / "coordinator.log", self._socket.exists)

    @property
    def address(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self._port}/"

    def set_up(self) -> None:
        """Write the configuration, then let `init` make keys and database."""
        self._folder.mkdir(parents=True)
        settings = self._link.client_settings.items()
        self._config.write_text(
            CONFIGURATION.format(
                socket=json.dumps(str(self._socket)),
                superlink=json.dumps(self._link.address),
                authorities=json.dumps(str(self._link.authorities)),
                port=self._port,
                command=json.dumps(self._link.pump_command(f"unix:{self._socket}")),
                environment=", ".join(f"{name} = {json.dumps(value)}" for name, value in settings),
            )
        )
        run([COORDINATOR, "init", "--dir", str(self._folder)], environment())

    def approve(self, enrolment: str, fingerprint: str, out: Path) -> str:
        """Approve a site whose fingerprint was read out; write the approval, and give our own fingerprint."""
        said = self._ask("sites", "approve", enrolment, "--fingerprint", fingerprint, "--out", str(out))
        return str(said["pso_fingerprint"])

    def open_rounds(self, year: int) -> list[str]:
        """Ask all sites for a year; give the rounds' ids."""
        return [opened["round_id"] for opened in self._ask("rounds", "open", "--year", str(year))["rounds"]]

    def rounds(self) -> list[dict[str, Any]]:
        """Every round as `rounds status` shows it."""
        found: list[dict[str, Any]] = self._ask("rounds", "status")["rounds"]
        return found

    def publish(self, folder: Path) -> None:
        """Publish what the rounds brought, with a copy of the files in `folder`."""
        self._ask("publish", "--out", str(folder))

    def _ask(self, *words: str) -> dict[str, Any]:
        return _data([COORDINATOR, *words, "--config", str(self._config)])


def _data(command: Sequence[str]) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(run([*command, "--format", "json"], environment()))["data"]
    return data
