"""Fixtures for tests of the node."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from protocols.keys import public_pem


@pytest.fixture
def pso_key(tmp_path: Path) -> Path:
    """The public key file of a PSO."""
    path = tmp_path / "pso.pub"
    path.write_text(public_pem(Ed25519PrivateKey.generate().public_key()))
    return path


@pytest.fixture
def certificate() -> bytes:
    """A certificate in PEM form that nobody trusts."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    since = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(since).not_valid_after(since + timedelta(days=1)).sign(key, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(Encoding.PEM)
