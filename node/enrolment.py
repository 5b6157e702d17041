"""A new site: its folder, its keys (made here, never sent), a configuration to read and change, and its enrolment."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from node.clock import Clock, SystemClock
from node.config import CONFIG_NAME, NodeConfig
from node.files import PRIVATE, PUBLIC, put_file
from node.identity import load_signing_key, open_ledger
from node.ledger.store import Ledger
from node.templates import node_toml, profile_toml
from protocols.enrolment import enrolment_fingerprint
from protocols.keys import (
    SECRET_BYTES,
    canonical_transport_key,
    create_private_key,
    create_transport_key,
    public_pem,
    write_private,
)
from protocols.operator.errors import InputError, SignatureError
from protocols.profile import SITE_ID, parse_profile
from protocols.statement import seal_statement
from protocols.v1 import leadline_pb2 as pb

TRANSPORT_NAME = "transport"


@dataclass(frozen=True)
class NewSite:
    """What `init` made."""

    config: Path
    profile: Path
    public_key: Path
    transport_key: Path


@dataclass(frozen=True)
class MadeRequest:
    """An enrolment as it was written, and the 64 hex digits to compare with the PSO."""

    file: Path
    fingerprint: str


def init_site(folder: Path, site_id: str, exports: Path) -> NewSite:
    """Make the folder of a new site. Nothing that exists is overwritten; a profile that is there is kept."""
    if not re.fullmatch(SITE_ID, site_id):
        message = f"{site_id!r} is no site id"
        raise InputError("site_id", message, "use 2 to 41 small letters, digits and hyphens, such as st-mary")
    config, keys, relay = folder / CONFIG_NAME, folder / "keys", folder / "relay"
    for path in (config, keys / "site.key", keys / "person.key", relay / TRANSPORT_NAME, folder / "ledger.sqlite"):
        if path.exists():
            raise InputError("exists", f"{path} exists", "choose another folder, or keep this one as it is")
    with _private_files():
        for path, mode in ((folder, 0o750), (keys, 0o700), (relay, 0o750)):
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(mode)
        key = create_private_key(keys / "site.key")
        put_file(keys / "site.pub", public_pem(key.public_key()).encode(), PUBLIC)
        write_private(keys / "person.key", secrets.token_bytes(SECRET_BYTES))
        transport = create_transport_key(relay / TRANSPORT_NAME)
        transport.chmod(PUBLIC)
        profile = folder / "profile.toml"
        if not profile.exists():
            put_file(profile, profile_toml(site_id).encode(), PRIVATE)
        Ledger(folder / "ledger.sqlite", key, site_id, SystemClock().now_s()).close()
        put_file(config, node_toml(site_id, exports.resolve()).encode(), PRIVATE)
    return NewSite(config, profile, keys / "site.pub", transport)


def make_request(config: NodeConfig, out: Path, clock: Clock) -> MadeRequest:
    """Write the site's enrolment, signed with the key that it names. What it holds is public; `out` is replaced."""
    key = load_signing_key(config)
    profile = parse_profile(config.paths.profile)
    ledger = open_ledger(config, key, clock)
    head = ledger.head()
    ledger.close()
    enrolment = pb.Enrolment(
        site_id=config.site.id,
        signing_key=key.public_key().public_bytes_raw(),
        transport_key=load_transport_key(config),
        profile=[pb.Attribute(name=name, value=profile[name]) for name in sorted(profile)],
        made_at_s=clock.now_s(),
        ledger_head=head.hash,
        ledger_length=head.length,
    )
    put_file(out, seal_statement(enrolment, key), PUBLIC)
    return MadeRequest(out, enrolment_fingerprint(enrolment))


def load_transport_key(config: NodeConfig) -> str:
    """The relay's public key in its one spelling; SignatureError if this user cannot read it."""
    path = config.paths.relay / f"{TRANSPORT_NAME}.pub"
    try:
        return canonical_transport_key(path.read_text(encoding="utf-8"))
    except OSError as error:
        hint = f"let this user read it; it is public, and was made as {path} by `leadline-node init`"
        raise SignatureError("transport_key", f"the relay's public key cannot be read: {error}", hint) from error
    except ValueError as error:
        hint = "restore it from your backup, or make other keys with `leadline-node rekey --transport`"
        raise SignatureError("transport_key", f"{path} {error}", hint) from error


@contextmanager
def _private_files() -> Iterator[None]:
    """What is made inside is from its first byte readable by nobody else, whoever calls."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
