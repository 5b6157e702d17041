"""What every page of the console has at hand: settings, clock, templates."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from node.clock import Clock
from node.config import NodeConfig
from node.console.wording import FILTERS
from node.identity import load_signing_key, open_ledger
from node.ledger.store import Ledger

_TEMPLATES = Path(__file__).parent / "templates"

NAVIGATION = (
    ("home", "/", "Node"),
    ("quality", "/quality", "Quality"),
    ("mapping", "/mapping", "Mapping"),
    ("budget", "/budget", "Budget"),
    ("rounds", "/rounds", "Rounds"),
    ("leaves", "/leaves", "What leaves"),
    ("leaders", "/leaders", "Peers"),
    ("support", "/support", "Support"),
)


@dataclass(frozen=True)
class Context:
    """Handed to every module of pages: `router(context)` gives its addresses."""

    config: NodeConfig
    clock: Clock
    templates: Environment

    def render(self, request: Request, template: str, here: str, status_code: int = 200, **values: Any) -> HTMLResponse:
        """A page. `here` is its key in the navigation; forms on it carry `form_token`."""
        html = self.templates.get_template(template).render(
            here=here,
            navigation=NAVIGATION,
            site_id=self.config.site.id,
            words=self.config.words,
            form_token=request.state.form_token,
            signed_in=request.state.signed_in,
            **values,
        )
        return HTMLResponse(html, status_code)


@contextmanager
def site_ledger(context: Context) -> Iterator[Ledger]:
    """The site's ledger, its chain checked, for one request."""
    ledger = open_ledger(context.config, load_signing_key(context.config), context.clock)
    try:
        yield ledger
    finally:
        ledger.close()


def make_context(config: NodeConfig, clock: Clock) -> Context:
    """The context over the templates of this package; a name that a template misspells is an error."""
    templates = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(FILTERS)
    return Context(config, clock, templates)
