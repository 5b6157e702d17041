"""CSV, TSV and their relatives as a table of text."""

from __future__ import annotations

from node.sources.body import Form, read_body
from node.sources.decoding import decode
from node.sources.layout import find_header
from node.sources.records import physical_lines, records
from node.sources.table import TextTable, Wanted


def read_delimited(content: bytes, wanted: Wanted, file: str) -> TextTable:
    """Read the wanted columns of a delimited file; raises FileRefused if it cannot be one that the mapping means."""
    text, encoding = decode(content, file)
    lines = physical_lines(text)
    header = find_header(lines, wanted, file)
    found = records(lines, header.delimiter, len(header.cells))
    return read_body(header, found, wanted, Form(file, encoding, header.delimiter))
