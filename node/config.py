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

CONFIG_NAME = "node.toml"
ALL = "all"
SITE_ID = r"^[a-z0-9][a-z0-9-]{1,40}$"


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


class NodeConfig(Section):
    """Everything that a node is told."""

    site: Site
    paths: Paths
    policy: Policy = Policy()

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
    return config.model_copy(update={"paths": anchored(config.paths, path.resolve().parent)})


def _known(path: Path, key: str, values: tuple[str, ...], known: set[str]) -> None:
    unknown = [value for value in values if value not in known]
    if unknown:
        message = f"{key} in {path} names {', '.join(unknown)}, which the catalogue does not have"
        raise InputError("config_invalid", message, f"known are: {', '.join(sorted(known))}")
