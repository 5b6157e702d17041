"""The data quality report of an import. It counts rows exactly and is a local file: it never leaves the site."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from node.tables.rules import RULES

ROWS_SHOWN = 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Finding(_Frozen):
    """How many rows a rule concerned, about which column ("" for the row), and the first row numbers in the file."""

    rule: str
    column: str
    count: int
    rows: tuple[int, ...]


class Flag(_Frozen):
    """Something that the reader should know about a file ("" for all files of the table)."""

    rule: str
    table: str
    file: str
    column: str
    detail: str


class FileQuality(_Frozen):
    """One file read for one table. Every row is accounted for, which is checked when the object is made.

    read + added = accepted + repaired + quarantined + dropped; `added` are the rows that splitting multi-select cells
    made. `repairs` may concern a row several times, so they do not add up to `repaired`.
    """

    file: str
    table: str
    encoding: str
    delimiter: str
    header_row: int
    read: int
    added: int
    accepted: int
    repaired: int
    repairs: tuple[Finding, ...]
    quarantined: tuple[Finding, ...]
    dropped: tuple[Finding, ...]

    @property
    def rows_quarantined(self) -> int:
        """Rows that could not be used."""
        return sum(finding.count for finding in self.quarantined)

    @property
    def rows_dropped(self) -> int:
        """Rows that are no data of the table, or older versions."""
        return sum(finding.count for finding in self.dropped)

    @model_validator(mode="after")
    def _every_row_is_accounted_for(self) -> Self:
        out = self.accepted + self.repaired + self.rows_quarantined + self.rows_dropped
        if self.read + self.added != out:
            raise ValueError(f"{self.file}: {self.read} + {self.added} rows came in and {out} are accounted for")
        return self


class TableQuality(_Frozen):
    """A canonical table after import: its rows, and the percentage of rows that hold each optional column."""

    table: str
    rows: int
    completeness: dict[str, float]


InputKind = Literal["event_link", "person", "role", "time", "outcome"]


class InputQuality(_Frozen):
    """A column on which measures stand: the percentage of its table's rows in which it is really known.

    Unlike `completeness`, a link counts only if it leads somewhere (where the table it leads to has rows), and a code
    only if it was not made up by a rule.
    """

    input: InputKind
    table: str
    column: str
    rows: int
    percent: float


class QualityReport(_Frozen):
    """What happened to every row of every file, how complete the tables are, and what to look at."""

    files: tuple[FileQuality, ...]
    tables: tuple[TableQuality, ...]
    inputs: tuple[InputQuality, ...]
    flags: tuple[Flag, ...]

    def inputs_of(self, tables: Collection[str]) -> tuple[InputQuality, ...]:
        """The inputs in these tables: those behind a measure, to show beside it."""
        return tuple(found for found in self.inputs if found.table in tables)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read back what `to_json` wrote; raises ValueError for anything else."""
        return cls.model_validate_json(text)

    def to_json(self) -> str:
        """The whole report, indented."""
        return self.model_dump_json(indent=1)

    def to_text(self) -> str:
        """The report for people, in plain lines."""
        lines = ["Data quality (local; it does not leave this site)"]
        for file in self.files:
            lines += ["", *_file_lines(file)]
        lines += ["", "Completeness of optional columns"]
        lines += [_completeness_line(table) for table in self.tables if table.rows]
        if self.inputs:
            lines += ["", "What measures stand on", *map(_input_line, self.inputs)]
        if self.flags:
            lines += ["", "To look at", *map(_flag_line, self.flags)]
        return "\n".join(lines) + "\n"


_DELIMITER_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


def _file_lines(file: FileQuality) -> Iterable[str]:
    form = [file.encoding]
    if file.delimiter:
        form.append(f"{_DELIMITER_NAMES[file.delimiter]} separated")
    if file.header_row:
        form.append(f"header in row {file.header_row}")
    yield f"{file.file} -> {file.table} ({', '.join(form)})"
    split = f" and {file.added} made by splitting" if file.added > 0 else ""
    yield (
        f"  {file.read} rows read{split}: {file.accepted} accepted, {file.repaired} repaired, "
        f"{file.rows_quarantined} quarantined, {file.rows_dropped} dropped"
    )
    for effect, findings in (("quarantined", file.quarantined), ("repaired", file.repairs), ("dropped", file.dropped)):
        for finding in findings:
            yield f"  {effect} {finding.count}: {_cause(finding)} [rows {_rows(finding)}]"


def _cause(finding: Finding) -> str:
    column = f" ({finding.column})" if finding.column else ""
    return f"{finding.rule}{column}: {RULES[finding.rule].sentence}"


def _rows(finding: Finding) -> str:
    more = ", ..." if len(set(finding.rows)) < finding.count and len(finding.rows) == ROWS_SHOWN else ""
    return ", ".join(map(str, finding.rows)) + more


def _completeness_line(table: TableQuality) -> str:
    shares = ", ".join(f"{column} {share:.0f} %" for column, share in table.completeness.items())
    return f"  {table.table}: {table.rows} rows" + (f"; {shares}" if shares else "")


_INPUT_WORDS: dict[InputKind, str] = {
    "event_link": "linked",
    "person": "person known",
    "role": "role known",
    "time": "clock time known",
    "outcome": "outcome known",
}


def _input_line(found: InputQuality) -> str:
    return f"  {found.table}.{found.column}: {_INPUT_WORDS[found.input]} in {found.percent:.0f} % of {found.rows} rows"


def _flag_line(flag: Flag) -> str:
    place = ", ".join(part for part in (flag.table, flag.file, flag.column) if part)
    return f"  {place}: {RULES[flag.rule].sentence} ({flag.detail})"
