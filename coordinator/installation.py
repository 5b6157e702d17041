"""Making a coordinator's folder: configuration, the PSO's key, and the database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.clock import Clock
from coordinator.config import CONFIG_NAME, Config, load_config
from coordinator.store.database import Store
from protocols.keys import KeyFileError, create_private_key, load_private_key, public_pem
from protocols.operator.errors import SignatureError
from protocols.statement import fingerprint

SAMPLE = """\
# Configuration of a Leadline coordinator. Every key is optional and shown with its default; paths are relative to
# this file.
title = "Leadline benchmarks"

[paths]
database = "coordinator.db"
private_key = "keys/pso.key"
public_key = "keys/pso.pub"
broker_socket = "run/broker.sock"
publications = "publications"

[sites]                      # what an approval tells a hospital
approval_days = 30           # renewed over the pipe once two thirds have passed
superlink = ""               # host:port by which hospitals reach the SuperLink, such as "pso.example.org:443"
# root_certificates = "ca.crt"   # who may have signed its certificate; without it, those that their systems trust

[rounds]
deadline_s = 1209600         # after the opening, or after the year's end if that is later
minimum_sites = 5            # fewer complete sites at the deadline, and the round fails
minimum_honest_sites = 5     # promised in every plan
resend_s = 60.0              # a request without an answer is sent again after this, and a growing wait
reask_s = 600.0              # a refusal that asking again can mend is followed by a new request after this
max_reasks = 1000
tick_s = 1.0

[budget]                     # of one clinician, and of one record, per site and year: epsilon at delta 1e-6
clinician_epsilon = "3"
record_epsilon = "3"
trend_share = "0.2"          # of it for trends by month and quarter; the rest for the yearly benchmark

[benchmarks]
measures = ["core"]          # what is asked for and published: ids of measures, and "core" for all core ones

[gate]                       # what a published figure needs
min_sites = 5
max_share = 0.25
min_difference = 3
percentile_sites = 8
tail_sites = 20
embargo_days = 90

[web]
host = "127.0.0.1"
port = 8000

# [pump]                     # the command that submits the carrier to Flower; started again when none is heard
# command = [
#     "/opt/relay/bin/flwr", "run", "/opt/leadline-checkout/protocols/flower_app", "pso",
#     "--run-config", 'broker="unix:/srv/pso/run/broker.sock"',
# ]
# environment = { FLWR_HOME = "/srv/pso/flower", FLWR_TELEMETRY_ENABLED = "0", FLWR_DISABLE_UPDATE_CHECK = "1" }
"""


@dataclass(frozen=True)
class Installation:
    """Where a coordinator's configuration is, and the fingerprint of its key."""

    config: Path
    public_key: Path
    fingerprint: str


def install(folder: Path, clock: Clock) -> Installation:
    """Make what is missing of configuration, key and database, and bring an older database up to date.

    What exists is kept, so that it is safe to run again.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / CONFIG_NAME
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(SAMPLE, encoding="utf-8")
    config = load_config(path)
    for target in (config.paths.private_key, config.paths.database):
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not config.paths.private_key.exists():
        create_private_key(config.paths.private_key)
    key = pso_key(config)
    config.paths.public_key.write_text(public_pem(key.public_key()), encoding="utf-8")
    store = Store(config.paths.database, clock)
    store.migrate()
    store.close()
    return Installation(path, config.paths.public_key, fingerprint(key.public_key()))


def pso_key(config: Config) -> Ed25519PrivateKey:
    """The key that signs plans, requests and publications. SignatureError if its file is not in order."""
    try:
        return load_private_key(config.paths.private_key)
    except KeyFileError as error:
        raise SignatureError("pso_key", str(error), "restore the key file from its backup") from error
