"""Preflight as a page: every condition that the node stands on, looked at when somebody asks."""

from __future__ import annotations

from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.console.context import Context
from node.preflight import NOT_LOOKED_AT, run_preflight
from node.preflight.finding import Finding

_LEFT_TO_COMMAND = "not looked at here: the console has no network; run leadline-node preflight"


def router(context: Context) -> APIRouter:
    """`/checks`: the button by GET, the findings by POST. The console itself never connects to anybody."""
    pages = APIRouter()

    @pages.get("/checks")
    def ask(request: Request) -> Response:
        return context.render(request, "checks.html", "home", findings=())

    @pages.post("/checks")
    def look(request: Request) -> Response:
        findings = [_in_words(finding) for finding in run_preflight(context.config, context.clock, offline=True)]
        return context.render(request, "checks.html", "home", findings=findings)

    return pages


def _in_words(finding: Finding) -> Finding:
    """A check left out for want of the network, as somebody reads it who has given no option."""
    return replace(finding, words=_LEFT_TO_COMMAND) if finding.words == NOT_LOOKED_AT else finding
