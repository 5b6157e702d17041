"""The coordinator's configuration: one frozen object from `coordinator.toml`; unknown keys are refused.

Paths are relative to the file. Budgets are decimal strings, never floats.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from coordinator.benchmarks.selection import CORE, selected
from protocols.catalogue import current_catalogue
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


class Sites(Section):
    """What an approval tells a hospital: for how many days it holds, and where and behind whose certificates we are.

    It is renewed over the pipe once two thirds of its days have passed. `root_certificates` is a PEM file with the
    authorities that may have signed the SuperLink's certificate; without it, those that the hospital's system trusts.
    """

    approval_days: int = Field(default=30, ge=1, le=3660)
    superlink: str = Field(default="", pattern=r"^([^\s:]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}|)$")
    root_certificates: Path | None = None


class Benchmarks(Section):
    """Which measures are asked for and published: ids of the catalogue, or "core" for all core ones."""

    measures: tuple[str, ...] = Field(default=(CORE,), min_length=1)

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        selected(current_catalogue()[0], self.measures)
        return self


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

    title: str = Field(default="Leadline benchmarks", min_length=1, max_length=200)
    paths: Paths = Paths()
    sites: Sites = Sites()
    rounds: Rounds = Rounds()
    budget: Budget = Budget()
    benchmarks: Benchmarks = Benchmarks()
    gate: GateRules = GateRules()
    web: Web = Web()
    pump: Pump | None = None


def load_config(path: Path) -> Config:
    """Read `coordinator.toml`; InputError with the key and the file if anything in it is wrong."""
    config = load_settings(path, Config, "make one with: init --dir DIR")
    folder = path.resolve().parent
    parts: dict[str, Section] = {"paths": anchored(config.paths, folder), "sites": anchored(config.sites, folder)}
    return config.model_copy(update=parts)
