"""The node's configuration: one frozen object from `node.toml`; unknown keys are refused.

Relative paths start at the folder of the file. Budgets are decimal strings, never floats.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from privacy.accountant import DELTA, rho_for_epsilon
from protocols.catalogue import current_catalogue
from protocols.operator.errors import InputError
from protocols.operator.settings import DecimalString, Section, anchored, load_settings
from protocols.profile import SITE_ID

CONFIG_NAME = "node.toml"
ALL = "all"


Epsilon = Annotated[DecimalString, Field(gt=0, le=20)]


class Site(Section):
    """Who this site is. `person_keys = false`: the exports hold no key per person, so noise protects encounters."""

    id: str = Field(pattern=SITE_ID)
    person_keys: StrictBool = True


class Paths(Section):
    """Where things are kept."""

    exports: Path
    mapping: Path
    quality: Path = Path("quality")
    ledger: Path = Path("ledger.sqlite")
    socket: Path = Path("run/node.sock")
    signing_key: Path = Path("keys/site.key")
    person_key: Path = Path("keys/person.key")
    pso_key: Path = Path("keys/pso.pub")
    approval: Path = Path("keys/approval")
    profile: Path = Path("profile.toml")
    journal: Path = Path("journal.sqlite")
    publications: Path = Path("publications")
    relay: Path = Path("relay")


class Network(Section):
    """How the relay gets out: through a proxy, and behind which further certificate authorities."""

    proxy: str = Field(default="", pattern=r"^(https?://[^\s/]+/?)?$")
    extra_ca: Path | None = None


class Policy(Section):
    """The ceiling, which the coordinator can never raise: budget per ledger year, measures, strata, modes."""

    clinician_epsilon: Epsilon = Decimal(3)
    record_epsilon: Epsilon = Decimal(3)
    measures: tuple[str, ...] = (ALL,)
    strata: tuple[str, ...] = ()
    modes: tuple[Literal["site"], ...] = ("site",)
    minimum_honest_sites: int = Field(default=2, ge=2)

    def budget_nano(self) -> dict[str, int]:
        """Nano-rho per ledger year and scope, at delta 1e-6."""
        return {
            "clinician": rho_for_epsilon(self.clinician_epsilon, DELTA),
            "record": rho_for_epsilon(self.record_epsilon, DELTA),
        }


class Monitor(Section):
    """Where health and metrics are read, on loopback; port 0 switches it off."""

    port: int = Field(default=9464, ge=0, le=65535)


class Console(Section):
    """The pages for people, on loopback. `country` (ISO 3166, two letters) chooses the helplines."""

    port: int = Field(default=8765, ge=1, le=65535)
    password_file: Path | None = None
    country: str = Field(default="US", pattern=r"^[A-Z]{2}$")


class Words(Section):
    """What the site calls things on its own pages; each as it stands within a sentence."""

    second_victim: str = Field(default="clinician in distress", min_length=1, max_length=60)
    clinicians: str = Field(default="clinicians", min_length=1, max_length=60)
    peer_support: str = Field(default="peer support", min_length=1, max_length=60)


class NodeConfig(Section):
    """Everything that a node is told."""

    site: Site
    paths: Paths
    network: Network = Network()
    policy: Policy = Policy()
    monitor: Monitor = Monitor()
    console: Console = Console()
    words: Words = Words()

    @property
    def pause_file(self) -> Path:
        """The file whose presence means that the site has paused."""
        return self.paths.ledger.with_name("paused")


def load_config(path: Path) -> NodeConfig:
    """Read `node.toml`; InputError with the key and the file if anything in it is wrong."""
    config = load_settings(path, NodeConfig, "make one with: leadline-node init")
    catalogue, _ = current_catalogue()
    _known(path, "policy.measures", config.policy.measures, {ALL, *(m.id for m in catalogue.measures)})
    _known(path, "policy.strata", config.policy.strata, {name for tally in catalogue.tallies for name in tally.strata})
    folder = path.resolve().parent
    parts: dict[str, Section] = {
        "paths": anchored(config.paths, folder),
        "network": anchored(config.network, folder),
        "console": anchored(config.console, folder),
    }
    return config.model_copy(update=parts)


def _known(path: Path, key: str, values: tuple[str, ...], known: set[str]) -> None:
    unknown = [value for value in values if value not in known]
    if unknown:
        message = f"{key} in {path} names {', '.join(unknown)}, which the catalogue does not have"
        raise InputError("config_invalid", message, f"known are: {', '.join(sorted(known))}")
