"""Publications as pages and API read them. There is no method here that reaches a site, a release or a write."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.exc import SQLAlchemyError

from coordinator.publications.files import files_of
from coordinator.store.database import Store
from protocols.publication.document import Publication, parse_publication


class Shelf:
    """All publications; they never change, so each is parsed once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._parsed: dict[int, Publication] = {}

    def numbers(self) -> Sequence[int]:
        """The numbers of all publications, rising."""
        with self._store.reading() as reader:
            return reader.publication_numbers()

    def latest(self) -> Publication | None:
        """The publication with the highest number; None before the first one."""
        numbers = self.numbers()
        return self.get(numbers[-1]) if numbers else None

    def get(self, number: int) -> Publication | None:
        """The publication with this number; None if there is none."""
        if number not in self._parsed:
            with self._store.reading() as reader:
                stored = reader.publication(number)
            if stored is None:
                return None
            self._parsed[number] = parse_publication(stored.document)
        return self._parsed[number]

    def file(self, number: int, name: str) -> bytes | None:
        """The exact bytes of one of its files; None if there is no such publication or file."""
        with self._store.reading() as reader:
            stored = reader.publication(number)
        return None if stored is None else files_of(stored).get(name)

    def ready(self) -> bool:
        """Whether the store answers."""
        try:
            self.numbers()
        except SQLAlchemyError:
            return False
        return True
