"""`leadline-node map` as its user runs it: what it prints, what it writes, and what it never overwrites."""

from __future__ import annotations

import json
import os
import pty
import shutil
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from node.proposals.write import plain_source

EXAMPLES = Path(__file__).parent / "examples"
NODE = [sys.executable, "-m", "node.cli", "map", "--config"]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A configuration with the German tracker as its exports."""
    shutil.copytree(EXAMPLES / "excel_deutsch", tmp_path / "exports", ignore=shutil.ignore_patterns("*.toml"))
    config = tmp_path / "node.toml"
    config.write_text('[site]\nid = "site-01"\n[paths]\nexports = "exports"\nmapping = "mapping.toml"\n')
    return config


def _map(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [*NODE, str(config), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL)


def test_without_a_terminal_it_shows_and_proposes_and_decides_nothing(site: Path) -> None:
    ran = _map(site)
    assert ran.returncode == 0, ran.stderr
    assert "Begleitungen.xlsx -> support_activation" in ran.stdout
    assert "question:" in ran.stdout
    assert "Left out on purpose: Begleitungen.xlsx, Bemerkungen: free text." in ran.stdout
    assert "Frau Meier" not in ran.stdout
    assert (site.parent / "mapping.toml.proposed").exists()
    assert not (site.parent / "mapping.toml").exists()


def test_accept_writes_what_is_sure_and_tries_it(site: Path) -> None:
    ran = _map(site, "--accept", "--format", "json")
    data = json.loads(ran.stdout)["data"]
    assert ran.returncode == 0
    written = tomllib.loads((site.parent / "mapping.toml").read_text())
    assert {source["table"] for source in written["source"]} == {"support_activation"}
    assert all("0% quarantined" in line for line in data["import"])
    unsure = [s["table"] for s in data["proposal"]["sources"] if s["confidence"] < 0.8]
    assert set(unsure) == {"support_encounter"}


def test_a_mapping_is_replaced_only_by_force_and_kept(site: Path) -> None:
    mapping = site.parent / "mapping.toml"
    mapping.write_text("# mine\n")
    refused = _map(site, "--accept")
    assert refused.returncode == 1
    assert "--force" in refused.stderr
    assert mapping.read_text() == "# mine\n"
    assert _map(site, "--accept", "--force").returncode == 0
    assert mapping.with_name("mapping.toml.1").read_text() == "# mine\n"


def test_force_keeps_what_the_proposal_does_not_fill_and_names_what_is_lost(site: Path) -> None:
    assert _map(site, "--accept").returncode == 0
    mapping = site.parent / "mapping.toml"
    unit = '\n[[source]]\ntable = "unit"\nfile = "units.csv"\n[source.columns]\nunit_key = "U"\n' \
           'unit_type = { column = "T", codes = { Blue = "emergency" } }\n'  # fmt: skip
    first = tomllib.loads(mapping.read_text())["source"][0]
    view = {"table": first["table"], "database": {"url_env": "URL", "view": "v_more"}, "columns": first["columns"]}
    mapping.write_text(mapping.read_text() + unit + plain_source(view))
    before = {source["table"]: source for source in tomllib.loads(mapping.read_text())["source"]}
    ran = _map(site, "--accept", "--force")
    after = {source["table"]: source for source in tomllib.loads(mapping.read_text())["source"]}
    assert after["unit"] == before["unit"]
    assert "Kept as they were mapped before: unit." in ran.stdout
    assert "WARNING: mapped before, and no longer read: support_activation from v_more." in ran.stdout
    assert "mapping.toml.1" in ran.stdout


def test_a_choice_on_the_command_line_is_taken(site: Path) -> None:
    ran = _map(site, "--accept", "--set", "support_activation.unit_key=Lfd. Nr.")
    assert ran.returncode == 0, ran.stderr
    assert 'unit_key = "Lfd. Nr."' in (site.parent / "mapping.toml").read_text()
    wrong = _map(site, "--set", "support_activation.unit_key=Stationen")
    assert wrong.returncode == 4
    assert "has a column 'Stationen'" in wrong.stderr


def test_on_a_terminal_it_asks_until_the_answers_fit(site: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen([*NODE, str(site)], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(slave)
    # Three sources are gone through; the first question gets a column that is not there; the rest is accepted.
    os.write(master, b"\n\n\nNo such column\n" + b"\n" * 60)
    out, error = process.communicate(timeout=120)
    os.close(master)
    assert process.returncode == 0, error
    assert "has a column 'No such column'" in out.decode()
    written = tomllib.loads((site.parent / "mapping.toml").read_text())
    assert {source["table"] for source in written["source"]} == {"support_activation", "support_encounter"}


CALLS = "record_id,ref_dt,ref_source,ref_reason,ref_role\n" + "".join(
    f"{n},2024-03-{n:02d} 10:00,{n % 3 + 1},{n % 2 + 1},{n % 2 + 1}\n" for n in range(1, 29)
)
CODES = [
    *("support_activation.referral_source[1]=self", "support_activation.referral_source[2]=colleague"),
    *("support_activation.referral_source[3]=manager", "support_activation.event_reason[1]=error_harm"),
    *("support_activation.event_reason[2]=other", "support_activation.role_group[1]=physician"),
    "support_activation.role_group[2]=nurse_midwife",
]


def _set(choices: list[str]) -> list[str]:
    return [word for choice in choices for word in ("--set", choice)]


@pytest.fixture
def calls(site: Path) -> Path:
    """A configuration with one export, of numbers without words."""
    (site.parent / "exports" / "Begleitungen.xlsx").unlink()
    (site.parent / "exports" / "peer_support_referrals.csv").write_text(CALLS)
    return site


def test_codes_are_given_on_the_command_line(calls: Path) -> None:
    ran = _map(calls, *_set(CODES))
    assert ran.returncode == 0, ran.stderr
    source = tomllib.loads((calls.parent / "mapping.toml").read_text())["source"][0]
    assert source["columns"]["referral_source"]["codes"] == {"1": "self", "2": "colleague", "3": "manager"}


def test_a_choice_that_changes_nothing_is_an_error(calls: Path) -> None:
    ran = _map(calls, *_set(CODES[:2]))
    assert ran.returncode == 4
    assert "--set support_activation.referral_source has no effect" in ran.stderr
    assert not (calls.parent / "mapping.toml").exists()
    wrong = _map(calls, "--set", "support_activation.role_group[1]=surgeon")
    assert wrong.returncode == 4
    assert "has no code 'surgeon'" in wrong.stderr


def test_a_main_table_that_lacks_columns_is_named_and_settled_by_hand(site: Path) -> None:
    (site.parent / "exports" / "Begleitungen.xlsx").unlink()
    head = "Ref No,Happened (approx),Reported on,What,Category,Severity,File state"
    rows = "".join(f"W{n},2024-03-{n:02d},2024-04-{n:02d},{n % 2},Fall,Low,Closed\n" for n in range(1, 29))
    (site.parent / "exports" / "incidents.csv").write_text(f"{head}\n{rows}")
    shown = json.loads(_map(site, "--format", "json").stdout)["data"]
    assert [left["table"] for left in shown["not_written"]] == ["safety_event"]
    ran = _map(
        site,
        *_set(["safety_event.event_date=Happened (approx)", "safety_event.event_class=const:incident"]),
        *_set(["safety_event.harm_source_scale=const:nrls"]),
    )
    assert ran.returncode == 0, ran.stderr
    columns = tomllib.loads((site.parent / "mapping.toml").read_text())["source"][0]["columns"]
    assert columns["event_date"] == "Happened (approx)"
    assert columns["harm_source_scale"] == {"constant": "nrls"}


def test_a_database_is_named_with_the_way_to_map_it(site: Path) -> None:
    sqlite3.connect(site.parent / "exports" / "quality.db").execute("create table event (id)").connection.close()
    assert "database = { url_file" in _map(site).stdout


def test_a_source_is_declined_and_codes_are_given_on_a_terminal(calls: Path) -> None:
    assert "nothing in the proposal is sure enough" in _answered(calls, ["-", "-"])
    answers = ["", *[""] * 3, "1", "colleague", "3", "9", "1", "2", "1", "2"]
    assert "100% accepted" in _answered(calls, answers)
    columns = tomllib.loads((calls.parent / "mapping.toml").read_text())["source"][0]["columns"]
    assert columns["referral_source"]["codes"].keys() == {"1", "2", "3"}


def _answered(config: Path, answers: list[str]) -> str:
    """What is said on a terminal after these answers and many times Enter; errors without what went before."""
    master, slave = pty.openpty()
    process = subprocess.Popen([*NODE, str(config)], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(slave)
    os.write(master, "".join(f"{answer}\n" for answer in [*answers, *[""] * 40]).encode())
    out, error = process.communicate(timeout=120)
    os.close(master)
    return out.decode() if process.returncode == 0 else error.decode()
