"""From local identifiers to keyed hashes. The secret stays at the node, and so do the identifiers."""

from __future__ import annotations

import hmac
import re
import unicodedata

import pandas as pd

from node.tables.distinct import by_distinct

MIN_SECRET_BYTES = 32
_NAMESPACES = {"supporter_key": "person_key"}
_FLOAT = re.compile(r"^(\d+)\.0+$")
_SCIENTIFIC = re.compile(r"^\d(?:[.,]\d+)?e\+?\d+$", re.IGNORECASE)


def key_namespace(column: str) -> str:
    """The namespace of a key column: its own name, except that a supporter is a person."""
    return _NAMESPACES.get(column, column)


def normalise_identifier(text: str) -> str:
    """One form for one identifier: no white space, case or width variants, `.0` of a float, or leading zeros.

    "00123", " 123 " and "123.0" are one; a run of zeros alone is "0".
    """
    bare = "".join((text if text.isascii() else unicodedata.normalize("NFKC", text)).split()).casefold()
    if "." in bare:
        bare = _FLOAT.sub(r"\1", bare)
    return bare.lstrip("0") or bare[-1:]


def is_damaged(text: str) -> bool:
    """Whether a spreadsheet has turned an identifier into scientific notation (1.23457E+11), losing digits."""
    return bool(_SCIENTIFIC.match(text)) and any(mark in text for mark in ".,+")


class KeyHasher:
    """HMAC-SHA256 under the node's own secret, cut to 128 bits: 32 hex digits."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the key for person hashes needs at least {MIN_SECRET_BYTES} bytes")
        self._secret = secret

    def __repr__(self) -> str:
        return "KeyHasher(secret hidden)"

    def key(self, namespace: str, value: str) -> str:
        """The key of a local identifier; equal after normalising gives equal keys within a namespace."""
        # The zero byte keeps ("ab", "c") and ("a", "bc") apart; no namespace holds one.
        message = f"{namespace}\0{normalise_identifier(value)}".encode()
        return hmac.digest(self._secret, message, "sha256").hex()[:32]

    def keys(self, namespace: str, values: pd.Series[str]) -> pd.Series[str]:
        """The keys of a text column; missing stays missing."""
        return by_distinct(values, lambda value: self.key(namespace, value))
