"""What the pages and the interface may read: publications, and nothing else that the coordinator holds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from coordinator.publications.model import Publication

MEDIA_TYPES = {
    "publication.json": "application/json",
    "publication.sig": "text/plain; charset=utf-8",
    "benchmarks.csv": "text/csv; charset=utf-8",
    "benchmarks.parquet": "application/vnd.apache.parquet",
}


class PublicationReader(Protocol):
    """Immutable, numbered publications. Numbers start at 1 and rise; a publication never changes once it is listed."""

    def numbers(self) -> Sequence[int]:
        """The numbers of all publications, rising."""

    def latest(self) -> Publication | None:
        """The publication with the highest number; None before the first one."""

    def get(self, number: int) -> Publication | None:
        """The publication with this number; None if there is none."""

    def file(self, number: int, name: str) -> bytes | None:
        """Exact stored bytes of one of the files of `MEDIA_TYPES`; None if the number or the name is unknown."""

    def ready(self) -> bool:
        """Whether the store answers; must not raise."""


class KeptPublications:
    """A reader that keeps the publications it has read: they are large, are asked for often and never change."""

    _KEPT = 8

    def __init__(self, source: PublicationReader) -> None:
        self._source = source
        self._kept = lru_cache(maxsize=self._KEPT)(source.get)

    def numbers(self) -> Sequence[int]:
        """See `PublicationReader`."""
        return self._source.numbers()

    def latest(self) -> Publication | None:
        """See `PublicationReader`."""
        numbers = self._source.numbers()
        return self._kept(numbers[-1]) if numbers else None

    def get(self, number: int) -> Publication | None:
        """See `PublicationReader`. Numbers that are not listed are not remembered: they may be published later."""
        return self._kept(number) if number in self._source.numbers() else None

    def file(self, number: int, name: str) -> bytes | None:
        """See `PublicationReader`."""
        return self._source.file(number, name)

    def ready(self) -> bool:
        """See `PublicationReader`."""
        return self._source.ready()
