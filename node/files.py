"""Files that are whole or not there: written beside their place, made durable, and moved into it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PRIVATE = 0o600
GROUP = 0o640
PUBLIC = 0o644


def put_file(path: Path, content: bytes, mode: int = PRIVATE) -> None:
    """Write or replace a file; whoever reads finds the old bytes or the new ones. It is never wider than `mode`."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as its files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
