"""The keys that an answer needs, and the ledger that they open. Free of tables and noise: the daemon imports it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from node.clock import Clock
from node.config import NodeConfig
from node.journal import Journal
from node.ledger.store import Ledger
from protocols.keys import KeyFileError, load_private_key, load_public_key, load_secret
from protocols.operator.errors import BusyError, RuleError, SignatureError
from protocols.statement import key_id

_HINT = "docs/hospital-it.md says which keys a site has, and how to get one back"


@dataclass(frozen=True)
class Identity:
    """The site's signing key, and the PSO's public keys by key id."""

    signing_key: Ed25519PrivateKey
    pso_keys: Mapping[str, Ed25519PublicKey]


def load_identity(config: NodeConfig) -> Identity:
    """The site's signing key and the enrolled PSO key; the person key must be in order too."""
    signing_key = load_signing_key(config)
    try:
        pso_key = load_public_key(config.paths.pso_key)
        load_secret(config.paths.person_key)
    except KeyFileError as error:
        raise SignatureError("key", str(error), _HINT) from error
    return Identity(signing_key, {key_id(pso_key): pso_key})


def load_signing_key(config: NodeConfig) -> Ed25519PrivateKey:
    """The key that signs what this site says; SignatureError where it is missing or others can read it."""
    try:
        return load_private_key(config.paths.signing_key)
    except KeyFileError as error:
        raise SignatureError("key", str(error), _HINT) from error


def open_ledger(config: NodeConfig, signing_key: Ed25519PrivateKey, clock: Clock) -> Ledger:
    """The site's ledger, as `init` made it. A missing one is never made anew: that would forget what was spent."""
    if not config.paths.ledger.is_file():
        hint = "restore it from your backup; without one, enrol again as a new site"
        raise RuleError("ledger_missing", f"there is no ledger {config.paths.ledger}", hint)
    try:
        return Ledger(config.paths.ledger, signing_key, config.site.id, clock.now_s(), Journal(config.paths.journal))
    except (sqlite3.OperationalError, PermissionError) as error:
        problem = f"the ledger {config.paths.ledger} or the journal {config.paths.journal} cannot be used ({error})"
        hint = "let this user write to both files and to their folders, and see that the disk is not full"
        raise BusyError("ledger", problem, hint) from error
