"""Fixtures for tests of the node."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from protocols.keys import public_pem


@pytest.fixture
def pso_key(tmp_path: Path) -> Path:
    """The public key file of a PSO."""
    path = tmp_path / "pso.pub"
    path.write_text(public_pem(Ed25519PrivateKey.generate().public_key()))
    return path
