"""The console as an application: pages over one site's files, behind the guard."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from node.clock import Clock
from node.config import NodeConfig
from node.console import budget, checks, home, leaders, leaves, mapping, preview, quality, rounds
from node.console.context import Context, make_context
from node.console.guard import Guard
from node.console.login import login_router
from node.console.sessions import FormTokens, Sessions
from node.explain import explain
from node.ledger.acts import LedgerError
from node.sources.refused import FileRefused
from node.tables.mapping import MappingError
from protocols.keys import KeyFileError
from protocols.look import STATIC
from protocols.operator.errors import InternalError, OperatorError
from protocols.refusals import Refused

PAGES: tuple[Callable[[Context], APIRouter], ...] = (
    home.router,
    checks.router,
    quality.router,
    mapping.router,
    budget.router,
    rounds.router,
    leaves.router,
    preview.router,
    leaders.router,
)


def create_console(config: NodeConfig, clock: Clock) -> FastAPI:
    """The console of the site that `config` describes. It needs no address outside this machine."""
    context, sessions = make_context(config, clock), Sessions()
    app = FastAPI(title="Leadline console", openapi_url=None, docs_url=None, redoc_url=None)
    app.include_router(login_router(context, sessions))
    for router in PAGES:
        app.include_router(router(context))
    app.mount("/static/console", StaticFiles(directory=Path(__file__).parent / "static"))
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(Guard, context=context, sessions=sessions, tokens=FormTokens())
    _install_problem_pages(app, context)
    return app


def _install_problem_pages(app: FastAPI, context: Context) -> None:
    def foreseen(request: Request, error: Exception) -> HTMLResponse:
        known = explain(error) or InternalError(error)
        values = {"title": "This cannot be shown", "detail": f"{known.message}.", "hint": f"What to do: {known.hint}."}
        return context.render(request, "problem.html", "", 409, **values)

    for kind in (OperatorError, FileRefused, MappingError, LedgerError, KeyFileError, Refused, sqlite3.Error, OSError):
        app.add_exception_handler(kind, foreseen)

    @app.exception_handler(RequestValidationError)
    def not_understood(request: Request, _: RequestValidationError) -> HTMLResponse:
        values = {"title": "This address is not understood", "detail": "A part of it has a wrong form.", "hint": ""}
        return context.render(request, "problem.html", "", 404, **values)

    @app.exception_handler(HTTPException)
    def not_here(request: Request, error: HTTPException) -> HTMLResponse:
        values = {"title": "There is no such page", "detail": str(error.detail), "hint": ""}
        return context.render(request, "problem.html", "", error.status_code, **values)
