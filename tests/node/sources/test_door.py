"""The door: what is turned away before it is read, and archives that unpack to more than they should."""

from __future__ import annotations

import io
import os
import socket
import zipfile
from pathlib import Path

import pytest

from node.sources.archive import MAX_UNPACKED_BYTES, open_archive
from node.sources.door import MAX_FILE_BYTES, export_files, read_guarded
from node.sources.reader import read_export
from node.sources.refused import FileRefused
from node.sources.table import Wanted


def test_a_sparse_file_of_10_gb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "dump.csv"
    with path.open("wb") as file:
        file.truncate(10 * 10**9)
    with pytest.raises(FileRefused, match=r"dump\.csv: it is larger than 256 MiB"):
        read_export(path, Wanted(("Ref",)))
    assert path.stat().st_size > MAX_FILE_BYTES


def test_a_pipe_a_socket_and_a_device_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "door.csv"))
    for name in ("pipe.csv", "door.csv"):
        with pytest.raises(FileRefused, match="it is no ordinary file"):
            export_files(tmp_path, name)
    for path in (tmp_path / "pipe.csv", Path("/dev/zero")):
        with pytest.raises(FileRefused, match="it is no ordinary file"):
            read_guarded(path)


def test_links_may_lead_within_the_folder_and_not_out_of_it(tmp_path: Path) -> None:
    exports, outside = tmp_path / "exports", tmp_path / "secret.csv"
    (exports / "2025").mkdir(parents=True)
    outside.write_text("Ref\n1\n")
    (exports / "2025" / "e.csv").write_text("Ref\n1\n")
    (exports / "latest.csv").symlink_to("2025/e.csv")
    assert [path.name for path in export_files(exports, "latest.csv")] == ["latest.csv"]
    (exports / "out.csv").symlink_to(outside)
    (exports / "nowhere.csv").symlink_to("gone.csv")
    (exports / "elsewhere").symlink_to(tmp_path)
    for pattern, reason in (
        ("out.csv", "leads out of the exports folder"),
        ("no*.csv", "leads nowhere"),
        ("elsewhere/*.csv", "leads out of the exports folder"),
    ):
        with pytest.raises(FileRefused, match=reason):
            export_files(exports, pattern)


@pytest.mark.parametrize("pattern", ["**.csv", "a\0b.csv"])
def test_a_pattern_that_is_none_is_refused(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(FileRefused):
        export_files(tmp_path, pattern)


def archive(parts: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return buffer.getvalue()


WORKBOOK = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (archive({**WORKBOOK, "xl/big.xml": bytes(64 * 2**20)}), "unpack to far more"),
        (archive({**WORKBOOK, **{f"xl/{n}": b"" for n in range(5_001)}}), "unpack to far more"),
        (archive({"word/document.xml": b""}), "no Excel workbook"),
        (archive({**WORKBOOK, "xl/workbook.bin": b""}), "binary workbook"),
        (archive(WORKBOOK)[:-10], "damaged"),
        (b"PK\x03\x04rest", "damaged"),
    ],
)
def test_archives_that_are_no_workbooks_or_bombs(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        open_archive(content, "e.xlsx")


def test_what_a_directory_says_bounds_what_is_unpacked() -> None:
    """A directory that lies about a part's size gets that many bytes of it and no more."""
    honest = archive({"xl/sheet.xml": bytes(2**20)})
    lying = honest.replace((2**20).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with zipfile.ZipFile(io.BytesIO(lying)) as found, pytest.raises(zipfile.BadZipFile):
        assert len(found.read("xl/sheet.xml")) <= 100
    huge = honest.replace((2**20).to_bytes(4, "little"), (MAX_UNPACKED_BYTES + 1).to_bytes(4, "little"))
    with pytest.raises(FileRefused, match="unpack to far more"):
        open_archive(huge, "e.xlsx")
