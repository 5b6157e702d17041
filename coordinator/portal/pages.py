"""The pages and their routes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from coordinator.portal import measure as measure_view
from coordinator.portal.errors import NotPublished
from coordinator.portal.noise_example import noise_example
from coordinator.portal.overview import overview
from coordinator.portal.publication_page import publication_page
from coordinator.portal.reader import PublicationReader
from protocols.catalogue.model import Catalogue
from protocols.catalogue.words import cell_words, unit_words
from protocols.look import STATIC
from protocols.publication.document import Publication
from protocols.publication.index import Rows

_HERE = Path(__file__).parent

Year = Annotated[int | None, Query(description="A year of the newest publication")]


class Pages:
    """Renders every page from the newest publication, or from the one that is asked for."""

    def __init__(self, publications: PublicationReader, catalogue: Catalogue) -> None:
        self._publications = publications
        self._catalogue = catalogue
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["kilobytes"] = lambda size_bytes: f"{max(size_bytes / 1000, 0.1):,.1f} kB"

    def overview(self, year: int | None) -> str:
        """All measures at a glance."""
        rows = self._newest_rows()
        chosen = _chosen_year(rows, year)
        if rows is None or chosen is None:
            return self._render("empty.html", "overview")
        return self._render("overview.html", "overview", view=overview(rows, self._catalogue, chosen))

    def measure(self, measure_id: str, year: int | None) -> str:
        """One measure; its definition alone before the first publication."""
        if measure_id not in {measure.id for measure in self._catalogue.measures}:
            raise NotPublished(f"There is no measure {measure_id}.", "Choose one of the measures on the first page.")
        measure = self._catalogue.measure(measure_id)
        rows = self._newest_rows()
        chosen = _chosen_year(rows, year)
        told = measure_view.definition(self._catalogue, measure)
        if rows is None or chosen is None:
            return self._render("measure.html", "overview", definition=told, view=None)
        view = measure_view.measure_page(rows, self._catalogue, measure, chosen)
        return self._render("measure.html", "overview", definition=told, view=view)

    def protection(self) -> str:
        """What is protected and how, and what is not claimed."""
        tallies = [(tally, unit_words(tally)) for tally in self._catalogue.tallies]
        return self._render(
            "protection.html", "protection", tallies=tallies, example=noise_example(), cell_words=cell_words
        )

    def publications(self) -> str:
        """The list of publications, the newest first."""
        found = [self._publications.get(number) for number in reversed(self._publications.numbers())]
        return self._render("publications.html", "publications", publications=found)

    def publication(self, number: int) -> str:
        """One publication: files, signature, what was held back."""
        publication = self._publications.get(number)
        if publication is None:
            raise NotPublished(f"There is no publication {number}.", "Choose one from the list of publications.")
        view = publication_page(self._publications, publication, self._catalogue)
        return self._render("publication.html", "publications", view=view)

    def problem(self, title: str, detail: str, mitigation: str) -> str:
        """An error in the same words as its problem details."""
        return self._templates.get_template("problem.html").render(
            here="", latest=None, title=title, detail=detail, mitigation=mitigation
        )

    def _newest_rows(self) -> Rows | None:
        latest = self._publications.latest()
        return None if latest is None else Rows(latest)

    def _render(self, template: str, here: str, **values: Any) -> str:
        latest: Publication | None = self._publications.latest()
        return _unbroken(self._templates.get_template(template).render(here=here, latest=latest, **values))


def page_routes(pages: Pages) -> APIRouter:
    """The addresses of the pages."""
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    @router.get("/")
    def overview_page(year: Year = None) -> HTMLResponse:
        return _page(pages.overview(year))

    @router.get("/measures/{measure_id}")
    def measure_page(measure_id: str, year: Year = None) -> HTMLResponse:
        return _page(pages.measure(measure_id, year))

    @router.get("/protection")
    def protection_page() -> HTMLResponse:
        return _page(pages.protection())

    @router.get("/publications")
    def publications_page() -> HTMLResponse:
        return _page(pages.publications())

    @router.get("/publications/{number}")
    def publication_page(number: int) -> HTMLResponse:
        return _page(pages.publication(number))

    return router


def static_files() -> StaticFiles:
    """The style sheet and the mark."""
    return StaticFiles(directory=STATIC)


def _unbroken(html: str) -> str:
    """Keep a percent sign on the line of its number."""
    return html.replace(" %", "\u00a0%")


def _page(html: str) -> HTMLResponse:
    return HTMLResponse(html, headers={"Cache-Control": "no-cache"})


def _chosen_year(rows: Rows | None, year: int | None) -> int | None:
    """The year to show; NotPublished if one is asked for that no row is about."""
    if rows is None or year is None:
        return None if rows is None else rows.newest_shown_year
    if year not in rows.years:
        raise NotPublished(f"There are no figures for {year}.", "Choose one of the years on the first page.")
    return year
