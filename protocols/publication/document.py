"""A publication as data, its canonical bytes, and its signature.

The document is canonical JSON (sorted keys, no white space, UTF-8). The signature is Ed25519 over
"leadline/publication/1" 0x00 document; its file holds the key id and the signature in hex on one line.
"""

from __future__ import annotations

import json
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from protocols.catalogue import canonical_json
from protocols.operator.errors import InputError, SignatureError
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow
from protocols.statement import key_id

_DOMAIN = b"leadline/publication/1\x00"


class Publication(BaseModel):
    """What is published: the rows, the rules of the gate they passed, and the guarantee in sentences.

    `sites` is the number of sites whose releases were used in any row; `replaces` the number of the publication
    before it; `catalogue_digest` is in hex.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, allow_inf_nan=False)

    schema_name: Literal["leadline.publication/1"] = Field(default="leadline.publication/1", alias="schema")
    number: int = Field(ge=1)
    title: str
    created_at: AwareDatetime
    catalogue_version: int
    catalogue_digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    replaces: int | None
    sites: int = Field(ge=0)
    guarantee: tuple[str, ...]
    gate: GateRules
    rows: tuple[BenchmarkRow, ...]

    def document(self) -> bytes:
        """The canonical bytes: what is signed, stored and served."""
        return canonical_json(self.model_dump(mode="json", by_alias=True))

    def content(self) -> bytes:
        """Canonical bytes of what it says, without its number, its date and what it replaces."""
        return canonical_json(self.model_dump(mode="json", by_alias=True, exclude={"number", "created_at", "replaces"}))


def parse_publication(document: bytes) -> Publication:
    """Read a publication's bytes; InputError if they are not one in canonical form."""
    hint = "ask the publisher for the file again"
    try:
        publication = Publication.model_validate_json(document)
        canonical = canonical_json(json.loads(document))
    except (ValidationError, ValueError) as error:
        raise InputError("not_a_publication", "the file is no Leadline publication", hint) from error
    if canonical != document:
        raise InputError("not_canonical", "the file is not in canonical form: it was rewritten", hint)
    return publication


def sign_document(document: bytes, key: Ed25519PrivateKey) -> bytes:
    """The 64-byte signature over a document."""
    return key.sign(_DOMAIN + document)


def check_signature(document: bytes, signature: bytes, public: Ed25519PublicKey) -> None:
    """SignatureError if the signature does not fit."""
    try:
        public.verify(signature, _DOMAIN + document)
    except InvalidSignature as error:
        raise SignatureError(
            "bad_signature",
            f"the signature does not fit this file and key {key_id(public)}",
            "do not use the file; compare the key's fingerprint with the publisher's and ask for the file again",
        ) from error


def signature_line(signature: bytes, signer_key_id: str) -> str:
    """The text of publication.sig."""
    return f"{signer_key_id} {signature.hex()}\n"


def parse_signature_line(text: str) -> tuple[str, bytes]:
    """Key id and signature from the text of publication.sig; InputError if it is something else."""
    parts = text.split()
    try:
        signer_key_id, signature = parts[0], bytes.fromhex(parts[1])
    except (IndexError, ValueError) as error:
        raise InputError(
            "not_a_signature", "the signature file is damaged", "ask the publisher for it again"
        ) from error
    return signer_key_id, signature
