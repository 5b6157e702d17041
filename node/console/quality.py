"""The quality of the exports: what became of every row, how complete the tables are, and importing again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from node.clock import Clock, today
from node.config import Paths
from node.console.context import Context
from node.console.grounds import grounds, not_answered
from node.exports import ExportReader
from node.sources.refused import FileRefused
from node.tables.mapping import Mapping, MappingError, load_mapping
from node.tables.quality import FileQuality, Finding, QualityReport
from node.tables.rules import RULES
from protocols.catalogue import current_catalogue
from protocols.keys import KeyFileError

REPORT = "report.json"
_EXAMPLES = 8


@dataclass(frozen=True)
class Deed:
    """What one rule did in one file. `rows` are the first row numbers, as a spreadsheet counts them."""

    effect: str
    sentence: str
    column: str
    count: int
    rows: str


@dataclass(frozen=True)
class FileView:
    """One file read for one table, and every deed: what was set aside first, then repaired, then passed over."""

    quality: FileQuality
    deeds: tuple[Deed, ...]

    @property
    def summary(self) -> str:
        """`11 rows set aside, 190 passed over`: rows, each counted once."""
        rows = {
            "set aside": self.quality.rows_quarantined,
            "repaired": self.quality.repaired,
            "passed over": self.quality.rows_dropped,
        }
        return ", ".join(f"{count:,} {effect}" for effect, count in rows.items() if count)


@dataclass(frozen=True)
class Totals:
    """Rows over all files; what came in equals the sum of the other four."""

    came_in: int
    accepted: int
    repaired: int
    quarantined: int
    dropped: int


def router(context: Context) -> APIRouter:
    """`/quality` and `/quality/import`."""
    pages = APIRouter()

    def page(request: Request, status_code: int = 200, problem: str = "") -> Response:
        report = read_report(context.config.paths)
        files = tuple(FileView(file, tuple(_deeds(file))) for file in report.files) if report else ()
        values: dict[str, Any] = {"report": report, "files": files, "totals": totals(report.files) if report else None}
        if report:
            mapping, _ = read_mapping(context.config.paths.mapping)
            exported = {source.table for source in mapping.sources} if mapping else set()
            catalogue = current_catalogue()[0]
            values |= {"grounds": grounds(report, catalogue), "not_answered": not_answered(exported, catalogue)}
        values |= {"problem": problem, "imported_s": imported_at_s(context.config.paths), "rules": RULES}
        return context.render(request, "quality.html", "quality", status_code, **values)

    @pages.get("/quality")
    def quality(request: Request) -> Response:
        return page(request)

    @pages.post("/quality/import")
    def import_again(request: Request) -> Response:
        problem = import_problem(context.config.paths, context.clock)
        return page(request, 409, problem) if problem else RedirectResponse("/quality", 303)

    return pages


def read_report(paths: Paths) -> QualityReport | None:
    """The report of the last import; None if there is none, or one of another version of the program."""
    try:
        return QualityReport.from_json((paths.quality / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def read_mapping(path: Path) -> tuple[Mapping | None, str]:
    """The mapping as it is, or what is wrong with it; (None, "") where there is none."""
    if not path.is_file():
        return None, ""
    try:
        return load_mapping(path), ""
    except MappingError as error:
        return None, str(error)


def imported_at_s(paths: Paths) -> int | None:
    """When the report was written, in Unix time."""
    report = paths.quality / REPORT
    return int(report.stat().st_mtime) if report.is_file() else None


def import_problem(paths: Paths, clock: Clock) -> str:
    """Import the exports afresh; what stood in the way, in words for this site alone, or "" when the report is new."""
    try:
        ExportReader(paths).import_now(today(clock))
    except (FileRefused, MappingError, KeyFileError) as error:
        return str(error)
    except OSError as error:
        return f"{Path(str(error.filename)).name} cannot be used: {error.strerror}"
    return ""


def totals(files: Sequence[FileQuality]) -> Totals:
    """The sums over files. A file that fills two tables is counted for each."""
    return Totals(
        sum(file.read + file.added for file in files),
        sum(file.accepted for file in files),
        sum(file.repaired for file in files),
        sum(file.rows_quarantined for file in files),
        sum(file.rows_dropped for file in files),
    )


def _deeds(file: FileQuality) -> Iterable[Deed]:
    effects = (("set aside", file.quarantined), ("repaired", file.repairs), ("passed over", file.dropped))
    for effect, findings in effects:
        for finding in findings:
            yield Deed(effect, RULES[finding.rule].sentence, finding.column, finding.count, _rows(finding))


def _rows(finding: Finding) -> str:
    shown = finding.rows[:_EXAMPLES]
    return ", ".join(map(str, shown)) + (" and others" if len(finding.rows) > len(shown) else "")
