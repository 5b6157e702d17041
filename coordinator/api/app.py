"""The application: the interface and the pages over one reader of publications. It reads; nothing in it writes."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI

from coordinator.api.problems import Problem, install_problem_handlers
from coordinator.api.routes import api_routes, health_routes
from coordinator.api.schemas import Version
from coordinator.api.transport import ReadOnlyTransport
from coordinator.portal.pages import Pages, page_routes, static_files
from coordinator.portal.reader import PublicationReader
from protocols.catalogue import catalogue_document
from protocols.catalogue.model import Catalogue

_DESCRIPTION = (
    "Benchmarks of peer-support programmes for clinicians, computed from differentially private tallies. "
    "Every interval is at 95 % and includes the privacy noise. Errors are RFC 9457 problem details."
)


def create_app(publications: PublicationReader, catalogue: Catalogue) -> FastAPI:
    """Serve `publications`, explained with the words of `catalogue`. No address outside this service is needed."""
    running = _version(catalogue)
    app = FastAPI(
        title="Leadline",
        version=running.leadline,
        description=_DESCRIPTION,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # their pages load scripts from other hosts
        redoc_url=None,
    )
    pages = Pages(publications, catalogue)
    app.include_router(health_routes(publications, running))
    app.include_router(api_routes(publications, catalogue))
    app.include_router(page_routes(pages))
    app.mount("/static", static_files())
    app.add_middleware(ReadOnlyTransport)
    install_problem_handlers(app, lambda problem: pages.problem(problem.title, problem.detail, problem.mitigation))
    _describe_problems(app)
    return app


def _version(catalogue: Catalogue) -> Version:
    try:
        leadline = version("leadline")
    except PackageNotFoundError:
        leadline = "source"
    digest = hashlib.sha256(catalogue_document(catalogue)).hexdigest()
    return Version(leadline=leadline, catalogue_version=catalogue.version, catalogue_digest=digest)


def _describe_problems(app: FastAPI) -> None:
    """Put the problem's schema, to which the routes refer, into the OpenAPI document."""
    schemas = app.openapi().setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
