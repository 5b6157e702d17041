"""The unit files: everything that they name exists in the programs, and systemd finds nothing wrong with them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer

from node.cli import app
from node.relay_settings import write_relay_settings
from node.service.run import END_S as WORKER_CLOSE_S
from node.service.run import STOP_S
from node.service.workers import END_S, START_S
from protocols.operator.errors import ExitCode
from protocols.v1 import leadline_pb2 as pb
from tests.node.installed import install

UNITS = Path(__file__).resolve().parents[2] / "docker" / "systemd"
NODE_UNITS = ("leadline-node", "leadline-console")
EXPOSURE = 2.0  # of systemd-analyze security, where 10 is a service without any protection

PUSHED = """
import hashlib, pathlib, sys
from flwr.cli.build import build_fab_from_disk  # what `flwr run` pushes
print(hashlib.sha256(build_fab_from_disk(pathlib.Path(sys.argv[1]))).hexdigest())
"""


def _settings(name: str) -> dict[str, list[str]]:
    """Every setting of a unit with all its values."""
    found: dict[str, list[str]] = {}
    text = (UNITS / f"{name}.service").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            found.setdefault(key, []).append(value)
    return found


def _command(name: str) -> list[str]:
    return shlex.split(_settings(name)["ExecStart"][0])


def test_there_is_a_unit_for_each_program() -> None:
    assert {path.stem for path in UNITS.glob("*.service")} == {*NODE_UNITS, "leadline-relay"}


@pytest.mark.parametrize("name", NODE_UNITS)
def test_the_commands_and_options_exist(name: str) -> None:
    program, command, *options = _command(name)
    assert program == "/opt/leadline/bin/leadline-node"
    group = typer.main.get_command(app)
    assert isinstance(group, click.Group)
    known = {option for parameter in group.commands[command].params for option in parameter.opts}
    assert {word for word in options if word.startswith("--")} <= known


def test_the_relays_options_exist_in_flowers_supernode() -> None:
    flower = shutil.which("flower-supernode", path=str(Path(sys.executable).parent))
    assert flower is not None
    env = {**os.environ, "FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1"}
    shown = subprocess.run([flower, "--help"], capture_output=True, text=True, check=True, env=env).stdout
    options = {word for word in _command("leadline-relay")[1:] if word.startswith("--")}
    assert len(options) == 6
    assert options <= set(re.findall(r"--[a-z-]+", shown))


def test_the_relay_is_told_what_an_approval_writes(tmp_path: Path, certificate: bytes) -> None:
    """Variables in the command line come from relay.env, and the folders that the unit opens are those it names."""
    site = install(tmp_path)
    write_relay_settings(site.config, pb.Approval(superlink="pso.example:443", root_certificates=certificate))
    written = (site.config.paths.relay / "relay.env").read_text()
    own_folder = str(site.config_file.parent)
    values = dict(re.findall(r'^(\w+)="(.*)"$', written, flags=re.MULTILINE))
    used = set(re.findall(r"\$\{(\w+)\}", " ".join(_command("leadline-relay"))))
    assert used - {"CREDENTIALS_DIRECTORY"} <= set(values)
    relay = _settings("leadline-relay")
    assert values["FLWR_HOME"].replace(own_folder, "/srv/leadline") == relay["BindPaths"][0]
    assert relay["LoadCredential"] == [f"transport:{values['TRANSPORT_KEY'].replace(own_folder, '/srv/leadline')}"]
    seen, apps = relay["BindReadOnlyPaths"][0].split(), relay["BindReadOnlyPaths"][1]
    assert apps == f"/opt/relay/flower/apps:{relay['BindPaths'][0]}/apps", "nothing that is pushed can be written there"
    for name in ("NODE_SOCKET", "ROOT_CERTIFICATES"):
        assert str(Path(values[name].replace(own_folder, "/srv/leadline")).parent) in seen
    assert relay["EnvironmentFile"] == ["/srv/leadline/relay/relay.env"]


def test_the_relays_app_is_installed_beforehand_as_the_superlink_will_push_it(tmp_path: Path) -> None:
    """Flower keeps an app whose publisher, name, version and hash are there, and drops the bytes that came."""
    source = Path(shutil.copytree(UNITS.parents[1] / "protocols" / "flower_app", tmp_path / "leadline-pipe"))
    quiet = {"FLWR_TELEMETRY_ENABLED": "0", "FLWR_DISABLE_UPDATE_CHECK": "1", "FLWR_HOME": str(tmp_path / "flower")}
    programs = Path(sys.executable).parent

    def run(*command: str) -> str:
        done = subprocess.run(command, env=os.environ | quiet, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    run(str(programs / "flwr"), "build", "--app", source.name)
    (bundle,) = tmp_path.glob("leadline.leadline-pipe.*.fab")
    run(str(programs / "flwr"), "install", bundle.name)
    (installed,) = (tmp_path / "flower" / "apps").iterdir()
    pushed = run(sys.executable, "-c", PUSHED, str(UNITS.parents[1] / "protocols" / "flower_app"))
    assert installed.name == f"leadline.leadline-pipe.1.0.0.{pushed[:8]}"
    assert (installed / "leadline_pipe" / "relay.py").is_file()


def test_stopping_and_starting_have_the_time_that_the_daemon_may_take() -> None:
    node = _settings("leadline-node")
    assert float(node["TimeoutStopSec"][0]) > STOP_S + WORKER_CLOSE_S + END_S
    assert float(node["TimeoutStartSec"][0]) > START_S
    assert node["KillMode"] == ["mixed"]
    final = {int(code) for code in node["RestartPreventExitStatus"][0].split()}
    assert final == set(map(int, ExitCode)) - {ExitCode.OK, ExitCode.TIMEOUT}


def test_only_loopback_is_open_to_what_holds_data() -> None:
    for name in NODE_UNITS:
        settings = _settings(name)
        assert (settings["IPAddressDeny"], settings["IPAddressAllow"]) == (["any"], ["localhost"])
        assert settings["User"] == ["leadline"]
    assert _settings("leadline-relay")["User"] == ["leadline-relay"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
@pytest.mark.parametrize("name", [*NODE_UNITS, "leadline-relay"])
def test_systemd_finds_nothing_wrong(name: str, tmp_path: Path) -> None:
    """The programs are not installed where the units expect them, so a program that exists stands for them."""
    for path in UNITS.glob("*.service"):
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", path.read_text(), flags=re.MULTILINE)
        (tmp_path / path.name).write_text(text)
    unit = str(tmp_path / f"{name}.service")
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stderr
    assert "Unknown" not in verified.stderr
    limit = str(int(EXPOSURE * 10))
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={limit}", unit],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert judged.returncode == 0, judged.stdout[-400:]
