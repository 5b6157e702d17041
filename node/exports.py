"""Reading the site's exports for a release: import, write the quality report, keep the result while nothing changes."""

from __future__ import annotations

import math
import time
from datetime import date

from node.config import Paths
from node.files import put_file
from node.personkey import load_person_key
from node.release.site import DataNotReady, SiteData
from node.sources.refused import FileRefused
from node.tables.importer import import_exports
from node.tables.keys import KeyHasher
from node.tables.mapping import MappingError, load_mapping
from node.tables.quality import QualityReport
from protocols.keys import KeyFileError

_State = tuple[date, tuple[tuple[str, int, int], ...]]


FRESH_S = 60.0  # a database does not say that it changed, so a reading of one serves the plans of one batch


class ExportReader:
    """Imports the exports afresh whenever a file, the mapping or the day has changed, and a database after FRESH_S."""

    def __init__(self, paths: Paths, fresh_s: float = FRESH_S) -> None:
        self._paths, self._fresh_s = paths, fresh_s
        self._state: _State | None = None
        self._site: SiteData | None = None
        self._good_until_s = math.inf

    def read(self, day: date) -> SiteData:
        """The site as its exports stand. DataNotReady says, for the local log, which file is refused and why."""
        try:
            state = self._observe(day)
            if self._site is None or state != self._state or time.monotonic() > self._good_until_s:
                self._site, self._state = self.import_now(day)[0], state
        except (FileRefused, MappingError, KeyFileError, OSError) as error:
            raise DataNotReady(str(error)) from error
        return self._site

    def import_now(self, day: date) -> tuple[SiteData, QualityReport]:
        """Import, and write the quality report (JSON and text), which never leaves the site."""
        mapping = load_mapping(self._paths.mapping)
        hasher = KeyHasher(load_person_key(self._paths.person_key, self._paths.journal))
        imported = import_exports(self._paths.exports, mapping, hasher, day)
        self._paths.quality.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in (("report.json", imported.quality.to_json()), ("report.txt", imported.quality.to_text())):
            put_file(self._paths.quality / name, text.encode())
        self._good_until_s = time.monotonic() + self._fresh_s if mapping.has_database else math.inf
        exported = frozenset(source.table for source in mapping.sources)
        return SiteData.of(imported.tables, exported), imported.quality

    def _observe(self, day: date) -> _State:
        files = [path for path in sorted(self._paths.exports.rglob("*")) if path.is_file()]
        seen = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in (*files, self._paths.mapping)]
        return day, tuple(seen)
