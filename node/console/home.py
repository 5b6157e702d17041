"""The first page: whether the node works, and what needs attention."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from node.console.context import Context
from node.gateway import probe


def router(context: Context) -> APIRouter:
    """`/`, `/pause` and `/resume`."""
    pages = APIRouter()

    @pages.get("/")
    def home(request: Request) -> Response:
        running = probe(context.config.paths.socket, 1.0)
        paused = context.config.pause_file.exists()
        return context.render(request, "home.html", "home", running=running, paused=paused)

    @pages.post("/pause")
    def pause() -> Response:
        context.config.pause_file.touch()
        return RedirectResponse("/", 303)

    @pages.post("/resume")
    def resume() -> Response:
        context.config.pause_file.unlink(missing_ok=True)
        return RedirectResponse("/", 303)

    return pages
