"""The states of a round and of a request, as tables. The diagrams in docs/rounds.md are drawn from them.

Why a round ended is kept beside its state as a sentence; it is not a state of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar


class RoundState(StrEnum):
    """Where a round stands."""

    OPEN = "open"
    COMPLETE = "complete"
    CLOSED_SHORT = "closed_short"
    FAILED = "failed"


class RoundEvent(StrEnum):
    """What moves a round. A site is complete when all four of its quarters are answered."""

    SETTLED_ENOUGH = "every request settled, minimum of complete sites met"
    SETTLED_SHORT = "every request settled, minimum of complete sites not met"
    ENDED_ENOUGH = "deadline passed or closed by hand, minimum of complete sites met"
    ENDED_SHORT = "deadline passed or closed by hand, minimum of complete sites not met"


class RequestState(StrEnum):
    """Where one request stands."""

    WAITING = "waiting"
    ANSWERED = "answered"
    REFUSED = "refused"


class RequestEvent(StrEnum):
    """What moves a request."""

    SENT = "sent"
    RELEASE = "verified release"
    REFUSED_FOR_NOW = "refusal that asking again can mend"
    REFUSED_FOR_GOOD = "refusal for good, or asked again too often"


S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True)
class Machine(Generic[S, E]):
    """A transition table with its first state."""

    first: S
    transitions: dict[tuple[S, E], S]

    def after(self, state: S, event: E) -> S:
        """The state that `event` leads to from `state`. LookupError if the table has no such transition."""
        try:
            return self.transitions[state, event]
        except KeyError:
            raise LookupError(f"nothing leads from {state} by {event.name}") from None

    def final_states(self) -> frozenset[S]:
        """The states that nothing leaves."""
        left = {state for state, _ in self.transitions}
        return frozenset(set(self.transitions.values()) - left)


ROUND_MACHINE = Machine(
    RoundState.OPEN,
    {
        (RoundState.OPEN, RoundEvent.SETTLED_ENOUGH): RoundState.COMPLETE,
        (RoundState.OPEN, RoundEvent.SETTLED_SHORT): RoundState.FAILED,
        (RoundState.OPEN, RoundEvent.ENDED_ENOUGH): RoundState.CLOSED_SHORT,
        (RoundState.OPEN, RoundEvent.ENDED_SHORT): RoundState.FAILED,
    },
)

REQUEST_MACHINE = Machine(
    RequestState.WAITING,
    {
        (RequestState.WAITING, RequestEvent.SENT): RequestState.WAITING,
        (RequestState.WAITING, RequestEvent.RELEASE): RequestState.ANSWERED,
        (RequestState.WAITING, RequestEvent.REFUSED_FOR_NOW): RequestState.WAITING,
        (RequestState.WAITING, RequestEvent.REFUSED_FOR_GOOD): RequestState.REFUSED,
    },
)
