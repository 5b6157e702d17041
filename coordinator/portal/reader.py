"""What the pages and the interface may read: publications, and nothing else that the coordinator holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protocols.publication.document import Publication

MEDIA_TYPES = {
    "publication.json": "application/json",
    "publication.sig": "text/plain; charset=utf-8",
    "benchmarks.csv": "text/csv; charset=utf-8",
    "benchmarks.parquet": "application/vnd.apache.parquet",
}


class PublicationReader(Protocol):
    """Immutable, numbered publications. Numbers start at 1 and rise; a publication never changes once it is listed.

    Pages ask for the newest publication again and again, so a reader should keep what it has parsed.
    """

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
