"""The leaders' pages: each measure with the hospital's own exact line over the published peers."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from node.clock import Clock, today
from node.config import NodeConfig
from node.console.context import Context
from node.exports import ExportReader
from node.leaders.figures import OwnFigures
from node.leaders.support import support
from node.leaders.view import Leaders
from node.release.site import DataNotReady, SiteData
from node.shelf import newest_publication, publications
from protocols.catalogue import current_catalogue
from protocols.keys import load_public_key
from protocols.operator.errors import InputError
from protocols.publication.document import Publication
from protocols.publication.index import EVERYBODY
from protocols.publication.words import peer_group_words


@dataclass(frozen=True)
class Wish:
    """What a reader asks for: a year and a peer group."""

    year: int | None
    peers: str


def _wish(year: Annotated[int | None, Query()] = None, peers: Annotated[str, Query(max_length=60)] = EVERYBODY) -> Wish:
    return Wish(year, peers)


Wished = Annotated[Wish, Depends(_wish)]


def router(context: Context) -> APIRouter:
    """`/leaders`, `/leaders/report`, `/leaders/{measure}` and `/support`."""
    pages, desk = APIRouter(), Desk(context.config, context.clock)

    @pages.get("/leaders")
    def overview(request: Request, wish: Wished) -> HTMLResponse:
        return context.render(request, "leaders_overview.html", "leaders", **desk.overview(wish, "/leaders"))

    @pages.get("/leaders/report")
    def report(request: Request, wish: Wished) -> HTMLResponse:
        return context.render(request, "leaders_report.html", "leaders", **desk.overview(wish, "/leaders/report"))

    @pages.get("/leaders/{measure_id}")
    def measure(request: Request, measure_id: str, wish: Wished) -> HTMLResponse:
        return context.render(request, "leaders_measure.html", "leaders", **desk.measure(wish, measure_id))

    @pages.get("/support")
    def support_page(request: Request) -> HTMLResponse:
        return context.render(request, "support.html", "support", support=support(context.config))

    return pages


class Desk:
    """Keeps the site's tables and what was counted from them while exports and publication stay the same."""

    def __init__(self, config: NodeConfig, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._reader, self._lock = ExportReader(config.paths), threading.Lock()
        self._catalogue, _ = current_catalogue()
        self._site: SiteData | None = None
        self._own: OwnFigures | None = None
        self._newest: tuple[int, Publication] | None = None

    def overview(self, wish: Wish, base: str) -> dict[str, Any]:
        """Values of the overview and of the report; without any year there is nothing to show yet."""
        leaders, publication = self._open()
        shown = _shown(leaders, publication, wish, base)
        if shown["year"] is None:
            return shown | {"groups": (), "need": ()}
        year, peers = shown["year"], shown["peers"]
        return shown | {"groups": leaders.overview(year, peers), "need": leaders.use_and_need(year, peers)}

    def measure(self, wish: Wish, measure_id: str) -> dict[str, Any]:
        """Values of the page of one measure; 404 if there is none with this id."""
        known = {measure.id: measure for measure in self._catalogue.measures}
        if measure_id not in known:
            raise HTTPException(404, "There is no measure with this id.")
        leaders, publication = self._open()
        shown = _shown(leaders, publication, wish, f"/leaders/{measure_id}")
        year = shown["year"]
        view = None if year is None else leaders.measure(known[measure_id], year, shown["peers"])
        return shown | {"measure": known[measure_id], "view": view}

    def _open(self) -> tuple[Leaders, Publication | None]:
        """Own figures with the newest publication; InputError if the exports cannot be read."""
        with self._lock:
            try:
                site = self._reader.read(today(self._clock))
            except DataNotReady as error:
                hint = "see the pages on quality and mapping, mend what they name, and come back"
                raise InputError("exports", f"your exports cannot be read: {error}".rstrip("."), hint) from error
            if self._own is None or site is not self._site:
                self._site = site
                self._own = OwnFigures(self._catalogue, site, self._config.site.person_keys)
            publication = self._publication()
            return Leaders(self._own, publication), publication

    def _publication(self) -> Publication | None:
        """The newest publication, read and checked once."""
        numbers = publications(self._config.paths.publications)
        if numbers and (self._newest is None or self._newest[0] != numbers[0]):
            found = newest_publication(self._config.paths.publications, load_public_key(self._config.paths.pso_key))
            self._newest = None if found is None else (found.number, found)
        return self._newest[1] if numbers and self._newest else None


def _shown(leaders: Leaders, publication: Publication | None, wish: Wish, base: str) -> dict[str, Any]:
    """Year and peer group to show. 404 for a year that nothing is about; all sites for a group that it lacks."""
    year = leaders.newest_year if wish.year is None else wish.year
    if year is not None and year not in leaders.years:
        raise HTTPException(404, f"There is nothing about {year}; choose one of the years on the overview.")
    groups = leaders.peer_groups(year) if year is not None else ()
    peers = wish.peers if wish.peers in {group for group, _ in groups} else EVERYBODY
    return {
        "year": year,
        "years": leaders.years,
        "peers": peers,
        "peers_title": peer_group_words(peers),
        "peer_groups": groups,
        "publication": publication,
        "base": base,
    }
