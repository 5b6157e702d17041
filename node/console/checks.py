"""Preflight as a page: every condition that the node stands on, looked at when somebody asks."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.console.context import Context
from node.preflight import run_preflight


def router(context: Context) -> APIRouter:
    """`/checks`: the button by GET, the findings by POST. The console itself never connects to anybody."""
    pages = APIRouter()

    @pages.get("/checks")
    def ask(request: Request) -> Response:
        return context.render(request, "checks.html", "home", findings=())

    @pages.post("/checks")
    def look(request: Request) -> Response:
        findings = run_preflight(context.config, context.clock, offline=True)
        return context.render(request, "checks.html", "home", findings=findings)

    return pages
