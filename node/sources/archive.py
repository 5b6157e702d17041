"""What a workbook's ZIP directory says before anything is unpacked: small files can unpack to enormous ones."""

from __future__ import annotations

import io
from zipfile import BadZipFile, ZipFile, ZipInfo

from node.sources.refused import FileRefused

MAX_UNPACKED_BYTES = 512 * 2**20
MAX_RATIO = 100
"""Real sheets shrink some ten- to thirtyfold; only what unpacks to much is asked for its ratio."""
RATIO_FROM_BYTES = 32 * 2**20
MAX_PARTS = 5_000
_SAVE_AS = 'save it as "Excel workbook (.xlsx)" or "CSV UTF-8"'


def open_archive(content: bytes, file: str) -> ZipFile:
    """A workbook's archive, with its sizes checked; raises FileRefused for bombs and for archives of another kind.

    The sizes of the directory can be trusted as limits: `zipfile` never unpacks more of a part than they say.
    """
    try:
        archive = ZipFile(io.BytesIO(content))
    except (BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise FileRefused(file, "the workbook is damaged", "export it again") from error
    parts = archive.infolist()
    _check_sizes(parts, len(content), file)
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused(file, "it is protected with a password", "save it without one")
    names = {part.filename for part in parts}
    if "xl/workbook.bin" in names:
        raise FileRefused(file, "this is a binary workbook (.xlsb)", _SAVE_AS)
    if "[Content_Types].xml" not in names or not any(name.startswith("xl/") for name in names):
        raise FileRefused(file, "this is a ZIP archive and no Excel workbook", _SAVE_AS)
    return archive


def _check_sizes(parts: list[ZipInfo], packed: int, file: str) -> None:
    unpacked = sum(part.file_size for part in parts)
    bomb = unpacked > MAX_UNPACKED_BYTES or (unpacked > RATIO_FROM_BYTES and unpacked > MAX_RATIO * packed)
    if bomb or len(parts) > MAX_PARTS:
        raise FileRefused(
            file, "it would unpack to far more than a workbook holds", "copy the table into a new workbook, or save CSV"
        )
