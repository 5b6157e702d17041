"""Settings files: TOML into one frozen object; unknown keys are refused by name; money-like values are exact."""

from __future__ import annotations

import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from protocols.operator.errors import InputError


def _decimal_string(value: object) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str):
        raise ValueError('must be a decimal in quotes, such as "3" or "0.2"')
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no decimal number") from error


DecimalString = Annotated[Decimal, BeforeValidator(_decimal_string)]


class Section(BaseModel):
    """A table of a settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


S = TypeVar("S", bound=Section)


def load_settings(path: Path, model: type[S], how_to_make: str) -> S:
    """Read a settings file; InputError with the key and the file if anything in it is wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError("config_missing", f"there is no {path} that can be read", how_to_make) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError("config_not_toml", f"{path} is not TOML: {error}", "mend that line") from error
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise _explain(error, path) from error


def anchored(paths: S, folder: Path) -> S:
    """A section whose relative paths start at `folder`; what is no path stays as it is."""
    values = dict(paths).items()
    return type(paths)(**{name: folder / value if isinstance(value, Path) else value for name, value in values})


def _explain(error: ValidationError, path: Path) -> InputError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "the file"
    if first["type"] == "extra_forbidden":
        return InputError("config_unknown_key", f"{path} has an unknown key {key}", "remove it or mend its name")
    return InputError("config_invalid", f"{key} in {path} is not valid: {first['msg']}", "mend that value")
