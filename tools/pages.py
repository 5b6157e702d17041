"""The pages of docs/ that are generated from the code, so that they cannot go stale."""

from __future__ import annotations

from collections.abc import Iterator

from protocols.catalogue import current_catalogue
from protocols.catalogue.page import render
from protocols.refusals import EXPLANATIONS


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of every generated page."""
    yield "docs/measures.md", render(*current_catalogue())
    yield "docs/refusals.md", refusals_page()


def refusals_page() -> str:
    """The closed list of refusals."""
    lines = [
        "# Refusals",
        "",
        "Every statement that a node or the coordinator does not accept is refused with one of these codes. A refusal",
        "costs no budget unless the row says so. *Retry* says whether asking the same again later can help.",
        "",
        "| code | why | what to do | retry |",
        "|---|---|---|---|",
    ]
    for code, explanation in EXPLANATIONS.items():
        retry = "yes" if explanation.retryable else "no"
        lines.append(f"| `{code.value}` | {explanation.why} | {explanation.remedy} | {retry} |")
    return "\n".join(lines) + "\n"
