"""From the bytes of an export to text: the encoding is found, and what is no text is refused."""

from __future__ import annotations

import codecs

from node.sources.refused import FileRefused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAVE_AS = 'save it as "CSV UTF-8" and try again'
_OTHER_KINDS = (
    (b"%PDF", "a PDF document"),
    (b"{\\rtf", "a rich text document"),
    (b"\x1f\x8b", "a compressed file"),
    (b"7z\xbc\xaf", "a compressed file"),
    (b"SQLite format 3", "a database file"),
)
# Some systems call an HTML page or an XML document ".xls" or ".csv".
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table", b"<div", b"<style", b"<meta")


def decode(content: bytes, file: str) -> tuple[str, str]:
    """The text of a file and the encoding found: a byte order mark decides, else UTF-8, else Windows-1252.

    Raises FileRefused for an empty file, for documents of other kinds, and for bytes that no text file holds.
    """
    _refuse_other_kinds(content, file)
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _without_zeros(_strict(content, encoding, file), file), encoding
    if b"\0" in content:
        raise _zero_bytes(file)
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        # Five byte values mean nothing in Windows-1252; they are replaced, and the report says so, rather than the
        # file refused.
        return content.decode("cp1252", errors="replace"), "cp1252"


def _refuse_other_kinds(content: bytes, file: str) -> None:
    if not content:
        raise FileRefused(file, "the file is empty (zero bytes)", "export it again, with its header row")
    for start, kind in _OTHER_KINDS:
        if content.startswith(start):
            raise FileRefused(file, f"this is {kind} and no table", _SAVE_AS)
    if content.removeprefix(codecs.BOM_UTF8)[:200].lstrip().lower().startswith(_MARKUP):
        raise FileRefused(file, "this is a page or document in markup (HTML or XML) and no table", _SAVE_AS)


def _strict(content: bytes, encoding: str, file: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileRefused(file, f"its mark says {encoding}, but its bytes are broken", _SAVE_AS) from error


def _without_zeros(text: str, file: str) -> str:
    if "\0" in text:
        raise _zero_bytes(file)
    return text


def _zero_bytes(file: str) -> FileRefused:
    return FileRefused(file, "it holds zero bytes: UTF-16 without its mark, or no text at all", _SAVE_AS)
