"""`leadline-node map` as its user runs it: what it prints, what it writes, and what it never overwrites."""

from __future__ import annotations

import json
import os
import pty
import shutil
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
    # The first question gets a column that is not there; then everything is accepted as proposed.
    os.write(master, b"No such column\n" + b"\n" * 12)
    out, error = process.communicate(timeout=120)
    os.close(master)
    assert process.returncode == 0, error
    assert "has a column 'No such column'" in out.decode()
    written = tomllib.loads((site.parent / "mapping.toml").read_text())
    assert {source["table"] for source in written["source"]} == {"support_activation", "support_encounter"}
