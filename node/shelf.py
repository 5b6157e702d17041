"""The publications that the PSO sent: NUMBER.json and NUMBER.sig in one folder, checked before they are kept."""

from __future__ import annotations

import zlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.files import put_file
from protocols.operator.errors import InputError, SignatureError
from protocols.publication.document import (
    Publication,
    check_signature,
    parse_publication,
    parse_signature_line,
    signature_line,
)
from protocols.refusals import Code, Refused
from protocols.v1 import leadline_pb2 as pb

KEPT = 24
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
_GZIP = 31


def keep_publication(folder: Path, message: pb.Published, signer: tuple[str, Ed25519PublicKey]) -> None:
    """Check a publication with its signer's key (key id, key) and keep it, with the newest KEPT of its kind.

    Refused with TOO_LARGE, MALFORMED or BAD_SIGNATURE; one that is kept already is never replaced by other bytes.
    """
    key_id, public = signer
    document = _unpacked(message.document)
    try:
        check_signature(document, message.signature, public)
        publication = parse_publication(document)
    except SignatureError as error:
        raise Refused(Code.BAD_SIGNATURE, f"publication {message.number}") from error
    except InputError as error:
        raise Refused(Code.MALFORMED, error.message) from error
    if publication.number != message.number:
        raise Refused(Code.MALFORMED, f"publication {publication.number} was sent as {message.number}")
    place = folder / f"{publication.number}.json"
    if place.exists() and place.read_bytes() != document:
        raise Refused(Code.MALFORMED, f"publication {publication.number} came before with other content")
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    put_file(place.with_suffix(".sig"), signature_line(message.signature, key_id).encode())
    put_file(place, document)
    for number in publications(folder)[KEPT:]:
        (folder / f"{number}.json").unlink(missing_ok=True)
        (folder / f"{number}.sig").unlink(missing_ok=True)


def publications(folder: Path) -> tuple[int, ...]:
    """Numbers of the publications that are kept, newest first."""
    found = (path.stem for path in folder.glob("*.json") if path.stem.isascii() and path.stem.isdigit())
    return tuple(sorted(map(int, found), reverse=True))


def newest_publication(folder: Path, public: Ed25519PublicKey) -> Publication | None:
    """The publication with the highest number, or None; InputError or SignatureError if a file was altered since."""
    for number in publications(folder):
        document = (folder / f"{number}.json").read_bytes()
        _, signature = parse_signature_line((folder / f"{number}.sig").read_text(encoding="utf-8"))
        check_signature(document, signature, public)
        return parse_publication(document)
    return None


def _unpacked(packed: bytes) -> bytes:
    """One gzip member, whole, within the limit: a small message must not fill the memory."""
    unpacker = zlib.decompressobj(_GZIP)
    try:
        document = unpacker.decompress(packed, MAX_DOCUMENT_BYTES)
    except zlib.error as error:
        raise Refused(Code.MALFORMED, "the publication is not packed as gzip") from error
    if unpacker.unconsumed_tail:
        raise Refused(Code.TOO_LARGE, f"the publication has more than {MAX_DOCUMENT_BYTES} bytes")
    if not unpacker.eof or unpacker.unused_data:
        raise Refused(Code.MALFORMED, "the publication is not one whole gzip file")
    return document
