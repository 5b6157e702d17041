"""Measures as data: versioned JSON files beside this module, their canonical bytes and digest.

Canonical bytes: the validated catalogue with its defaults spelt out, as JSON with sorted keys, no white space, UTF-8
unescaped.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from protocols.catalogue.model import Catalogue

CURRENT_VERSION = 1


class CatalogueError(Exception):
    """A catalogue file that is not valid."""


def canonical_json(value: object) -> bytes:
    """Sorted keys, no white space, no NaN, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def catalogue_document(catalogue: Catalogue) -> bytes:
    """The canonical bytes of a catalogue: what its digest is of, and what is served."""
    return canonical_json(catalogue.model_dump(mode="json", by_alias=True))


def parse_catalogue(text: str) -> tuple[Catalogue, bytes]:
    """Read a catalogue and return it with the SHA-256 of its canonical bytes."""
    try:
        catalogue = Catalogue.model_validate_json(text, strict=True)
    except ValidationError as error:
        raise CatalogueError(f"the catalogue is not valid: {error}") from error
    return catalogue, hashlib.sha256(catalogue_document(catalogue)).digest()


def load_catalogue_file(path: Path) -> tuple[Catalogue, bytes]:
    """Read a catalogue from a file (see `parse_catalogue`)."""
    return parse_catalogue(path.read_text(encoding="utf-8"))


@cache
def current_catalogue() -> tuple[Catalogue, bytes]:
    """The catalogue that this release ships, with its digest."""
    text = resources.files(__package__).joinpath(f"v{CURRENT_VERSION}.json").read_text(encoding="utf-8")
    return parse_catalogue(text)
