"""What was asked of the node, what it answered, and what to do about each refusal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from node.console.context import Context
from node.journal import Asked, Journal
from protocols.refusals import EXPLANATIONS, Code, Explanation

_SHOWN = 200
_KINDS = {
    "request": "One quarter of a plan",
    "approval": "A renewed approval",
    "publication": "A publication",
    "reconciliation": "What is known of the ledger",
}
_OUTCOMES = {"release": "Answered with noisy figures", "acknowledgement": "Received and kept"}


@dataclass(frozen=True)
class Exchange:
    """One statement of the PSO and the answer; `explanation` only of a refusal."""

    asked: Asked
    kind: str
    outcome: str
    explanation: Explanation | None


def router(context: Context) -> APIRouter:
    """`/rounds`."""
    pages = APIRouter()

    @pages.get("/rounds")
    def rounds(request: Request) -> Response:
        journal = Journal(context.config.paths.journal)
        exchanges = tuple(
            Exchange(asked, _KINDS.get(asked.kind, asked.kind), outcome_words(asked), explanation_of(asked.outcome))
            for asked in journal.recent(_SHOWN)
        )
        strangers = [(day, explanation_of(reason), times) for day, reason, times in journal.unverified()]
        values: dict[str, Any] = {"exchanges": exchanges, "strangers": strangers, "heard_s": journal.heard_at_s()}
        return context.render(request, "rounds.html", "rounds", now_s=context.clock.now_s(), **values)

    return pages


def is_refusal(asked: Asked) -> bool:
    """Whether the answer was a refusal."""
    return explanation_of(asked.outcome) is not None


def outcome_words(asked: Asked) -> str:
    """The answer in words."""
    if is_refusal(asked):
        return f"Refused: {asked.outcome.replace('_', ' ')}"
    return _OUTCOMES.get(asked.outcome, asked.outcome)


def explanation_of(outcome: str) -> Explanation | None:
    """Why and what to do, for a code of the closed list."""
    return EXPLANATIONS[Code(outcome)] if outcome in {code.value for code in Code} else None
