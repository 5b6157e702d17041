"""The privacy budget in words: what is spent, what is left, and when it renews."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from node.clock import Clock, SystemClock, today
from node.ledger.acts import SCOPES
from node.ledger.reading import LedgerReader
from privacy.accountant import NANO, display_epsilon

_PROTECTED = {
    "clinician": "what can be learnt about any one clinician",
    "record": "what can be learnt about any one shared record, such as an event or an activation",
}


def describe_budget(
    ledger: LedgerReader, budget: Mapping[str, int], clock: Clock | None = None
) -> list[dict[str, Any]]:
    """One row per scope of this year and of each ledger year with a charge: spent, left, ceiling in nano-rho, words.

    `renews` is the ISO date on which the next ledger year's budget begins.
    """
    this_year = today(clock or SystemClock()).year
    years = sorted({this_year, *ledger.years()})
    return [_row(year, scope, ledger.spent(year)[scope], budget[scope]) for year in years for scope in SCOPES]


def _row(year: int, scope: str, spent: int, ceiling: int) -> dict[str, Any]:
    left, renews = max(0, ceiling - spent), date(year + 1, 1, 1).isoformat()
    return {
        "year": year,
        "scope": scope,
        "spent_nano": spent,
        "ceiling_nano": ceiling,
        "left_nano": left,
        "renews": renews,
        "text": f"{year}, {_PROTECTED[scope]}: {_spent_words(spent, ceiling)}; {_left_words(year, left, renews)}",
    }


def _spent_words(spent: int, ceiling: int) -> str:
    if spent == 0:
        return f"nothing is spent of epsilon {display_epsilon(ceiling)}"
    epsilon = f"epsilon {display_epsilon(spent)} of {display_epsilon(ceiling)}"
    rho = f"rho {spent / NANO:.6f} of {ceiling / NANO:.6f}"
    return f"{100 * spent / ceiling:.1f} % of the ceiling is spent ({epsilon}; {rho})"


def _left_words(year: int, left: int, renews: str) -> str:
    rest = f"rho {left / NANO:.6f} is left" if left else "nothing is left, so plans that need it are refused"
    return f"{rest}, and {year + 1} has a budget of its own from {renews}"
