"""Other keys for a site that goes on: made beside the old ones, vouched for by the ledger, and then put in their place.

A crash at any point leaves keys that work: the new signing key takes its place last, and `rekey` run again finishes
what it finds begun. Old keys are kept as *.retired-N; the public key that opened the ledger is what verifies it.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.clock import Clock
from node.config import NodeConfig
from node.enrolment import TRANSPORT_NAME
from node.files import PUBLIC, put_file, sync_folder
from node.identity import load_signing_key, open_ledger
from node.ledger.acts import LedgerError
from node.standing import check_left
from protocols.keys import create_private_key, create_transport_key, load_private_key, public_pem


def change_signing_key(config: NodeConfig, clock: Clock) -> None:
    """Hand the ledger over to a new signing key and put it in the place of the old one. No daemon may be running."""
    place = config.paths.signing_key
    fresh = place.with_name(f"{place.name}.new")
    key = load_private_key(fresh) if fresh.exists() else create_private_key(fresh)
    _hand_over(config, key, clock)
    public, pem = place.with_suffix(".pub"), public_pem(key.public_key()).encode()
    _retire(place)
    if public.exists() and public.read_bytes() != pem:
        _retire(public)
    put_file(public, pem, PUBLIC)
    fresh.replace(place)
    sync_folder(place.parent)


def change_transport_key(config: NodeConfig) -> None:
    """Make a new key for the relay. Nothing vouches for it but the enrolment that follows."""
    place = config.paths.relay / TRANSPORT_NAME
    fresh = place.with_name(f"{place.name}.new")
    for left_over in (fresh, fresh.with_name(f"{fresh.name}.pub")):
        left_over.unlink(missing_ok=True)
    public = create_transport_key(fresh)
    public.chmod(PUBLIC)
    for old, new in ((place.with_name(f"{place.name}.pub"), public), (place, fresh)):
        _retire(old)
        new.replace(old)
    sync_folder(place.parent)


def _hand_over(config: NodeConfig, key: Ed25519PrivateKey, clock: Clock) -> None:
    try:
        ledger = open_ledger(config, load_signing_key(config), clock)
    except LedgerError:
        # Begun before and cut short: then the ledger opens with the new key; if not, this raises what is wrong.
        open_ledger(config, key, clock).close()
        return
    check_left(ledger)
    with ledger.locked():
        ledger.rekey(key, clock.now_s())
    ledger.close()


def _retire(path: Path) -> None:
    """Keep a file under the next free name beside its own, which it keeps as well until it is replaced."""
    if not path.exists():
        return
    retired = sorted(path.parent.glob(f"{path.name}.retired-*"))
    if not any(path.samefile(old) for old in retired):
        os.link(path, path.with_name(f"{path.name}.retired-{len(retired) + 1}"))
