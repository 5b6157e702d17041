"""The mapping of a site's exports to canonical tables: `mapping.toml`, read strictly.

One [[source]] per export: the canonical table, a glob for its files or a view of a database, and for every canonical
column where its value comes from: a source column (with local codes where needed), a constant, or checkbox columns.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails

from node.sources.table import Wanted
from node.tables.dates import Order
from node.tables.personal import KEEPS_TEXT, personal_header
from node.tables.schema import TABLES, Column, Table

_VIEW = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(?:\.[A-Za-z_][A-Za-z0-9_$]*)?")
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


class Database(_Frozen):
    """One view or table of a database. Its address holds a password, so it stands in a file or in the environment.

    `url_file` is relative to the mapping's folder; `view` is a name, or a schema and a name. No SQL can be said here.
    """

    url_file: Path | None = None
    url_env: str | None = Field(default=None, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    view: str = Field(max_length=128)

    @field_validator("url_file")
    @classmethod
    def _beside_the_mapping(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        folder: Path = (info.context or {}).get("folder", Path())
        return path if path is None else folder / path

    @field_validator("view")
    @classmethod
    def _only_a_name(cls, view: str) -> str:
        if not _VIEW.fullmatch(view):
            raise ValueError(f"'{view}' is no name of a view, such as leadline_safety_event or quality.safety_event")
        return view

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.url_file is None) == (self.url_env is None):
            raise ValueError("give exactly one of `url_file` and `url_env`")
        return self


class Source(_Frozen):
    """One export: which table it fills, from which files or database, and how. Exactly one of `file`, `database`.

    `sheet` names the sheet of a workbook, by default the first visible one.
    `date_order` and `decimal` ("," or ".", the mark before decimals in all its numbers) are otherwise found from the
    data of each file; constants in the mapping always have a decimal point.
    """

    table: str
    file: str | None = None
    sheet: str | None = None
    database: Database | None = None
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
    def _inside_the_folder(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
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
    def _one_place(self) -> Self:
        if (self.file is None) == (self.database is None):
            raise ValueError("give exactly one of `file` and `database`")
        if self.sheet is not None and self.file is None:
            raise ValueError("a `sheet` goes with a `file`")
        return self

    @model_validator(mode="after")
    def _nothing_personal(self) -> Self:
        keeps = {column.name: column.kind in KEEPS_TEXT for column in self.target.columns}
        named = [(c, keeps.get(name, True)) for name, origin in self.columns.items() for c in origin.source_columns]
        named += [(column, True) for column in self.where]
        for header, keeps_text in named:
            what = personal_header(header, keeps_text)
            if what is not None:
                raise ValueError(
                    f"column '{header}' is named like {what}, which is never read; map another column, or rename it in "
                    "the export if it holds something else"
                )
        return self

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

    @property
    def has_database(self) -> bool:
        """Whether any source is a database, of which no file's date tells that it has changed."""
        return any(source.database is not None for source in self.sources)


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file; raises MappingError with the first thing that is wrong and where."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MappingError(f"{path}: it cannot be read ({error.strerror}); put it beside the exports") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise MappingError(f"{path.name}: this is not valid TOML ({error}); correct that line") from error
    try:
        return Mapping.model_validate(data, context={"folder": path.parent})
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
    file = _name(source) if isinstance(source, dict) else "no table"
    rest = ".".join(str(part) for part in location[2:])
    return f"source {location[1] + 1} ({file}){', ' + rest if rest else ''}: "


def _name(source: dict[str, Any]) -> str:
    database = source.get("database")
    view = database.get("view") if isinstance(database, dict) else None
    return str(source.get("file") or view or "no file")


def _known_keys(location: tuple[int | str, ...]) -> tuple[str, ...]:
    inner = Database if "database" in location else Explode
    models: dict[int, type[_Frozen]] = {1: Mapping, 3: Source, 4: inner, 5: Origin}
    fields = models.get(len(location), Source).model_fields
    return tuple(field.alias or name for name, field in fields.items())


def _nearest(name: str, known: Iterable[str]) -> str:
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean '{match[0]}'?)" if match else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
