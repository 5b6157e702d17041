"""The door: which files of the exports folder are read at all. Everything here is decided before a byte is read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from node.sources.refused import FileRefused

MAX_FILE_BYTES = 256 * 2**20
"""A site writes thousands of rows a year; a larger file is a dump or a mistake, and reading it would fill memory."""


def export_files(folder: Path, pattern: str) -> list[Path]:
    """The files in `folder` that match a glob, in name order; folders, lock files and hidden files are passed over.

    Raises FileRefused if there is none, and for a match that is no ordinary file or leads out of the folder.
    """
    try:
        matches = sorted(path for path in folder.glob(pattern) if path.name[0] not in "~." and not path.is_dir())
    except (ValueError, NotImplementedError) as error:
        raise FileRefused(pattern, "this is no pattern for file names", "correct `file` in the mapping") from error
    if not matches:
        raise FileRefused(
            pattern, f"no file of this name in {folder}", "put the export there, or correct `file` in the mapping"
        )
    inside = folder.resolve()
    for path in matches:
        _check_place(path, inside)
    return matches


def _check_place(path: Path, inside: Path) -> None:
    real = path.resolve()
    if not real.is_relative_to(inside):
        raise FileRefused(
            path.name, "it is a link that leads out of the exports folder", "put the file itself into the folder"
        )
    if not real.exists():
        raise FileRefused(path.name, "it is a link that leads nowhere", "put the file itself into the folder")
    if not real.is_file():
        raise _no_ordinary_file(path)


def read_guarded(path: Path) -> bytes:
    """The bytes of an ordinary file of at most MAX_FILE_BYTES; raises FileRefused without reading any other."""
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise FileRefused(path.name, f"it cannot be read ({error.strerror})", "check its permissions") from error
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise _no_ordinary_file(path)
        if facts.st_size > MAX_FILE_BYTES:
            limit = f"{MAX_FILE_BYTES // 2**20} MiB"
            raise FileRefused(path.name, f"it is larger than {limit}", "export the mapped columns alone, or by year")
        content = file.read(facts.st_size + 1)
    if len(content) != facts.st_size:
        raise FileRefused(path.name, "it changed while it was read", "try again when the export is complete")
    return content


def _no_ordinary_file(path: Path) -> FileRefused:
    return FileRefused(path.name, "it is no ordinary file but a pipe, socket or device", "put a file in its place")
