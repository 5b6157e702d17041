"""`leadline-node` as its user runs it: a real process, its text, its JSON and its exit codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from node.gateway import probe
from node.synthetic.write import write_network

NODE = [sys.executable, "-m", "node.cli"]


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NODE, *map(str, words)], capture_output=True, text=True, check=False, timeout=120)


def _json(*words: str | Path) -> dict[str, Any]:
    ran = _run(*words, "--format", "json")
    answer = json.loads(ran.stdout)
    assert answer["exit_code"] == ran.returncode
    assert answer["schema_version"] == "1"
    return dict(answer)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One synthetic site's exports."""
    folder = tmp_path_factory.mktemp("world")
    write_network(folder, 1, 1, 2024, 1)
    return folder / "sites" / "site-01" / "exports"


@pytest.fixture
def site(tmp_path: Path, world: Path, pso_key: Path) -> Path:
    """The configuration of a site that `init` made."""
    made = _run("init", "--dir", tmp_path / "s", "--site-id", "site-01", "--pso-key", pso_key, "--exports", world)
    assert made.returncode == 0, made.stderr
    return tmp_path / "s" / "node.toml"


def test_init_makes_keys_that_only_the_owner_can_read_and_overwrites_nothing(
    site: Path, world: Path, pso_key: Path
) -> None:
    for secret in ("site.key", "person.key"):
        assert (site.parent / "keys" / secret).stat().st_mode & 0o077 == 0
    before = (site.parent / "keys" / "site.key").read_bytes()
    again = _run("init", "--dir", site.parent, "--site-id", "site-01", "--pso-key", pso_key, "--exports", world)
    assert again.returncode == 4
    assert "exists" in again.stderr
    assert (site.parent / "keys" / "site.key").read_bytes() == before


def test_check_prints_the_quality_report_and_charges_nothing(site: Path) -> None:
    checked = _run("check", "--config", site)
    assert checked.returncode == 0, checked.stderr
    assert "incidents.csv" in checked.stdout
    assert (site.parent / "quality" / "report.json").is_file()
    assert "nothing has been charged" in _run("status", "--config", site).stdout


def test_a_broken_export_is_named_with_what_to_do(site: Path, tmp_path: Path) -> None:
    exports = tmp_path / "broken"
    exports.mkdir()
    mapping = '[[source]]\ntable = "unit"\nfile = "u.csv"\n[source.columns]\nunit_key = "No"\nunit_type = "Type"\n'
    (exports / "mapping.toml").write_text("version = 1\n" + mapping)
    (exports / "u.csv").write_text("Nr;Type\n1;icu\n")
    site.write_text(site.read_text().replace(site.read_text().split('exports = "')[1].split('"')[0], str(exports)))
    answer = _json("check", "--config", site)
    assert answer["exit_code"] == 4
    assert answer["data"]["error_code"] == "exports"
    assert "u.csv" in answer["data"]["message"]
    assert "No" in answer["data"]["message"]


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("[policy]", "[policy]\ncolour = 'red'"), "config_unknown_key", "policy.colour"),
        (('clinician_epsilon = "3"', "clinician_epsilon = 3.0"), "config_invalid", "in quotes"),
        (('clinician_epsilon = "3"', 'clinician_epsilon = "-1"'), "config_invalid", "clinician_epsilon"),
        (("[site]", "[site"), "config_not_toml", "node.toml"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(change: tuple[str, str], code: str, words: str, site: Path) -> None:
    site.write_text(site.read_text().replace(*change))
    answer = _json("status", "--config", site)
    assert (answer["exit_code"], answer["data"]["error_code"]) == (4, code)
    assert words in answer["data"]["message"]


def test_a_key_that_others_can_read_is_refused_with_the_command_that_mends_it(site: Path) -> None:
    key = site.parent / "keys" / "site.key"
    key.chmod(0o644)
    answer = _json("status", "--config", site)
    assert answer["exit_code"] == 2
    assert f"chmod 600 {key}" in answer["data"]["message"]


def test_usage_errors_are_json_where_json_was_asked_for() -> None:
    assert _json("check", "--confg", "x")["data"]["error_code"] == "usage"
    assert _run("nonsense").returncode == 4


def test_the_daemon_serves_pauses_and_stops_and_only_one_runs(site: Path) -> None:
    socket = site.parent / "run" / "node.sock"
    daemon = subprocess.Popen([*NODE, "start", "--config", str(site)], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not probe(socket, 0.5) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert _json("status", "--config", site)["data"]["running"] is True
        second = _run("start", "--config", site)
        assert second.returncode == 2
        assert "already" in second.stderr
        assert _json("pause", "--config", site)["data"] == {"paused": True}
        assert _json("status", "--config", site)["data"]["paused"] is True
        _run("resume", "--config", site)
        assert _json("status", "--config", site)["data"]["paused"] is False
    finally:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0
    assert not socket.exists()


def test_a_ledger_is_shown_and_verified_by_its_public_key(site: Path) -> None:
    assert "opened for site site-01" in _run("ledger", "show", "--config", site).stdout
    ledger, key = site.parent / "ledger.sqlite", site.parent / "keys" / "site.pub"
    assert _json("ledger", "verify", ledger, "--key", key)["data"]["entries"] == 1
    assert _json("ledger", "verify", site, "--key", key)["data"]["error_code"] == "ledger_broken"
