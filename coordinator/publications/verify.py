"""Checking a publication's file against the publisher's key, as anybody can."""

from __future__ import annotations

from pathlib import Path

from coordinator.publications.files import SIGNATURE
from protocols.keys import KeyFileError, load_public_key
from protocols.operator.errors import InputError, SignatureError
from protocols.publication.document import (
    Publication,
    check_signature,
    parse_publication,
    parse_signature_line,
)
from protocols.statement import key_id


def verify_file(document: Path, public_key: Path) -> Publication:
    """The publication in `document`, whose signature lies beside it in publication.sig.

    SignatureError if the signature is of another key or does not fit; InputError if a file is missing or damaged.
    The signature is checked before anything in the document is read.
    """
    try:
        public = load_public_key(public_key)
    except KeyFileError as error:
        raise SignatureError("public_key", str(error), "pass the publisher's pso.pub with --key") from error
    content, line = _read(document), _read(document.with_name(SIGNATURE))
    signer_key_id, signature = parse_signature_line(line.decode(errors="replace"))
    if signer_key_id != key_id(public):
        raise SignatureError(
            "other_key",
            f"the file is signed with key {signer_key_id}, and {public_key} is {key_id(public)}",
            "get the publisher's key and compare its fingerprint with them",
        )
    check_signature(content, signature, public)
    return parse_publication(content)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("file_unreadable", f"cannot read {path}", "keep document and signature together") from error
