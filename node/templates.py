"""The files that `init` writes for people to read and change: node.toml and profile.toml."""

from __future__ import annotations

import json
from pathlib import Path

from protocols.profile import PEER_ATTRIBUTES

_NODE = """\
# The node of {site_id}. Every setting is described in docs/hospital-it.md; unknown settings are refused.
# A line that begins with # is a comment: take the # away to use the setting. Restart the daemon after a change.

[site]
id = "{site_id}"
person_keys = true            # false: the exports hold no key per person; then the noise protects encounters

[paths]                       # relative to this file
exports = {exports}
mapping = {mapping}
quality = "quality"           # the data-quality report, which never leaves
ledger = "ledger.sqlite"      # every charge and release; back it up after every round
socket = "run/node.sock"      # the relay's way in; at most 107 bytes with its folders
signing_key = "keys/site.key"
person_key = "keys/person.key"
pso_key = "keys/pso.pub"      # written by `leadline-node import-approval`
approval = "keys/approval"    # renewed by the PSO through the relay
profile = "profile.toml"      # the public attributes by which the PSO finds your peers
journal = "journal.sqlite"    # what was asked and what was answered, newest first
publications = "publications" # the PSO's publications, for your own pages
relay = "relay"               # the relay's key, certificates and settings; may belong to the relay's user

[network]                     # how the relay gets out
proxy = ""                    # for example "http://proxy.hospital.example:3128"
# extra_ca = "proxy-ca.pem"   # further certificate authorities (PEM), such as that of a proxy that opens TLS

[policy]                      # the ceiling; the coordinator cannot raise anything
clinician_epsilon = "3"       # per clinician and ledger year, at delta 1e-6
record_epsilon = "3"          # per shared record (event, activation) and ledger year
measures = ["all"]
strata = []                   # strata that may be asked for, for example "role_group"
modes = ["site"]
minimum_honest_sites = 2

[monitor]                     # health and metrics for your own monitoring, on loopback
port = 9464                   # 0: switched off

[console]                     # the pages for people, on loopback
port = 8765
# password_file = "keys/console.password" # without it only one-time tokens open the console
country = "US"                # two letters (ISO 3166): whose helplines the support pages show

[words]                       # what your own pages say
second_victim = "clinician in distress"
clinicians = "clinicians"
peer_support = "peer support"
"""

_PROFILE = """\
# Public attributes of {site_id}, by which the PSO finds its peers. Fill in one of the allowed values in each line.
# `leadline-node request` reads this file and sends what it says to the PSO. Nothing else may stand here.
"""

_MEANINGS = {
    "type": "what kind of organisation it is",
    "bed_band": 'licensed beds; "none" for an ems_agency, and for nobody else',
    "teaching": "teaching status",
    "ownership": "who owns it",
    "setting": "where it is",
    "programme_model": "how peer support is organised",
    "programme_age": "for how long peer support has been offered",
}


def node_toml(site_id: str, exports: Path) -> str:
    """The configuration of a new site whose exports and mapping are in the folder `exports`."""
    # A JSON string is a TOML string, whatever the path holds.
    places = {
        "exports": json.dumps(str(exports), ensure_ascii=False),
        "mapping": json.dumps(str(exports / "mapping.toml"), ensure_ascii=False),
    }
    return _NODE.format(site_id=site_id, **places)


def profile_toml(site_id: str) -> str:
    """A profile with every attribute still to be filled in."""
    blocks = [
        f'\n# {_MEANINGS[name]}\n# allowed: {", ".join(allowed)}\n{name} = ""\n'
        for name, allowed in PEER_ATTRIBUTES.items()
    ]
    return _PROFILE.format(site_id=site_id) + "".join(blocks)
