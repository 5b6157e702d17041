"""Flower's own programs as processes: the SuperLink of the coordinator and the SuperNodes of the sites."""

from __future__ import annotations

from pathlib import Path

from pki import Pki
from processes import BIN, Process, environment, free_port, is_listening, run

APP = Path(__file__).resolve().parent.parent / "protocols" / "flower_app"
LINK_NAME = "pso"  # how the connection to the SuperLink is called in Flower's configuration


def flower_settings(home: Path) -> dict[str, str]:
    """Environment variables by which Flower keeps its files in `home` and calls nobody outside."""
    home.mkdir(parents=True, exist_ok=True)
    return {"FLWR_HOME": str(home), "FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1"}


class SuperLink:
    """The SuperLink on a free port of 127.0.0.1: TLS, SuperNode authentication, state in a file."""

    def __init__(self, folder: Path, pki: Pki, log: Path) -> None:
        self._folder = folder
        self._pki = pki
        self._port = free_port()
        env = environment(**flower_settings(folder / "home"))
        self.process = Process("SuperLink", self._command(), env, log, lambda: is_listening(self._port))

    @property
    def address(self) -> str:
        """host:port for SuperNodes and the command line."""
        return f"127.0.0.1:{self._port}"

    @property
    def client_settings(self) -> dict[str, str]:
        """The environment variables with which `flwr` finds this SuperLink."""
        return flower_settings(self._folder / "client")

    def start(self) -> None:
        """Write the command line's connection file, and start (or start again)."""
        (Path(self.client_settings["FLWR_HOME"]) / "config.toml").write_text(
            f'[superlink]\ndefault = "{LINK_NAME}"\n\n[superlink.{LINK_NAME}]\naddress = "{self.address}"\n'
            f'root-certificates = "{self._pki.ca_certificate}"\n'
        )
        self.process.start()

    def register(self, name: str, public_key: Path) -> None:
        """Let a SuperNode in, known by its public key (OpenSSH format); to be done before it starts."""
        command = [str(BIN / "flwr"), "supernode", "register", str(public_key), LINK_NAME, "--name", name]
        run(command, environment(**self.client_settings))

    def pump_command(self, broker: str) -> list[str]:
        """The command that submits a pump for the broker at this gRPC address."""
        return [str(BIN / "flwr"), "run", str(APP), LINK_NAME, "--run-config", f'broker="{broker}"']

    @property
    def authorities(self) -> Path:
        """PEM file of who signed the SuperLink's certificate."""
        return self._pki.ca_certificate

    def supernode(
        self, name: str, folder: Path, private_key: Path, authorities: Path, daemon: str, log: Path
    ) -> Process:
        """A stock SuperNode of this SuperLink whose relay talks to the node daemon at the gRPC address `daemon`."""
        port = free_port()
        command = [str(BIN / "flower-supernode"), "--superlink", self.address]
        command += ["--root-certificates", str(authorities)]
        command += ["--auth-supernode-private-key", str(private_key), "--node-config", f'daemon="{daemon}"']
        command += ["--host", "127.0.0.1", "--port", str(port)]
        env = environment(**flower_settings(folder))
        return Process(f"SuperNode of {name}", command, env, log, lambda: is_listening(port))

    def _command(self) -> list[str]:
        command = [str(BIN / "flower-superlink"), "--host", "127.0.0.1", "--port", str(self._port)]
        command += ["--ssl-ca-certfile", str(self._pki.ca_certificate)]
        command += ["--ssl-certfile", str(self._pki.server_certificate), "--ssl-keyfile", str(self._pki.server_key)]
        command += ["--enable-supernode-auth", "--disable-runtime-dependency-installation"]
        command += ["--database", str(self._folder / "superlink.db")]
        return command
