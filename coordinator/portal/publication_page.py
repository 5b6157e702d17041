"""The pages of publications: what is in one, what was held back and why, and its files."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass

from coordinator.portal.reader import MEDIA_TYPES, PublicationReader
from protocols.catalogue.model import Catalogue
from protocols.publication.document import Publication, parse_signature_line
from protocols.publication.index import Rows
from protocols.publication.rows import Status
from protocols.publication.words import StatusWords, peer_group_words, period_words, status_words


@dataclass(frozen=True)
class PublishedFile:
    """A file of a publication as it is stored."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class HeldBack:
    """Rows of one measure that one rule held back."""

    measure: str
    title: str
    words: StatusWords
    where: tuple[str, ...]


@dataclass(frozen=True)
class PublicationPage:
    """Everything that the page of a publication shows."""

    publication: Publication
    files: tuple[PublishedFile, ...]
    key_id: str
    n_shown: int
    counts: tuple[tuple[StatusWords, int], ...]
    held_back: tuple[HeldBack, ...]


def published_files(reader: PublicationReader, number: int) -> tuple[PublishedFile, ...]:
    """The files of a publication with their digests."""
    found = ((name, reader.file(number, name)) for name in MEDIA_TYPES)
    return tuple(
        PublishedFile(name, MEDIA_TYPES[name], len(content), hashlib.sha256(content).hexdigest())
        for name, content in found
        if content is not None
    )


def publication_page(reader: PublicationReader, publication: Publication, catalogue: Catalogue) -> PublicationPage:
    """The page of one publication."""
    rows = Rows(publication)
    signature = reader.file(publication.number, "publication.sig") or b""
    counts = Counter(row.status for row in rows.held_back)
    return PublicationPage(
        publication,
        published_files(reader, publication.number),
        parse_signature_line(signature.decode())[0],
        len(publication.rows) - len(rows.held_back),
        tuple((status_words(status, publication.gate), counts[status]) for status in Status if counts[status]),
        _held_back(rows, catalogue),
    )


def _held_back(rows: Rows, catalogue: Catalogue) -> tuple[HeldBack, ...]:
    titles = {measure.id: measure.title for measure in catalogue.measures}
    places: dict[tuple[str, Status], dict[str, None]] = {}
    for row in rows.held_back:
        place = f"{period_words(row)}, {peer_group_words(row.peer_group).lower()}"
        places.setdefault((row.measure, row.status), {})[place] = None
    return tuple(
        HeldBack(measure, titles.get(measure, measure), status_words(status, rows.publication.gate), tuple(where))
        for (measure, status), where in places.items()
    )
