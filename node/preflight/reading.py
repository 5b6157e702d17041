"""One reading of the exports for the checks; it brings in everything that tables need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from node.config import NodeConfig
from node.exports import ExportReader
from node.measures.cases import check_vocabulary, needed_columns, tables_behind
from node.release.site import SiteData
from node.sources.refused import FileRefused
from node.tables.mapping import MappingError
from node.tables.quality import InputQuality, QualityReport
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Measure, OutcomeEntry, Tally
from protocols.keys import KeyFileError

LOW_PERCENT = 80.0
QUARANTINE_PART = 0.05


@dataclass(frozen=True)
class Reading:
    """The site as a release would see it, and its quality report; or why it could not be read."""

    site: SiteData | None = None
    report: QualityReport | None = None
    refusal: str = ""
    without_key: bool = False

    def unanswerable(self) -> dict[str, tuple[str, ...]]:
        """Measures that no export allows, with the tables that are missing."""
        if self.site is None:
            return {}
        catalogue, found = current_catalogue()[0], {}
        for measure in catalogue.measures:
            tallies = [catalogue.tally(tally) for tally in measure.tallies]
            if not all(self.site.can_answer(tally) for tally in tallies):
                needed = frozenset[str]().union(*map(tables_behind, tallies))
                found[measure.id] = tuple(sorted(needed - self.site.exported))
        return found

    def weak(self) -> dict[str, tuple[str, ...]]:
        """What is largely missing, in words, with the measures that stand on it; measures without exports aside."""
        unanswerable, found = self.unanswerable(), dict[str, tuple[str, ...]]()
        for measure in current_catalogue()[0].measures:
            if measure.tallies and measure.id not in unanswerable:
                for reason in self._weaknesses(measure):
                    found[reason] = (*found.get(reason, ()), measure.id)
        return found

    def _weaknesses(self, measure: Measure) -> list[str]:
        if self.report is None:
            return []
        tallies = [current_catalogue()[0].tally(tally) for tally in measure.tallies]
        tables = frozenset[str]().union(*map(tables_behind, tallies))
        found = [
            f"many rows of {file.file} are quarantined"
            for file in self.report.files
            if file.table in tables and file.rows_quarantined > QUARANTINE_PART * file.read
        ]
        found += [
            f"{known.table}.{known.column} is known in {known.percent:.0f} % of the rows"
            for known in self.report.inputs_of(tables)
            if known.percent < LOW_PERCENT and any(_stands_on(tally, known) for tally in tallies)
        ]
        return found


def _stands_on(tally: Tally, known: InputQuality) -> bool:
    """Clock times matter where hours are counted, outcomes and roles where they are; links and persons everywhere."""
    if known.input == "time":
        return isinstance(tally.entry, OutcomeEntry) and tally.entry.unit == "hours"
    return known.input in ("event_link", "person") or known.column in needed_columns(tally) - set(tally.strata)


def read_exports(config: NodeConfig, day: date) -> Reading:
    """Read everything once, as a release would; the quality report is written anew."""
    try:
        site, report = ExportReader(config.paths).import_now(day)
    except (FileRefused, MappingError) as error:
        return Reading(refusal=str(error).rstrip("."))
    except KeyFileError:
        return Reading(without_key=True)  # the check of the keys says what is wrong with it
    check_vocabulary(current_catalogue()[0], site.views)
    return Reading(site, report)
