"""docs/rounds.md, written from the tables of states. Run this module to write it anew; a test fails if it is stale.

python -m coordinator.rounds.diagram docs/rounds.md
"""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from coordinator.rounds.states import REQUEST_MACHINE, ROUND_MACHINE, Machine

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)

_PAGE = """\
# Rounds

<!-- Written by `python -m coordinator.rounds.diagram docs/rounds.md` from coordinator/rounds/states.py. -->

A round is one yearly plan carried out over all sites that were enabled when it opened, one request for each of the
four quarters. A request is sent once its quarter has closed; a site's quarters are asked in order and may travel
together. What is unanswered is sent again after the resend interval and a wait that grows from 1 to 30 seconds; the
node answers with the bytes that it sealed the first time, at no cost.

A site is complete when all four of its quarters are answered. Why a round ended is a sentence beside its state
(`rounds status`), not a state of its own. Opening another round of the same year uses the same signed plan: answers
that are there already stay, and only what is missing is asked.

## A round

```mermaid
{round}
```

## A request

```mermaid
{request}
```
"""


def mermaid(machine: Machine[S, E]) -> str:
    """A Mermaid state diagram of a transition table."""
    lines = ["stateDiagram-v2", f"    [*] --> {machine.first.value}"]
    lines += [
        f"    {before.value} --> {after.value}: {event.value}" for (before, event), after in machine.transitions.items()
    ]
    lines += [f"    {state.value} --> [*]" for state in sorted(machine.final_states())]
    return "\n".join(lines)


def page() -> str:
    """The text of docs/rounds.md."""
    return _PAGE.format(round=mermaid(ROUND_MACHINE), request=mermaid(REQUEST_MACHINE))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
