"""`leadline-node console` as its user runs it: a real process, its text and its exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from node.enrolment import init_site

NODE = [sys.executable, "-m", "node.cli"]
PASSWORD = "correct horse battery"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The configuration of a new site with a console on a free port."""
    (tmp_path / "exports").mkdir()
    init_site(tmp_path / "site", "site-a", tmp_path / "exports")
    config = tmp_path / "site" / "node.toml"
    text = re.sub(r"(?s)\n\[console\].*?(?=\n\[|\Z)", "", config.read_text())
    config.write_text(f'{text}\n[console]\nport = {_free_port()}\npassword_file = "keys/console.password"\n')
    return config


def _run(*words: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [*NODE, *map(str, words)]
    return subprocess.run(command, input=typed, capture_output=True, text=True, check=False, timeout=120)


@contextmanager
def _console(site: Path, log: Path, **environment: str) -> Iterator[str]:
    """A running console, and the first words that it printed."""
    surroundings = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"} | environment
    with log.open("w") as file:
        command = [*NODE, "console", "--config", str(site)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True, env=surroundings)
    assert process.stdout is not None
    try:
        greeting = process.stdout.readline() + (process.stdout.readline() if not environment else "")
        _wait_for(int(re.findall(r"port = (\d+)", site.read_text())[-1]))
        yield greeting
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the console does not listen")


def _sign_in(link: str, **fields: str) -> int:
    """Open a link, send its form, and return the status."""
    base = re.match(r"http://127\.0\.0\.1:\d+", link)
    assert base is not None
    with httpx.Client(base_url=base[0], headers={"Origin": base[0]}) as browser:
        page = browser.get(link.removeprefix(base[0])).text
        token = re.search(r'name="form_token" value="(\w+)"', page)
        held = re.search(r'name="token" type="text" value="([^"]+)"', page)
        assert token is not None
        filled_in = fields or {"token": held[1] if held else ""}
        return browser.post("/login", data={"form_token": token[1], **filled_in}).status_code


def test_the_console_prints_a_link_that_opens_it_once_and_logs_nothing(site: Path, tmp_path: Path) -> None:
    with _console(site, tmp_path / "log") as greeting:
        link = re.search(r"http://127\.0\.0\.1:\d+/login\?token=\S+", greeting)
        assert link is not None
        assert _sign_in(link[0]) == 303
        assert _sign_in(link[0]) == 401
        fresh = json.loads(_run("console-token", "--config", site, "--format", "json").stdout)["data"]["link"]
        assert _sign_in(fresh) == 303
    assert (tmp_path / "log").read_text() == ""


def test_a_service_prints_no_link_into_the_systems_journal(site: Path, tmp_path: Path) -> None:
    with _console(site, tmp_path / "log", JOURNAL_STREAM="8:12345") as greeting:
        assert "token=" not in greeting
        assert "leadline-node console-token" in greeting


def test_a_port_that_is_taken_is_named(site: Path) -> None:
    port = int(re.findall(r"port = (\d+)", site.read_text())[-1])
    with socket.create_server(("127.0.0.1", port)):
        ran = _run("console", "--config", site)
    assert ran.returncode == 2
    assert str(port) in ran.stderr
    assert "console.port" in ran.stderr


def test_a_password_is_set_from_the_command_line(site: Path, tmp_path: Path) -> None:
    ran = _run("console", "--set-password", "--config", site, typed=f"{PASSWORD}\n")
    assert ran.returncode == 0, ran.stderr
    file = site.parent / "keys" / "console.password"
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in ran.stdout + file.read_text()
    with _console(site, tmp_path / "log") as greeting:
        link = greeting.split()[-1]
        base = link.partition("/login")[0]
        assert _sign_in(f"{base}/login", password="wrong horse battery") == 401
        assert _sign_in(f"{base}/login", password=PASSWORD) == 303


def test_a_password_needs_a_place_and_a_length(site: Path) -> None:
    assert _run("console", "--set-password", "--config", site, typed="short\n").returncode == 4
    site.write_text(site.read_text().replace('password_file = "keys/console.password"\n', ""))
    ran = _run("console", "--set-password", "--config", site, typed=f"{PASSWORD}\n")
    assert ran.returncode == 4
    assert "password_file" in ran.stderr
