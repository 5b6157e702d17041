"""The coordinator's configuration: one frozen object from `coordinator.toml`; unknown keys are refused.

Paths are relative to the file. Budgets are decimal strings, never floats.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from protocols.operator.settings import DecimalString, Section, anchored, load_settings
from protocols.publication.gate import GateRules

CONFIG_NAME = "coordinator.toml"


class Paths(Section):
    """Where things are kept; relative paths start at the folder of the configuration file."""

    database: Path = Path("coordinator.db")
    private_key: Path = Path("keys/pso.key")
    public_key: Path = Path("keys/pso.pub")
    broker_socket: Path = Path("run/broker.sock")
    publications: Path = Path("publications")


class Rounds(Section):
    """How a round is carried out. Times in seconds.

    A request without an answer is sent again `resend_s` after it was sent, plus a wait that grows from 1 to 30 s.
    A refusal that asking again can mend is followed by a new request after `reask_s`, at most `max_reasks` times.
    """

    deadline_s: int = Field(default=14 * 24 * 3600, gt=0)
    minimum_sites: int = Field(default=5, ge=1)
    minimum_honest_sites: int = Field(default=5, ge=1)
    resend_s: float = Field(default=60.0, gt=0)
    reask_s: float = Field(default=600.0, gt=0)
    max_reasks: int = Field(default=1000, ge=0)
    tick_s: float = Field(default=1.0, gt=0)


class Budget(Section):
    """What a yearly pair of plans asks of one clinician and of one record: epsilon at delta 1e-6, as decimal strings.

    `trend_share` of it goes to the trend plan, the rest to the benchmark plan.
    """

    clinician_epsilon: DecimalString = Field(default=Decimal(3), gt=0, le=20)
    record_epsilon: DecimalString = Field(default=Decimal(3), gt=0, le=20)
    trend_share: DecimalString = Field(default=Decimal("0.2"), ge=0, lt=1)


class Web(Section):
    """Where pages and API listen. The host is a loopback address: a front with TLS stands before it."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)

    @model_validator(mode="after")
    def _loopback_only(self) -> Self:
        if self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("pages and API listen on loopback only; put a front with TLS before them")
        return self


class Pump(Section):
    """The command that submits the carrier to Flower, run again whenever no carrier is heard, and its environment."""

    command: tuple[str, ...] = Field(min_length=1)
    environment: dict[str, str] = Field(default_factory=dict)


class Config(Section):
    """Everything that an operator can set."""

    title: str = "Leadline benchmarks"
    paths: Paths = Paths()
    rounds: Rounds = Rounds()
    budget: Budget = Budget()
    gate: GateRules = GateRules()
    web: Web = Web()
    pump: Pump | None = None


def load_config(path: Path) -> Config:
    """Read `coordinator.toml`; InputError with the key and the file if anything in it is wrong."""
    config = load_settings(path, Config, "make one with: init --dir DIR")
    return config.model_copy(update={"paths": anchored(config.paths, path.resolve().parent)})
