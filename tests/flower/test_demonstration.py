"""The demonstration as a user starts it: from nothing to a signed publication, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from outcome import Outcome
from processes import BIN, environment, run

from tests.flower.conftest import ROOT
from tests.flower.servers import wait_for

PROGRAM = [sys.executable, str(ROOT / "docker" / "federation.py"), "--sites", "5", "--years", "1", "--out"]


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that name the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode() if entry.name.isdigit() else ""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in words and int(entry.name) != os.getpid():
            found.append(words)
    return found


def test_the_table_names_cells_as_the_pages_do(tmp_path: Path) -> None:
    key = {"measure": "B3", "period_start": "2024-01-01", "period_end": "2024-12-31", "peer_group": "all"}
    figure = {**key, "stratum": "automatic_trigger", "unit": "%"}
    published = {"value": 20.0, "lower": 15.0, "upper": 25.0, "status": "ok"}
    pd.DataFrame([figure | published]).to_csv(tmp_path / "benchmarks.csv", index=False)
    pd.DataFrame([figure | {"value": 21.0}]).drop(columns="unit").to_csv(tmp_path / "truth.csv", index=False)
    outcome = Outcome.read(tmp_path, tmp_path / "truth.csv")
    (name,) = outcome.table().columns[0].cells
    assert name == "B3 Source of activation: Automatic trigger (%)"
    assert "of 1 of 1 published figures (100%)" in outcome.summary()
    assert "allow for sampling" in outcome.summary()


@pytest.mark.federation
def test_publishes_signed_benchmarks_that_agree_with_the_truth(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    said = run([*PROGRAM, str(folder), "--no-serve"], environment(), timeout_s=400)
    publication = folder / "publication"
    assert {path.name for path in publication.iterdir()} >= {
        "publication.json",
        "publication.sig",
        "benchmarks.csv",
        "benchmarks.parquet",
    }
    key = folder / "coordinator" / "keys" / "pso.pub"
    command = [str(BIN / "leadline-coordinator"), "release", "verify", str(publication / "publication.json")]
    run([*command, "--key", str(key)], environment())
    rows = pd.read_csv(publication / "benchmarks.csv")
    assert (rows["status"] == "ok").sum() >= 20
    assert "the truth lies inside the 95 % interval of" in said
    for site in (folder / "sites").iterdir():
        assert (site / "ledger.sqlite").is_file()
        assert (site / "quality" / "report.txt").is_file()
    assert processes_of(folder) == []


@pytest.mark.federation
def test_leaves_nothing_behind_when_it_is_told_to_stop(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    demonstration = subprocess.Popen([*PROGRAM, str(folder)], stdout=subprocess.DEVNULL)
    wait_for((folder / "sites" / "site-01" / "node.toml").is_file, timeout_s=200)
    assert len(processes_of(folder)) > 2
    demonstration.send_signal(signal.SIGTERM)
    assert demonstration.wait(60) == 130
    assert processes_of(folder) == []
