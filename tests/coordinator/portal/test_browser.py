"""A real browser on a real server. It needs chromium; without it these tests say so and are skipped."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from coordinator.api.app import create_app
from tests.coordinator.portal.examples import CATALOGUE, FolderPublications, row_of
from tests.coordinator.portal.html_page import read

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")


@pytest.fixture(scope="module")
def address(published: Path) -> Iterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(FolderPublications(published), CATALOGUE)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def rendered(url: str, profile: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The DOM after the browser has laid the page out, and what it complained about."""
    assert CHROMIUM is not None
    flags = [
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--enable-logging=stderr", f"--user-data-dir={profile}",
    ]  # fmt: skip
    command = [CHROMIUM, *flags, *options, "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)


@pytest.mark.parametrize("path", ["/", "/measures/C1", "/protection", "/publications/2"])
def test_a_browser_shows_the_page_and_its_policy_blocks_nothing(address: str, tmp_path: Path, path: str) -> None:
    run = rendered(address + path, tmp_path)
    page = read(run.stdout)
    assert page.headings.count("h1") == 1
    assert "Leadline" in page.words
    complaints = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    assert complaints == []


def test_charts_are_in_the_page_as_the_browser_sees_it(address: str, tmp_path: Path) -> None:
    dom = rendered(address + "/measures/C1", tmp_path).stdout
    assert dom.count('class="chart" role="img"') == 8
    row = row_of("C1", 2025)
    assert f">{row.value:.1f} ({row.lower:.1f} to {row.upper:.1f})</text>" in dom
