"""The coordinator's configuration: one frozen object from `coordinator.toml`; unknown keys are refused.

Paths are relative to the file. Budgets are decimal strings, never floats.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from coordinator.benchmarks.gate import GateRules
from coordinator.errors import InputError

CONFIG_NAME = "coordinator.toml"


def _decimal_string(value: object) -> Decimal:
    if not isinstance(value, str):
        raise ValueError('must be a decimal in quotes, such as "3" or "0.2"')
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no decimal number") from error


DecimalString = Annotated[Decimal, BeforeValidator(_decimal_string)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paths(_Section):
    """Where things are kept; relative paths start at the folder of the configuration file."""

    database: Path = Path("coordinator.db")
    private_key: Path = Path("keys/pso.key")
    public_key: Path = Path("keys/pso.pub")
    broker_socket: Path = Path("run/broker.sock")
    publications: Path = Path("publications")


class Rounds(_Section):
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


class Budget(_Section):
    """What a yearly pair of plans asks of one clinician and of one record: epsilon at delta 1e-6, as decimal strings.

    `trend_share` of it goes to the trend plan, the rest to the benchmark plan.
    """

    clinician_epsilon: DecimalString = Field(default=Decimal(3), gt=0, le=20)
    record_epsilon: DecimalString = Field(default=Decimal(3), gt=0, le=20)
    trend_share: DecimalString = Field(default=Decimal("0.2"), ge=0, lt=1)


class Web(_Section):
    """Where pages and API listen. The host is a loopback address: a front with TLS stands before it."""

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)

    @model_validator(mode="after")
    def _loopback_only(self) -> Self:
        if self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("pages and API listen on loopback only; put a front with TLS before them")
        return self


class Pump(_Section):
    """The command that submits the carrier to Flower, run again whenever no carrier is heard, and its environment."""

    command: tuple[str, ...] = Field(min_length=1)
    environment: dict[str, str] = Field(default_factory=dict)


class Config(_Section):
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
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError("config_missing", f"there is no {path}", "make one with: init --dir DIR") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("config_not_toml", f"{path} is not TOML: {error}", "mend that line") from error
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise _explain(error, path) from error
    return config.model_copy(update={"paths": _absolute(config.paths, path.resolve().parent)})


def _absolute(paths: Paths, folder: Path) -> Paths:
    return Paths(**{name: folder / value for name, value in dict(paths).items()})


def _explain(error: ValidationError, path: Path) -> InputError:
    first: Any = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        return InputError("config_unknown_key", f"{path} has an unknown key {key}", "remove it or mend its name")
    return InputError("config_invalid", f"{key} in {path} is not valid: {first['msg']}", "mend that value")
