"""A private PostgreSQL server: a cluster of its own in a temporary folder, reached by a unix socket alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

USER = "nobody"  # PostgreSQL refuses to run as root
START_WITHIN_S = 60


def _run(command: list[str], folder: Path) -> None:
    as_user = ["setpriv", f"--reuid={USER}", "--regid=nogroup", "--clear-groups"] if os.geteuid() == 0 else []
    subprocess.run([*as_user, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=START_WITHIN_S)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a superuser's empty database on a server that ends with the tests."""
    programs = {name: shutil.which(name) for name in ("initdb", "pg_ctl", "postgres")}
    if None in programs.values():
        pytest.skip("there is no PostgreSQL server here (initdb, pg_ctl, postgres)")
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv to become another user")
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER, "nogroup")
    data = str(folder / "data")
    _run([str(programs["initdb"]), "-D", data, "-U", "owner", "-A", "trust", "--no-sync"], folder)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    _run([str(programs["pg_ctl"]), "-D", data, "-l", str(folder / "log"), "-o", options, "-w", "start"], folder)
    try:
        yield f"postgresql+psycopg://owner@/postgres?host={folder}"
    finally:
        _run([str(programs["pg_ctl"]), "-D", data, "-m", "immediate", "-w", "stop"], folder)
        shutil.rmtree(folder)
