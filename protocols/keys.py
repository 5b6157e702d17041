"""Key files. Signing keys are Ed25519 (private: PKCS#8 PEM, mode 0600; public: SubjectPublicKeyInfo PEM).

The relay's transport key is another one, of the kind that Flower's SuperNodes use: EC P-384 in OpenSSH form.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SECRET_BYTES = 32
_TRANSPORT_CURVES = (ec.SECP256R1, ec.SECP384R1)


class KeyFileError(Exception):
    """A key file that is missing, of another kind, or readable by others."""


def create_private_key(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it to `path`, which must not exist, with mode 0600."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(path, pem)
    return key


def create_transport_key(path: Path) -> Path:
    """Make a relay's key at `path`, which must not exist, with mode 0600; return the public key's file, `path`.pub."""
    key = ec.generate_private_key(ec.SECP384R1())
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption())
    write_private(path, key.private_bytes(*form))
    public = path.with_name(f"{path.name}.pub")
    public.write_bytes(
        key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    )
    return public


def write_private(path: Path, content: bytes) -> None:
    """Write a file that nobody else can read, durably; FileExistsError if it is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key; refuse a file that group or others can read."""
    try:
        key = serialization.load_pem_private_key(_read_private(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:  # TypeError: the key is locked with a password
        raise KeyFileError(f"{path} is not a private key in PEM form without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{path} holds a key of another kind; Leadline signs with Ed25519")
    return key


def load_secret(path: Path) -> bytes:
    """Read the secret behind keyed hashes, at least SECRET_BYTES long; refuse a file that others can read."""
    secret = _read_private(path)
    if len(secret) < SECRET_BYTES:
        raise KeyFileError(f"{path} is shorter than {SECRET_BYTES} bytes; restore it from your backup")
    return secret


def _read_private(path: Path) -> bytes:
    if not path.is_file():
        raise KeyFileError(f"there is no key file {path}; make one with the `init` command")
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path} can be read by others; run: chmod 600 {path}")
    return path.read_bytes()


def public_pem(public: Ed25519PublicKey) -> str:
    """The public key as PEM text."""
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def parse_public_pem(pem: str) -> Ed25519PublicKey:
    """Read a public key from PEM text."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyFileError("this is not a public key in PEM form") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError("this is a public key of another kind; Leadline signs with Ed25519")
    return key


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public key file."""
    if not path.is_file():
        raise KeyFileError(f"there is no public key file {path}")
    return parse_public_pem(path.read_text(errors="replace"))


def canonical_transport_key(text: str) -> str:
    """One spelling (SubjectPublicKeyInfo PEM) of a relay's public key in PEM or OpenSSH form.

    ValueError if it is neither, or no key on one of the curves that relays use (NIST P-256, P-384).
    """
    raw = text.strip().encode()
    try:
        if raw.startswith(b"-----"):
            key = serialization.load_pem_public_key(raw)
        else:
            key = serialization.load_ssh_public_key(raw)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("is no public key in PEM or OpenSSH form") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, _TRANSPORT_CURVES):
        raise ValueError("is no EC public key on the curve NIST P-256 or P-384, as relays use")
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
