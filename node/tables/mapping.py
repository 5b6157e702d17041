"""The mapping of a site's exports to canonical tables: `mapping.toml`, read strictly.

One [[source]] per export: the canonical table, a glob for its files, and for every canonical column where its value
comes from: a source column (with local codes where needed), a constant, or a set of checkbox columns.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from node.sources.table import Wanted
from node.tables.dates import Order
from node.tables.schema import TABLES, Column, Table

FLAG_CODES = ("yes", "no")
_SPELLINGS = {("rca_action", "action_type"): "strength"}


class MappingError(ValueError):
    """A mapping file that cannot be used; the text names the file, the place and what to do, in one line."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Origin(_Frozen):
    """Where the values of one canonical column come from; exactly one of `column`, `columns`, `constant`, `checkbox`.

    `columns` makes a key of several columns (a record id and a repeat instance); `time` names the column with the
    clock time of a datetime; `codes` maps local words to canonical codes; `checkbox` maps 0/1 columns to codes, of
    which the first ticked one counts.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    constant: str | None = None
    checkbox: dict[str, str] = {}
    time: str | None = None
    codes: dict[str, str] = {}

    @property
    def source_columns(self) -> tuple[str, ...]:
        """All columns of the export that this needs."""
        single = tuple(name for name in (self.column, self.time) if name is not None)
        return (*single, *self.columns, *self.checkbox)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        given = [self.column is not None, bool(self.columns), self.constant is not None, bool(self.checkbox)]
        if sum(given) != 1:
            raise ValueError("give exactly one of `column`, `columns`, `constant` and `checkbox`")
        return self


class Explode(_Frozen):
    """Parallel multi-select columns: every part becomes a row. The first column decides how many there are."""

    columns: tuple[str, ...] = Field(min_length=1)
    separator: str = Field(default=";", min_length=1)


class Source(_Frozen):
    """One export: which table it fills, from which files, and how.

    `date_order` and `decimal` ("," or ".", the mark before decimals in all its numbers) are otherwise found from the
    data of each file; constants in the mapping always have a decimal point.
    """

    table: str
    file: str
    where: dict[str, tuple[str, ...]] = {}
    explode: Explode | None = None
    date_order: Order | None = None
    decimal: Literal[",", "."] | None = None
    columns: dict[str, Origin]

    @property
    def target(self) -> Table:
        """The canonical table."""
        return TABLES[self.table]

    @property
    def wanted(self) -> Wanted:
        """The export's columns: needed for filters, splitting and required values, and the optional ones."""
        required = {column.name for column in self.target.columns if column.required}
        needed = [*self.where, *(self.explode.columns if self.explode else ())]
        needed += [c for name, origin in self.columns.items() if name in required for c in origin.source_columns]
        optional = [c for origin in self.columns.values() for c in origin.source_columns]
        return Wanted(tuple(dict.fromkeys(needed)), tuple(dict.fromkeys(c for c in optional if c not in needed)))

    @field_validator("table")
    @classmethod
    def _known_table(cls, name: str) -> str:
        if name not in TABLES:
            raise ValueError(f"there is no table '{name}'{_nearest(name, TABLES)}")
        return name

    @field_validator("file")
    @classmethod
    def _inside_the_folder(cls, pattern: str) -> str:
        path = PurePosixPath(pattern)
        if path.is_absolute() or ".." in path.parts or not pattern.strip():
            raise ValueError(f"'{pattern}' must be a file name or glob inside the exports folder")
        return pattern

    @field_validator("columns", mode="before")
    @classmethod
    def _short_forms(cls, columns: object, info: Any) -> object:
        """A bare text is a source column; `action_type` is another spelling of an action's strength."""
        if not isinstance(columns, dict):
            return columns
        table = info.data.get("table")
        full = {}
        for name, origin in columns.items():
            canonical = _SPELLINGS.get((table, name), name)
            if canonical in full or (canonical != name and canonical in columns):
                raise ValueError(f"give only one of '{name}' and '{canonical}'")
            full[canonical] = {"column": origin} if isinstance(origin, str) else origin
        return full

    @model_validator(mode="after")
    def _fits_the_schema(self) -> Self:
        columns = {column.name: column for column in self.target.columns}
        for name, origin in self.columns.items():
            if name not in columns:
                raise ValueError(f"table {self.table} has no column '{name}'{_nearest(name, columns)}")
            _check_origin(columns[name], origin)
        absent = [c.name for c in self.target.columns if c.required and c.name not in self.columns]
        if absent:
            raise ValueError(f"table {self.table} requires {_listed(absent)}; map each to a column, or give a constant")
        return self


class Mapping(_Frozen):
    """All sources of a site."""

    version: Literal[1]
    sources: tuple[Source, ...] = Field(alias="source", min_length=1)


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file; raises MappingError with the first thing that is wrong and where."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MappingError(f"{path}: it cannot be read ({error.strerror}); put it beside the exports") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path.name}: this is not valid TOML ({error}); correct that line") from error
    try:
        return Mapping.model_validate(data)
    except ValidationError as error:
        raise MappingError(f"{path.name}: {_explain(_first(error.errors()), data)}") from error


def _check_origin(column: Column, origin: Origin) -> None:
    if origin.columns and column.kind != "key":
        raise ValueError(f"column '{column.name}' is no key; only a key is made of several `columns`")
    if origin.time is not None and (column.kind != "datetime" or origin.column is None):
        raise ValueError(f"column '{column.name}' takes no `time`; that goes with the `column` of a date and time")
    allowed = {"code": column.codes, "flag": FLAG_CODES}.get(column.kind)
    codes = (*origin.codes.values(), *origin.checkbox.values())
    if allowed is None:
        if codes:
            raise ValueError(f"column '{column.name}' is a {column.kind}; codes go with codes and flags")
        return
    for code in (*codes, *([origin.constant] if origin.constant is not None else [])):
        if code not in allowed:
            raise ValueError(
                f"column '{column.name}' has no code '{code}'{_nearest(code, allowed)}; it has {_listed(allowed)}"
            )


def _first(errors: list[ErrorDetails]) -> ErrorDetails:
    """The error to tell: an unknown key before all others, since a misspelt key is missing as well."""
    return min(errors, key=lambda error: error["type"] != "extra_forbidden")


def _explain(error: ErrorDetails, data: dict[str, Any]) -> str:
    place = _place(error["loc"], data)
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])
        known = _known_keys(error["loc"])
        message = f"unknown key '{key}'{_nearest(key, known)}; known are {_listed(known)}"
    elif error["type"] == "missing":
        message = f"'{error['loc'][-1]}' is missing"
    return f"{place}{message}"


def _place(location: tuple[int | str, ...], data: dict[str, Any]) -> str:
    """The place of an error for people, as in "source 2 (rca.csv), columns.harm: "."""
    if len(location) < 2 or location[0] != "source" or not isinstance(location[1], int):
        return f"{location[0]}: " if location else ""
    source = data["source"][location[1]]
    file = source.get("file", "no file") if isinstance(source, dict) else "no table"
    rest = ".".join(str(part) for part in location[2:])
    return f"source {location[1] + 1} ({file}){', ' + rest if rest else ''}: "


def _known_keys(location: tuple[int | str, ...]) -> tuple[str, ...]:
    models: dict[int, type[_Frozen]] = {1: Mapping, 3: Source, 4: Explode, 5: Origin}
    fields = models.get(len(location), Source).model_fields
    return tuple(field.alias or name for name, field in fields.items())


def _nearest(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean '{match[0]}'?)" if match else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
