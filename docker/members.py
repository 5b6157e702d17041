"""The two kinds of members of the federation as they are set up by their own command lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from processes import BIN, Process, ProcessFailedError, environment, free_port, run
from transport import SuperLink

from protocols.keys import create_transport_key

NODE = str(BIN / "leadline-node")
COORDINATOR = str(BIN / "leadline-coordinator")

CONFIGURATION = """\
title = "Leadline demonstration: invented hospitals"

[paths]
broker_socket = {socket}

[rounds]
resend_s = 30.0
reask_s = 5.0

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
        self.profile = folder / "profile.toml"
        self.public_key = folder / "keys" / "site.pub"
        self.transport_key = folder / "keys" / "transport.pub"
        self._folder = folder
        self._config = folder / "node.toml"
        self._socket = sockets / f"{self.site_id}.sock"
        self._link = link
        log, private_key = logs / f"{self.site_id}-node.log", folder / "keys" / "transport"
        command = [NODE, "start", "--config", str(self._config)]
        self.daemon = Process(f"node of {self.site_id}", command, environment(), log, self._socket.exists)
        self.supernode = link.supernode(
            self.site_id, folder / "flower", private_key, f"unix:{self._socket}", logs / f"{self.site_id}-supernode.log"
        )

    def set_up(self, pso_key: Path) -> None:
        """Make the node's folder and keys, and let its SuperNode into the SuperLink."""
        command = [NODE, "init", "--dir", str(self._folder), "--site-id", self.site_id]
        command += ["--pso-key", str(pso_key), "--exports", str(self._folder / "exports")]
        run(command, environment())
        self._move_socket()
        self._link.register(self.site_id, create_transport_key(self._folder / "keys" / "transport"))

    def start(self) -> None:
        """Start the daemon, then the SuperNode that talks to it."""
        self.daemon.start()
        self.supernode.start()

    def _move_socket(self) -> None:
        """A unix socket's path may have 107 bytes, and the folder's may be longer."""
        default, text = 'socket = "run/node.sock"', self._config.read_text()
        if default not in text:
            raise ProcessFailedError(f"{self._config} has no line {default}; `leadline-node init` has changed")
        self._config.write_text(text.replace(default, f"socket = {json.dumps(str(self._socket))}"))


class Coordinator:
    """The patient safety organisation in `folder`: broker, rounds, publications and pages."""

    def __init__(self, folder: Path, sockets: Path, logs: Path, link: SuperLink) -> None:
        self.pso_key = folder / "keys" / "pso.pub"
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
                port=self._port,
                command=json.dumps(self._link.pump_command(f"unix:{self._socket}")),
                environment=", ".join(f"{name} = {json.dumps(value)}" for name, value in settings),
            )
        )
        run([COORDINATOR, "init", "--dir", str(self._folder)], environment())

    def enrol(self, site: Site) -> None:
        """Take a site's public keys and profile into the register."""
        keys = ["--key", str(site.public_key), "--transport-key", str(site.transport_key)]
        self._ask("sites", "add", "--site-id", site.site_id, *keys, "--profile", str(site.profile))

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
        command = [COORDINATOR, *words, "--config", str(self._config), "--format", "json"]
        data: dict[str, Any] = json.loads(run(command, environment()))["data"]
        return data
