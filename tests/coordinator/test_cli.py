"""The command line as an operator and a script use it: whole sessions, errors in one line, exit codes, JSON."""

from __future__ import annotations

import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from coordinator import cli
from coordinator.config import load_config
from protocols.operator.errors import ExitCode
from protocols.statement import fingerprint
from tests.coordinator.conftest import World
from tests.coordinator.site import TinySite


class Shell:
    """Runs commands against one configuration and gives back code, output and errors."""

    def __init__(self, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._config, self._monkeypatch, self._capsys = config, monkeypatch, capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        options = [] if words[:1] in (("init",), ("key",)) else ["--config", str(self._config)]
        self._monkeypatch.setattr(sys, "argv", ["leadline-coordinator", *words, *options])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        output = self._capsys.readouterr()
        assert isinstance(caught.value.code, int)
        return caught.value.code, output.out, output.err

    def data(self, *words: str, code: int = 0) -> dict[str, Any]:
        found, output, _ = self(*words, "--format", "json")
        assert found == code, output
        envelope = json.loads(output)
        assert envelope["schema_version"] == "1"
        assert envelope["status"] == ("ok" if code == 0 else "error")
        assert envelope["exit_code"] == code
        data: dict[str, Any] = envelope["data"]
        return data


@pytest.fixture
def shell(finished: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(finished.folder / "coordinator.toml", monkeypatch, capsys)


def test_init_makes_everything_and_keeps_what_is_there(shell: Shell, tmp_path: Path) -> None:
    first = shell.data("init", "--dir", str(tmp_path / "new"))
    key = (tmp_path / "new/keys/pso.key").read_bytes()
    assert shell.data("init", "--dir", str(tmp_path / "new")) == first
    assert (tmp_path / "new/keys/pso.key").read_bytes() == key
    assert (tmp_path / "new/keys/pso.key").stat().st_mode & 0o777 == 0o600
    shown = shell.data("key", "show", str(tmp_path / "new/keys/pso.pub"))
    assert shown["fingerprint"] == first["fingerprint"]
    assert len(first["fingerprint"]) == 64
    assert first["fingerprint"] in shell("init", "--dir", str(tmp_path / "new"))[1]


def test_what_a_coordinator_keeps_is_for_its_owner_alone(shell: Shell, tmp_path: Path) -> None:
    shell.data("init", "--dir", str(tmp_path / "new"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new", *(tmp_path / "new").iterdir())}
    assert modes == {"new": 0o700, "keys": 0o700, "coordinator.db": 0o600, "coordinator.toml": 0o600}
    (tmp_path / "new/coordinator.db").chmod(0o644)
    shell.data("init", "--dir", str(tmp_path / "new"))
    assert (tmp_path / "new/coordinator.db").stat().st_mode & 0o777 == 0o600


def test_the_pump_of_the_sample_is_a_valid_setting(shell: Shell, tmp_path: Path) -> None:
    shell.data("init", "--dir", str(tmp_path))
    settings, mark, pump = (tmp_path / "coordinator.toml").read_text().partition("# [pump]")
    uncommented = "".join(line.removeprefix("# ") for line in (mark + pump).splitlines(keepends=True))
    (tmp_path / "coordinator.toml").write_text(settings + uncommented)
    found = load_config(tmp_path / "coordinator.toml").pump
    assert found is not None
    assert found.command[-1] == 'broker="unix:/srv/pso/run/broker.sock"'
    guide = (Path(__file__).parents[2] / "docs" / "pso.md").read_text(encoding="utf-8")
    assert all(line.strip() in guide for line in uncommented.splitlines()[1:])


def test_the_full_fingerprint_can_be_compared_before_and_after_enrolling(shell: Shell, tmp_path: Path) -> None:
    site = TinySite("new-site")
    files = site.write_files(tmp_path)
    expected = fingerprint(site.key.public_key())
    assert shell("key", "show", str(files["key"]))[1] == f"{expected}\n"
    options = [f"--{name.replace('_', '-')}={path}" for name, path in files.items()]
    code, output, _ = shell("sites", "add", "--site-id", "new-site", *options)
    assert code == 0
    assert expected in output


def test_sites_are_added_listed_and_disabled(shell: Shell, tmp_path: Path) -> None:
    files = TinySite("new-site").write_files(tmp_path)
    options = [f"--{name.replace('_', '-')}={path}" for name, path in files.items()]
    assert shell.data("sites", "add", "--site-id", "new-site", *options)["state"] == "enabled"
    assert shell.data("sites", "disable", "--site-id", "new-site")["state"] == "disabled"
    assert len(shell.data("sites", "list")["sites"]) == 9
    code, output, _ = shell("sites", "list")
    assert code == 0
    assert "new-site  disabled" in output
    error = shell.data("sites", "add", "--site-id", "new-site", *options, code=1)
    assert error == {
        "error_code": "site_exists",
        "message": "site new-site is enrolled already",
        "hint": "choose another id",
    }


def test_a_plan_is_shown_with_its_noise_before_anything_is_sent(shell: Shell) -> None:
    code, output, _ = shell("plan", "show", "--year", "2025")
    assert code == 0
    assert "2025-benchmark (not signed yet): epsilon 2.66 per clinician" in output
    assert "supported       month    0.014857  5.8" in output
    signed = shell.data("plan", "show", "--year", "2024")["plans"]
    assert [plan["signed"] for plan in signed] == [True, True]


def test_rounds_are_opened_shown_and_closed(shell: Shell) -> None:
    opened = shell.data("rounds", "open", "--year", "2025", "--deadline-s", "60")["rounds"]
    assert [found["round_id"] for found in opened] == ["2025-benchmark-1", "2025-trend-1"]
    statuses = shell.data("rounds", "status")["rounds"]
    assert [found["state"] for found in statuses] == ["complete", "complete", "open", "open"]
    assert statuses[2]["site_status"][0]["quarters"] == ["waiting"] * 4
    assert [found["state"] for found in shell.data("rounds", "close")["rounds"]] == ["failed", "failed"]
    assert shell("rounds", "close")[0] == ExitCode.USAGE


def test_publish_shows_publishes_and_verifies(shell: Shell, tmp_path: Path) -> None:
    code, output, _ = shell("publish", "--dry-run")
    assert code == 0
    assert "held back:" in output
    assert not shell.data("publish", "--dry-run").get("number")
    made = shell.data("publish", "--out", str(tmp_path / "out"))
    assert (made["number"], made["is_new"]) == (1, True)
    assert made["statuses"]["ok"] > 20
    assert shell.data("publish")["is_new"] is False
    document = tmp_path / "out/publication.json"
    assert shell.data("release", "verify", str(document))["number"] == 1
    document.write_bytes(document.read_bytes().replace(b"Leadline", b"Loadline", 1))
    assert shell.data("release", "verify", str(document), code=2)["error_code"] == "bad_signature"


def test_the_audit_log_verifies(shell: Shell) -> None:
    assert shell.data("audit", "verify")["events"] > 80


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("rounds", "open", "--year", "2999"), ExitCode.USAGE),
        (("rounds", "open", "--year", "soon"), ExitCode.USAGE),
        (("rounds", "open"), ExitCode.USAGE),
        (("rounds", "ajar"), ExitCode.USAGE),
        (("sites", "disable", "--site-id", "nobody"), ExitCode.USAGE),
        (("release", "verify", "absent.json"), ExitCode.USAGE),
        (("key", "show", "absent.pub"), ExitCode.CONNECTION),
    ],
)
def test_an_error_is_one_line_with_what_to_do(shell: Shell, words: tuple[str, ...], code: ExitCode) -> None:
    found, output, errors = shell(*words)
    assert found == code
    assert output == ""
    assert errors.startswith("leadline-coordinator: ")
    assert "What to do: " in errors
    assert errors.count("\n") == 1
    assert shell.data(*words, code=code)["error_code"]


def test_a_missing_or_wrong_configuration_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell(tmp_path / "coordinator.toml", monkeypatch, capsys)
    assert shell.data("sites", "list", code=4)["error_code"] == "config_missing"
    (tmp_path / "coordinator.toml").write_text("")
    assert shell.data("sites", "list", code=4)["error_code"] == "database_missing"
    (tmp_path / "coordinator.toml").write_text("[nothing]")
    error = shell.data("sites", "list", code=4)
    assert error["error_code"] == "config_unknown_key"
    assert "nothing" in error["message"]


def test_a_fault_of_our_own_has_an_exit_code_of_its_own(shell: Shell, finished: World) -> None:
    finished.store.close()
    with sqlite3.connect(finished.config.paths.database) as database:
        database.execute("UPDATE sites SET attributes = '{}'")
    code, _, errors = shell("sites", "list")
    assert code == ExitCode.INTERNAL
    assert "an internal fault (KeyError)" in errors.splitlines()[-1]


def test_a_database_that_does_not_answer_is_a_timeout(
    shell: Shell, finished: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.store.database.BUSY_TIMEOUT_S", 0.1)
    database = sqlite3.connect(finished.config.paths.database, isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    code, _, errors = shell("sites", "disable", "--site-id", "site-01")
    database.execute("ROLLBACK")
    assert code == ExitCode.TIMEOUT
    assert "the database did not answer" in errors
