"""The whole pipe as processes: SuperLink, three SuperNodes with relays, supervisor and pump."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from pki import Pki
from processes import BIN, environment, run, stop_all
from transport import LINK_NAME, SuperLink

from coordinator.pump import PumpSupervisor, PumpTiming
from protocols.keys import create_transport_key
from tests.flower.servers import Broker, EchoGateway, wait_for

PATIENCE_S = 4.0
TIMING = PumpTiming(settle_s=1, silence_s=PATIENCE_S + 2, first_retry_s=1, last_retry_s=4)


class Site:
    def __init__(self, name: str, folder: Path, link: SuperLink) -> None:
        private_key = folder / "keys" / name
        private_key.parent.mkdir(exist_ok=True)
        public_key = create_transport_key(private_key)
        key = serialization.load_ssh_public_key(public_key.read_bytes())
        pem, form = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        self.name = name
        self.transport_key = key.public_bytes(pem, form).decode()
        self.gateway = EchoGateway(name, folder / f"{name}.sock")
        log = folder / "logs" / f"{name}.log"
        self.node = link.supernode(name, folder / name, private_key, link.authorities, self.gateway.address, log)
        link.register(name, public_key)


class Pipe:
    """Starts everything; what is to be stopped at the end goes to `cleanup`."""

    def __init__(self, folder: Path, names: tuple[str, ...], cleanup: ExitStack) -> None:
        pki = Pki(folder / "pki")
        pki.create()
        self.link = SuperLink(folder / "superlink", pki, folder / "logs" / "superlink.log")
        self.link.start()
        cleanup.callback(self.link.process.stop)
        with ThreadPoolExecutor(2) as pool:
            self.sites = tuple(pool.map(lambda name: Site(name, folder, self.link), names))
            for site in self.sites:
                site.gateway.start()
                cleanup.callback(site.gateway.stop)
            cleanup.callback(stop_all, [site.node for site in self.sites])
            list(pool.map(lambda site: site.node.start(), self.sites))
        self.broker = Broker(f"unix:{folder}/broker.sock")
        self.broker.start()
        cleanup.callback(self.broker.stop)
        command = [*self.link.pump_command(self.broker.address), "--run-config", f"patience-s={PATIENCE_S}"]
        self.supervisor = PumpSupervisor(
            command, self.link.client_settings, lambda: self.broker.heard_at, timing=TIMING
        )
        self.supervisor.start()
        cleanup.callback(self.supervisor.stop)
        wait_for(lambda: len(self.broker.online) == len(self.sites))

    def ask(self, site: Site, payload: bytes) -> str:
        return self.broker.ask(site.transport_key, payload)

    def answer(self, delivery_id: str, timeout_s: float = 120) -> bytes:
        wait_for(lambda: delivery_id in self.broker.answers, timeout_s)
        return self.broker.answers[delivery_id]

    def runs(self) -> list[str]:
        """The states of all runs of the pump."""
        listed = run(
            [str(BIN / "flwr"), "list", LINK_NAME, "--format", "json"], environment(**self.link.client_settings)
        )
        return [entry["status"] for entry in json.loads(listed)["runs"]]
