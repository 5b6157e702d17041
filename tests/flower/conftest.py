"""A running federation of three sites, with an echoing gateway at each and a small broker."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Neither folder is an import package: one holds programs, the other is what Flower packs.
sys.path[:0] = [str(ROOT / "docker"), str(ROOT / "protocols" / "flower_app")]

from tests.flower.pipe import Pipe  # noqa: E402  (needs the folders above)


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder with a short path: a unix socket's may have 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="leadline-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def pipe() -> Iterator[Pipe]:
    with tempfile.TemporaryDirectory(prefix="leadline-") as folder, ExitStack() as cleanup:
        yield Pipe(Path(folder), ("site-01", "site-02", "site-03"), cleanup)
