"""The node's configuration: one frozen object from `node.toml`; unknown keys are refused.

Relative paths start at the folder of the file. Budgets are decimal strings, never floats.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from node.errors import NodeError
from privacy.accountant import DELTA, rho_for_epsilon

CONFIG_NAME = "node.toml"
ALL = "all"


def _decimal_string(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError('write it as a decimal in quotes, such as "3", so that it is exact')
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no decimal number") from error


Epsilon = Annotated[Decimal, BeforeValidator(_decimal_string), Field(gt=0, le=20)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Site(_Section):
    """Who this site is. `person_keys = false`: the exports hold no key per person, so noise protects encounters."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{1,40}$")
    person_keys: bool = True


class Paths(_Section):
    """Where things are kept."""

    exports: Path
    mapping: Path
    quality: Path = Path("quality")
    ledger: Path = Path("ledger.sqlite")
    socket: Path = Path("run/node.sock")
    signing_key: Path = Path("keys/site.key")
    person_key: Path = Path("keys/person.key")
    pso_key: Path = Path("keys/pso.pub")


class Policy(_Section):
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


class NodeConfig(_Section):
    """Everything that a node is told."""

    site: Site
    paths: Paths
    policy: Policy = Policy()

    @property
    def pause_file(self) -> Path:
        """The file whose presence means that the site has paused."""
        return self.paths.ledger.with_name("paused")


def load_config(path: Path) -> NodeConfig:
    """Read `node.toml`; NodeError with the key and the file if anything in it is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError) as error:
        raise NodeError("config_missing", f"there is no {path}", "make one with: leadline-node init") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise NodeError("config_not_toml", f"{path} is not TOML: {error}", "mend that line") from error
    try:
        config = NodeConfig.model_validate(raw)
    except ValidationError as error:
        raise _explain(error, path) from error
    return config.model_copy(update={"paths": _absolute(config.paths, path.resolve().parent)})


def _absolute(paths: Paths, folder: Path) -> Paths:
    return Paths(**{name: folder / value for name, value in dict(paths).items()})


def _explain(error: ValidationError, path: Path) -> NodeError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        return NodeError("config_unknown_key", f"{path} has an unknown key {key}", "remove it or mend its name")
    return NodeError("config_invalid", f"{key} in {path} is not valid: {first['msg']}", "mend that value")
