"""`leadline-node` as its user runs it: a real process, its text, its JSON and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from node.clock import SystemClock
from node.identity import load_signing_key, open_ledger
from node.synthetic.write import write_network
from protocols.refusals import Code
from protocols.statement import parse_envelope
from protocols.v1 import leadline_pb2 as pb
from tests.node.installed import Installed, install

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
def site(tmp_path: Path, world: Path) -> Path:
    """The configuration of a site that `init` made."""
    made = _run("init", "--dir", tmp_path / "s", "--site-id", "site-01", "--exports", world)
    assert made.returncode == 0, made.stderr
    return tmp_path / "s" / "node.toml"


def test_init_makes_keys_that_only_the_owner_can_read_and_overwrites_nothing(site: Path, world: Path) -> None:
    for secret in ("keys/site.key", "keys/person.key", "relay/transport"):
        assert (site.parent / secret).stat().st_mode & 0o077 == 0
    before = (site.parent / "keys" / "site.key").read_bytes()
    again = _run("init", "--dir", site.parent, "--site-id", "site-01", "--exports", world)
    assert again.returncode == 4
    assert "exists" in again.stderr
    assert (site.parent / "keys" / "site.key").read_bytes() == before


def test_quality_prints_the_report_and_charges_nothing(site: Path) -> None:
    checked = _run("quality", "--config", site)
    assert checked.returncode == 0, checked.stderr
    assert "incidents.csv" in checked.stdout
    assert (site.parent / "quality" / "report.json").is_file()
    assert _json("ledger", "show", "--config", site)["data"]["entries"][-1]["kind"] == "opened"


def test_a_broken_export_is_named_with_what_to_do(site: Path, tmp_path: Path) -> None:
    exports = tmp_path / "broken"
    exports.mkdir()
    mapping = '[[source]]\ntable = "unit"\nfile = "u.csv"\n[source.columns]\nunit_key = "No"\nunit_type = "Type"\n'
    (exports / "mapping.toml").write_text("version = 1\n" + mapping)
    (exports / "u.csv").write_text("Nr;Type\n1;icu\n")
    site.write_text(site.read_text().replace(site.read_text().split('exports = "')[1].split('"')[0], str(exports)))
    answer = _json("quality", "--config", site)
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
    assert _json("quality", "--confg", "x")["data"]["error_code"] == "usage"
    assert _run("nonsense").returncode == 4


def test_a_pause_lasts_until_it_is_ended_and_a_start_ends_only_that_for_a_reboot(tmp_path: Path) -> None:
    site = install(tmp_path)
    assert site.json("pause")["data"] == {"paused": True}
    assert site.json("prepare-for-reboot")["data"]["safe_to_reboot"] is True
    assert site.json("status")["data"]["paused_by"] == "operator", "an operator's pause does not end by itself"
    with site.daemon():
        assert _refusal(site) == Code.PAUSED
        assert site.json("resume")["data"] == {"paused": False}
        assert site.json("status")["data"]["paused"] is False
        prepared = site.json("prepare-for-reboot")["data"]
        assert _refusal(site) == Code.PAUSED
    assert prepared["head"] == site.json("ledger", "show")["data"]["entries"][-1]["hash"]
    assert not site.config.paths.ledger.with_name("ledger.sqlite-wal").exists() or not (
        site.config.paths.ledger.with_name("ledger.sqlite-wal").stat().st_size
    )
    with site.daemon():
        assert site.json("status")["data"]["paused"] is False
        assert parse_envelope(site.exchange(site.request())[0]).kind == "release"
        state = site.json("status")["data"]
    assert (state["running"], state["worker"]) == (True, True)
    assert state["heard_at"].endswith("Z")
    assert state["released_at"].endswith("Z")
    assert state["approval_until"] > state["released_at"]


def _refusal(site: Installed) -> str:
    return pb.Refusal.FromString(parse_envelope(site.exchange(site.request())[0]).body).code


def test_preparing_for_a_reboot_waits_for_what_is_under_way(tmp_path: Path) -> None:
    site = install(tmp_path)
    ledger = open_ledger(site.config, load_signing_key(site.config), SystemClock())
    done: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: done.append(site.json("prepare-for-reboot")))
    with ledger.locked():
        waiting.start()
        while not site.config.pause_file.exists():
            time.sleep(0.05)
        time.sleep(1)
        assert not done
    waiting.join(30)
    assert done[0]["data"]["safe_to_reboot"] is True


def test_a_ledger_is_shown_and_verified_by_its_public_key(site: Path) -> None:
    assert "for site site-01" in _run("ledger", "show", "--config", site).stdout
    ledger, key = site.parent / "ledger.sqlite", site.parent / "keys" / "site.pub"
    assert _json("ledger", "verify", ledger, "--key", key)["data"]["entries"] == 1
    assert _json("ledger", "verify", site, "--key", key)["data"]["error_code"] == "ledger_broken"
