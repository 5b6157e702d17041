"""A new site: its folder, its keys (made here, never sent) and a configuration to read and change."""

from __future__ import annotations

import json
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from node.clock import SystemClock
from node.config import CONFIG_NAME
from node.ledger.store import Ledger
from protocols.keys import SECRET_BYTES, KeyFileError, create_private_key, load_public_key, public_pem
from protocols.operator.errors import InputError
from protocols.profile import SITE_ID
from protocols.statement import fingerprint

_TEMPLATE = """\
# The node of {site_id}. Every setting is described in docs/hospital-it.md; unknown settings are refused.

[site]
id = "{site_id}"
person_keys = true            # false: the exports hold no key per person; then the noise protects encounters

[paths]                       # relative to this file
exports = {exports}
mapping = {mapping}
quality = "quality"           # the data-quality report, which never leaves
ledger = "ledger.sqlite"
socket = "run/node.sock"
signing_key = "keys/site.key"
person_key = "keys/person.key"
pso_key = "keys/pso.pub"

[policy]                      # the ceiling; the coordinator cannot raise anything
clinician_epsilon = "3"       # per clinician and ledger year, at delta 1e-6
record_epsilon = "3"          # per shared record (event, activation) and ledger year
measures = ["all"]
strata = []                   # strata that may be asked for, for example "role_group"
modes = ["site"]
minimum_honest_sites = 2
"""


@dataclass(frozen=True)
class NewSite:
    """What `init` made; both fingerprints are compared with the PSO by telephone."""

    config: Path
    public_key: Path
    fingerprint: str
    pso_fingerprint: str


def init_site(folder: Path, site_id: str, pso_key: Path, exports: Path) -> NewSite:
    """Make the folder of a new site. Nothing that exists is overwritten."""
    if not re.match(SITE_ID, site_id):
        message = f"{site_id!r} is no site id"
        raise InputError("site_id", message, "use 2 to 41 small letters, digits and hyphens, such as st-mary")
    config = folder / CONFIG_NAME
    if config.exists():
        raise InputError("exists", f"{config} exists", "choose another folder, or keep this one as it is")
    try:
        pso = load_public_key(pso_key)
    except KeyFileError as error:
        raise InputError("pso_key", str(error), "ask the PSO for its public key file") from error
    keys = folder / "keys"
    keys.mkdir(parents=True, exist_ok=True, mode=0o700)
    if (keys / "site.key").exists():
        raise InputError("exists", f"{keys / 'site.key'} exists", "choose another folder, or move the old keys away")
    key = create_private_key(keys / "site.key")
    public = key.public_key()
    (keys / "site.pub").write_text(public_pem(public))
    (keys / "pso.pub").write_text(public_pem(pso))
    _write_secret(keys / "person.key")
    # A JSON string is a TOML string, whatever the path holds.
    places = {name: json.dumps(str(path)) for name, path in _places(exports.resolve()).items()}
    config.write_text(_TEMPLATE.format(site_id=site_id, **places), encoding="utf-8")
    Ledger(folder / "ledger.sqlite", key, site_id, SystemClock().now_s()).close()
    folder.chmod(0o750)
    return NewSite(config, keys / "site.pub", fingerprint(public), fingerprint(pso))


def _places(exports: Path) -> dict[str, Path]:
    return {"exports": exports, "mapping": exports / "mapping.toml"}


def _write_secret(path: Path) -> None:
    """256 random bits that turn local identifiers into keys; they never leave this file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SECRET_BYTES))
