"""Every error as RFC 9457 problem details; a browser that asks for HTML gets the same words as a page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from coordinator.api.transport import SECURITY_HEADERS
from coordinator.portal.errors import NotPublished

MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)

ErrorPage = Callable[["Problem"], str]


class Problem(BaseModel):
    """Problem details. `retryable`: the same request may succeed later; `mitigation`: what to do next."""

    type: str = Field(examples=["urn:leadline:problem:not-found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no publication 9."])
    instance: str = Field(examples=["/api/v1/publications/9"])
    retryable: bool = Field(examples=[False])
    mitigation: str = Field(examples=["GET /api/v1/publications lists the publications there are."])


def install_problem_handlers(app: FastAPI, error_page: ErrorPage) -> None:
    """Answer every error of `app` with a problem; `error_page` renders it for browsers."""

    def not_published(request: Request, error: Exception) -> Response:
        detail, mitigation = str(error), getattr(error, "mitigation", "")
        return _respond(request, _problem(request, "not-found", 404, detail, mitigation), error_page)

    def http_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        response = _respond(request, _http_problem(request, status), error_page)
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            response.headers["Allow"] = "GET, HEAD"
        return response

    def invalid_request(request: Request, error: Exception) -> Response:
        reasons = error.errors() if isinstance(error, RequestValidationError) else []
        detail = "; ".join(f"{reason['loc'][-1]}: {reason['msg']}" for reason in reasons)
        return _respond(request, _problem(request, "invalid-request", 422, f"{detail}.", _SEE_OPENAPI), error_page)

    def failure(request: Request, error: Exception) -> Response:
        _LOG.error("request failed: %s %s", request.method, request.url.path, exc_info=error)
        response = _respond(request, _http_problem(request, 500), error_page)
        response.headers.update(SECURITY_HEADERS)  # this handler answers outside all middleware
        return response

    app.add_exception_handler(NotPublished, not_published)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid_request)
    app.add_exception_handler(Exception, failure)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of the problems that a route can answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


_SEE_OPENAPI = "Compare the request with /api/v1/openapi.json."
_HTTP_PROBLEMS = {
    404: ("not-found", "There is nothing at this address.", "The interface is described in /api/v1/openapi.json."),
    405: ("method-not-allowed", "This service is read-only: it answers GET and HEAD.", "Use GET."),
    500: ("internal", "The request failed for a reason on our side; it was logged.", "Try again in a minute."),
    503: ("not-ready", "The store of publications does not answer.", "Try again in a minute."),
}


def _http_problem(request: Request, status: int) -> Problem:
    default = ("http-error", f"{HTTPStatus(status).phrase}.", _SEE_OPENAPI)
    slug, detail, mitigation = _HTTP_PROBLEMS.get(status, default)
    return _problem(request, slug, status, detail, mitigation)


def _problem(request: Request, slug: str, status: int, detail: str, mitigation: str) -> Problem:
    return Problem(
        type=f"urn:leadline:problem:{slug}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        instance=request.url.path,
        retryable=status >= HTTPStatus.INTERNAL_SERVER_ERROR,
        mitigation=mitigation,
    )


def _respond(request: Request, problem: Problem, error_page: ErrorPage) -> Response:
    headers = {"Cache-Control": "no-store"}
    if not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
        return Response(error_page(problem), problem.status, headers, "text/html; charset=utf-8")
    return Response(problem.model_dump_json(), problem.status, headers, MEDIA_TYPE)
