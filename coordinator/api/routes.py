"""The routes of the interface: health, version, catalogue, publications with their files, and benchmark rows."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.exceptions import HTTPException

from coordinator.api.problems import problem_responses
from coordinator.api.schemas import Benchmarks, FileEntry, Health, PublicationEntry, PublicationList, Version
from coordinator.api.transport import IMMUTABLE, REVALIDATE, by_content
from coordinator.portal.errors import NotPublished
from coordinator.portal.publication_page import published_files
from coordinator.portal.reader import MEDIA_TYPES, PublicationReader
from protocols.catalogue import catalogue_document
from protocols.catalogue.model import Catalogue
from protocols.publication.document import Publication
from protocols.publication.index import Rows
from protocols.publication.rows import BenchmarkRow

PERIOD = r"^[0-9]{4}(-Q[1-4]|-(0[1-9]|1[0-2]))?$"

Number = Annotated[int, Path(ge=1, description="Number of a publication", examples=[3])]
FileName = Literal["publication.json", "publication.sig", "benchmarks.csv", "benchmarks.parquet"]


def health_routes(publications: PublicationReader, version: Version) -> APIRouter:
    """Whether the service lives and can serve, and which version it is."""
    router = APIRouter(tags=["service"])

    @router.get("/healthz", summary="Whether the process answers")
    def healthz() -> Health:
        return Health()

    @router.get("/readyz", summary="Whether the publications can be read", responses=problem_responses(503))
    def readyz() -> Health:
        if not publications.ready():
            raise HTTPException(503)
        return Health()

    @router.get("/version", summary="Which release, interface and catalogue this is")
    def running_version() -> Version:
        return version

    return router


def api_routes(publications: PublicationReader, catalogue: Catalogue) -> APIRouter:
    """The interface for programs, version 1."""
    router = APIRouter(prefix="/api/v1", tags=["benchmarks"])
    document = catalogue_document(catalogue)

    @router.get("/catalogue", summary="The measures and tallies, as canonical JSON", response_model=Catalogue)
    def the_catalogue(request: Request) -> Response:
        return by_content(request, document, "application/json", REVALIDATE)

    @router.get("/publications", summary="All publications, the newest first")
    def list_publications() -> PublicationList:
        found = (publications.get(number) for number in reversed(publications.numbers()))
        entries = tuple(_entry(publications, publication) for publication in found if publication is not None)
        return PublicationList(latest=entries[0].number if entries else None, publications=entries)

    @router.get("/publications/{number}", summary="One publication", responses=problem_responses(404, 422))
    def one_publication(number: Number) -> PublicationEntry:
        return _entry(publications, _published(publications, number))

    @router.get(
        "/publications/{number}/{name}",
        summary="A file of a publication, byte for byte",
        response_class=Response,
        responses={
            200: {"content": {media_type: {} for media_type in MEDIA_TYPES.values()}, "description": "The file"},
            **problem_responses(404, 422),
        },
    )
    def one_file(request: Request, number: Number, name: FileName) -> Response:
        content = publications.file(number, name)
        if content is None:
            raise _no_publication(number)
        disposition = {"Content-Disposition": f'attachment; filename="leadline-{number}-{name}"'}
        return by_content(request, content, MEDIA_TYPES[name], IMMUTABLE, disposition)

    @router.get("/benchmarks", summary="Rows of a publication, filtered", responses=problem_responses(404, 422))
    def benchmarks(
        measure: Annotated[str | None, Query(description="Id of a measure", examples=["D2"])] = None,
        period: Annotated[
            str | None, Query(pattern=PERIOD, description="2025, 2025-Q1 or 2025-01", examples=["2025"])
        ] = None,
        peer_group: Annotated[str | None, Query(description="Id of a peer group", examples=["all"])] = None,
        publication: Annotated[int | None, Query(ge=1, description="The newest one if not given")] = None,
    ) -> Benchmarks:
        source = _newest(publications) if publication is None else _published(publications, publication)
        if measure is not None and measure not in {item.id for item in catalogue.measures}:
            raise NotPublished(f"There is no measure {measure}.", "GET /api/v1/catalogue lists the measures.")
        wanted = {"measure": measure, "period": period, "peer_group": peer_group}
        rows = tuple(row for row in source.rows if _fits(row, wanted))
        return Benchmarks(publication=source.number, rows=rows)

    return router


def _fits(row: BenchmarkRow, wanted: dict[str, str | None]) -> bool:
    has = {"measure": row.measure, "period": _period_name(row), "peer_group": row.peer_group}
    return all(value is None or has[field] == value for field, value in wanted.items())


def _period_name(row: BenchmarkRow) -> str:
    names = {"year": "{0.year}", "quarter": "{0.year}-Q{1}", "month": "{0:%Y-%m}"}
    return names[row.grain].format(row.period_start, (row.period_start.month + 2) // 3)


def _entry(publications: PublicationReader, publication: Publication) -> PublicationEntry:
    base = f"/api/v1/publications/{publication.number}"
    files = tuple(
        FileEntry(
            name=file.name,
            url=f"{base}/{file.name}",
            media_type=file.media_type,
            size_bytes=file.size_bytes,
            sha256=file.sha256,
        )
        for file in published_files(publications, publication.number)
    )
    return PublicationEntry(
        number=publication.number,
        title=publication.title,
        created_at=publication.created_at,
        replaces=publication.replaces,
        sites=publication.sites,
        catalogue_version=publication.catalogue_version,
        guarantee=publication.guarantee,
        n_rows=len(publication.rows),
        n_shown=len(publication.rows) - len(Rows(publication).held_back),
        files=files,
    )


def _newest(publications: PublicationReader) -> Publication:
    publication = publications.latest()
    if publication is None:
        raise NotPublished("Nothing is published yet.", "Ask again after the first publication.")
    return publication


def _published(publications: PublicationReader, number: int) -> Publication:
    publication = publications.get(number)
    if publication is None:
        raise _no_publication(number)
    return publication


def _no_publication(number: int) -> NotPublished:
    return NotPublished(
        f"There is no publication {number}.", "GET /api/v1/publications lists the publications there are."
    )
