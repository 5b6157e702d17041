"""From the bytes of an export to text: the encoding is found, and what is no text is refused."""

from __future__ import annotations

import codecs

from node.sources.refused import FileRefused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SAVE_AS = 'save it as "CSV UTF-8" and try again'


def decode(content: bytes, file: str) -> tuple[str, str]:
    """The text of a file and the encoding found: a byte order mark decides, else UTF-8, else Windows-1252.

    Raises FileRefused for an empty file, a workbook, and bytes that no text file holds.
    """
    if not content:
        raise FileRefused(file, "the file is empty (zero bytes)", "export it again, with its header row")
    if content.startswith(_WORKBOOKS):
        raise FileRefused(file, "this is an Excel workbook, not a text file", _SAVE_AS)
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strict(content, encoding, file), encoding
    if b"\0" in content:
        raise FileRefused(file, "it holds zero bytes: UTF-16 without its mark, or no text at all", _SAVE_AS)
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # Five byte values mean nothing in Windows-1252; they are replaced rather than the file refused.
        return content.decode("cp1252", errors="replace"), "cp1252"


def _strict(content: bytes, encoding: str, file: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileRefused(file, f"its mark says {encoding}, but its bytes are broken", _SAVE_AS) from error
