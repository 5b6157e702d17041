"""Enrolled sites: their keys, and the public attributes by which peers are found."""

from __future__ import annotations

import re
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from coordinator.clock import Clock
from coordinator.store.audit import Actor, Event
from coordinator.store.database import Store
from coordinator.store.schema import Site, SiteState
from coordinator.store.writer import Writer
from protocols.keys import KeyFileError, canonical_transport_key, load_public_key, parse_public_pem, public_pem
from protocols.operator.errors import InputError, RuleError, SignatureError
from protocols.profile import SITE_ID, parse_profile
from protocols.statement import fingerprint, key_id


def _read_signing_key(path: Path) -> Ed25519PublicKey:
    try:
        return load_public_key(path)
    except KeyFileError as error:
        raise SignatureError(
            "signing_key", f"{path}: {error}", "pass a public signing key, such as site.pub"
        ) from error


def _read_transport_key(path: Path, signing: Ed25519PublicKey) -> str:
    hint = "pass the relay's public key; the site makes one with: ssh-keygen -t ecdsa -b 384"
    try:
        text = path.read_text(encoding="utf-8")
        if _is_same_key(text, signing):
            raise SignatureError("transport_key", f"{path} is the site's signing key, not its relay's key", hint)
        return canonical_transport_key(text)
    except OSError as error:
        raise SignatureError("transport_key", f"{path} cannot be read: {error.strerror}", hint) from error
    except UnicodeDecodeError as error:
        raise SignatureError("transport_key", f"{path} is no public key in PEM or OpenSSH form", hint) from error
    except ValueError as error:
        raise SignatureError("transport_key", f"{path} {error}", hint) from error


def _is_same_key(text: str, signing: Ed25519PublicKey) -> bool:
    openssh = signing.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    return text.strip() == public_pem(signing).strip() or text.split()[:2] == openssh.split()


def site_fingerprint(site: Site) -> str:
    """All 64 hexadecimal digits of the fingerprint of an enrolled site's signing key."""
    return fingerprint(parse_public_pem(site.public_key))


def show_fingerprint(path: Path) -> str:
    """All 64 hexadecimal digits of a public signing key file's fingerprint. SignatureError if it is none."""
    return fingerprint(_read_signing_key(path))


def add_site(store: Store, clock: Clock, site_id: str, keys: tuple[Path, Path], profile: Path) -> Site:
    """Enrol a site from its public key files (signing, transport) and its profile.

    RuleError if the id or a key is enrolled already; InputError or SignatureError if a file is wrong.
    """
    if re.fullmatch(SITE_ID, site_id) is None:
        raise InputError("site_id", f"{site_id!r} is no site id", "use 2 to 41 small letters, digits and hyphens")
    public = _read_signing_key(keys[0])
    site = Site(
        site_id=site_id,
        public_key=public_pem(public),
        key_id=key_id(public),
        transport_key=_read_transport_key(keys[1], public),
        attributes=parse_profile(profile),
        state=SiteState.ENABLED,
        ledger_head=b"",
        ledger_length=0,
        enrolled_at=clock.now(),
    )
    with store.writing() as writer:
        _refuse_duplicates(writer, site)
        writer.add_site(site, Event(Actor.OPERATOR, "site.add", site_id, {"key_id": site.key_id}))
    return site


def _refuse_duplicates(writer: Writer, site: Site) -> None:
    for other in writer.sites():
        if other.site_id == site.site_id:
            raise RuleError("site_exists", f"site {site.site_id} is enrolled already", "choose another id")
        for attribute, words in (("key_id", "signing key"), ("transport_key", "transport key")):
            if getattr(other, attribute) == getattr(site, attribute):
                raise RuleError(
                    "key_exists",
                    f"the {words} belongs to site {other.site_id} already",
                    "every site makes its own keys; ask the site for the right file",
                )


def set_site_state(store: Store, site_id: str, state: SiteState) -> Site:
    """Enable or disable a site. A disabled site is not asked and its answers are not taken; what it sent stays."""
    with store.writing() as writer:
        site = writer.site(site_id)
        if site is None:
            raise InputError("site_unknown", f"there is no site {site_id}", "see: sites list")
        if site.state is not state:
            writer.set_site_state(site, state, Event(Actor.OPERATOR, f"site.{state}", site_id))
    return site
