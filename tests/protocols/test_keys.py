from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519

from protocols.keys import (
    KeyFileError,
    create_private_key,
    load_private_key,
    load_public_key,
    parse_public_pem,
    public_pem,
)

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo


def private_file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    path.chmod(0o600)
    return path


def test_a_key_is_written_for_its_owner_alone_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    before = os.umask(0)
    try:
        key = create_private_key(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert load_private_key(path).private_bytes_raw() == key.private_bytes_raw()


def test_a_key_is_never_overwritten_and_never_the_same(tmp_path: Path) -> None:
    first = create_private_key(tmp_path / "a.key")
    with pytest.raises(FileExistsError):
        create_private_key(tmp_path / "a.key")
    assert load_private_key(tmp_path / "a.key").private_bytes_raw() == first.private_bytes_raw()
    assert create_private_key(tmp_path / "b.key").private_bytes_raw() != first.private_bytes_raw()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o601, 0o620, 0o644, 0o777])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "site.key"
    create_private_key(path)
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        load_private_key(path)


def test_a_key_that_only_its_owner_can_read_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "site.key"
    create_private_key(path)
    path.chmod(0o400)
    assert load_private_key(path)


def test_files_that_are_no_private_key_are_refused_in_a_sentence(tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    locked = create_private_key(tmp_path / "plain.key").private_bytes(
        PEM, PKCS8, serialization.BestAvailableEncryption(b"password")
    )
    cases = {
        "there is no key file": tmp_path / "absent.key",
        "is not a private key": private_file(tmp_path / "noise.key", b"\x00\xffnot a key"),
        "without a password": private_file(tmp_path / "locked.key", locked),
        "another kind": private_file(
            tmp_path / "curve.key", curve.private_bytes(PEM, PKCS8, serialization.NoEncryption())
        ),
    }
    for words, path in cases.items():
        with pytest.raises(KeyFileError, match=words):
            load_private_key(path)


def test_public_keys_are_read_back(tmp_path: Path) -> None:
    public = create_private_key(tmp_path / "site.key").public_key()
    (tmp_path / "site.pub").write_text(public_pem(public))
    assert load_public_key(tmp_path / "site.pub").public_bytes_raw() == public.public_bytes_raw()
    assert public_pem(public).startswith("-----BEGIN PUBLIC KEY-----")


def test_files_that_are_no_public_key_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="there is no public key file"):
        load_public_key(tmp_path / "absent.pub")
    (tmp_path / "noise.pub").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(KeyFileError, match="not a public key"):
        load_public_key(tmp_path / "noise.pub")
    with pytest.raises(KeyFileError, match="not a public key"):
        parse_public_pem("")
    other = x25519.X25519PrivateKey.generate().public_key().public_bytes(PEM, SPKI).decode()
    with pytest.raises(KeyFileError, match="another kind"):
        parse_public_pem(other)
