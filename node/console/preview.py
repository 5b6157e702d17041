"""The preview: the literal bytes of a release and their meaning, drawn on invented data, so that looking is free."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from node.console.context import Context
from node.journal import Journal
from node.preview import Preview, make_preview


def router(context: Context) -> APIRouter:
    """`/leaves/preview` and `/leaves/preview/bytes`. The newest preview is kept until the console stops."""
    pages = APIRouter()
    kept: list[Preview] = []

    @pages.get("/leaves/preview")
    def show(request: Request) -> Response:
        return context.render(request, "preview.html", "leaves", preview=kept[-1] if kept else None)

    @pages.post("/leaves/preview")
    def draw() -> Response:
        plan = Journal(context.config.paths.journal).newest_plan()
        kept[:] = [make_preview(context.config, plan, context.clock)]
        return RedirectResponse("/leaves/preview", 303)

    @pages.get("/leaves/preview/bytes")
    def download() -> Response:
        if not kept:
            raise HTTPException(404, "No preview has been drawn yet.")
        headers = {"Content-Disposition": f'attachment; filename="preview-{context.config.site.id}.bin"'}
        return Response(kept[-1].raw, media_type="application/octet-stream", headers=headers)

    return pages
