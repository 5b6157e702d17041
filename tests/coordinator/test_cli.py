"""The command line as an operator and a script use it: whole sessions, errors in one line, exit codes, JSON."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest

from coordinator import cli
from coordinator.config import load_config
from protocols.enrolment import open_first_approval, pso_key, show_fingerprint
from protocols.keys import load_public_key
from protocols.operator.errors import ExitCode
from protocols.statement import fingerprint, parse_envelope
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import World
from tests.coordinator.site import TinySite


class Shell:
    """Runs commands against one configuration and gives back code, output and errors."""

    def __init__(self, config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._config, self._monkeypatch, self._capsys = config, monkeypatch, capsys

    def __call__(self, *words: str) -> tuple[int, str, str]:
        options = [] if words[:1] == ("init",) else ["--config", str(self._config)]
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
    assert first["fingerprint"] == fingerprint(load_public_key(tmp_path / "new/keys/pso.pub"))
    assert show_fingerprint(first["fingerprint"]) in shell("init", "--dir", str(tmp_path / "new"))[1]


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


def test_a_site_is_approved_listed_disabled_enabled_and_leaves(shell: Shell, tmp_path: Path) -> None:
    file, read_out = TinySite("new-site").write_enrolment(tmp_path)
    out = tmp_path / "new-site.approval"
    made = shell.data("sites", "approve", str(file), "--fingerprint", show_fingerprint(read_out), "--out", str(out))
    assert (made["state"], made["fingerprint"], made["approval_serial"]) == ("enabled", read_out, 1)
    opened = open_first_approval(out.read_bytes())
    assert fingerprint(pso_key(opened.message)) == made["pso_fingerprint"]
    assert shell.data("sites", "disable", "--site-id", "new-site")["state"] == "disabled"
    enabled = shell.data("sites", "enable", "--site-id", "new-site")
    assert (enabled["state"], enabled["approval_serial"], enabled["last_seen_at"]) == ("enabled", 2, None)
    assert shell.data("sites", "leave", "--site-id", "new-site", "--yes")["years"] == []
    listed = {site["site_id"]: site for site in shell.data("sites", "list")["sites"]}
    assert (len(listed), listed["new-site"]["state"]) == (9, "left")
    assert listed["site-01"]["last_seen_at"] == "2026-01-15T12:00:00+00:00"
    code, output, _ = shell("sites", "list")
    assert code == 0
    assert "new-site  left     never" in output
    assert show_fingerprint(read_out) in output
    error = shell.data("sites", "approve", str(file), "--fingerprint", read_out, code=1)
    assert error["error_code"] == "site_left"


def test_what_a_person_does_next_is_said(shell: Shell, tmp_path: Path) -> None:
    file, read_out = TinySite("new-site").write_enrolment(tmp_path)
    out = tmp_path / "a"
    code, output, _ = shell("sites", "approve", str(file), "--fingerprint", read_out, "--out", str(out))
    own = load_config(tmp_path / "coordinator.toml").paths.public_key
    assert code == 0
    assert f"Send {out} to the hospital, and read it the fingerprint of your own key" in output
    assert show_fingerprint(fingerprint(load_public_key(own))) in output
    code, output, _ = shell("sites", "leave", "--site-id", "site-03", "--yes")
    assert "What it released (for 2024) stays" in output
    assert "leadline-node leave" in output


def test_nobody_is_enrolled_without_a_comparison(shell: Shell, tmp_path: Path) -> None:
    file, _ = TinySite("new-site").write_enrolment(tmp_path)
    for options in ((), ("--format", "json")):
        code, output, errors = shell("sites", "approve", str(file), *options)
        assert code == ExitCode.USAGE
        assert "the fingerprint was not compared" in output + errors
    assert len(shell.data("sites", "list")["sites"]) == 8
    assert shell.data("sites", "leave", "--site-id", "site-01", code=4)["error_code"] == "not_confirmed"
    assert shell.data("sites", "approve", str(file), "--stolen", code=4)["error_code"] == "usage"


@pytest.mark.parametrize(("typed", "sites"), [("yes\n", 9), (" YES \n", 9), ("\n", 8), ("y\n", 8), ("no\n", 8)])
def test_at_a_terminal_a_person_compares_and_types_yes(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, sites: int
) -> None:
    file, read_out = TinySite("new-site").write_enrolment(tmp_path)
    terminal = io.StringIO(typed)
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", terminal)
    code, output, _ = shell("sites", "approve", str(file), "--out", str(tmp_path / "a"))
    assert show_fingerprint(read_out) in output
    assert "bed_band: 200-299" in output
    assert (code == 0) == (sites == 9)
    assert len(shell.data("sites", "list")["sites"]) == sites


def test_a_site_is_told_what_its_ledger_lost(shell: Shell, tmp_path: Path) -> None:
    out = tmp_path / "told"
    made = shell.data("sites", "ledger", "--site-id", "site-01", "--after", "9", "--out", str(out))
    assert (made["known_length"], made["releases"], made["unanswered_years"]) == (16, 4, [])
    assert parse_envelope(out.read_bytes()).kind == "reconciliation"
    assert shell("sites", "ledger", "--site-id", "site-01", "--after", "-1", "--out", str(out))[0] == ExitCode.USAGE


def test_a_round_goes_out_and_comes_back_as_files(shell: Shell, finished: World, tmp_path: Path) -> None:
    shell.data("rounds", "open", "--year", "2023", "--deadline-s", "600")
    due, back = tmp_path / "due", tmp_path / "back"
    made = shell.data("rounds", "export", "--site-id", "site-01", "--out", str(due))
    back.write_bytes(finished.sites[0].exchange(due.read_bytes(), finished.pso))
    kinds = [parse_envelope(raw).kind for raw in pb.Batch.FromString(due.read_bytes()).envelopes]
    assert made["envelopes"] == len(kinds)
    assert kinds.count("request") == 8
    for _ in range(2):
        taken = shell.data("rounds", "import", str(back), "--site-id", "site-01")
        assert (taken["taken"], taken["refused"]) == (len(kinds), {})
    assert shell.data("rounds", "import", str(back), "--site-id", "site-02", code=1)["error_code"] == "wrong_site"


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
        (("sites", "approve", "absent.enrolment"), ExitCode.USAGE),
        (("rounds", "import", "absent", "--site-id", "site-01"), ExitCode.USAGE),
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
