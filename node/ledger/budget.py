"""Ledger entries and budgets in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from node.ledger.chain import Entry
from node.ledger.store import Ledger
from privacy.accountant import NANO, display_epsilon


def describe_budget(ledger: Ledger, budget: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row per ledger year and scope with a charge: spent and ceiling in nano-rho, and a sentence."""
    rows = []
    for year in ledger.years():
        for scope, spent in ledger.spent(year).items():
            ceiling = budget[scope]
            text = (
                f"{year} {scope}: spent rho {spent / NANO:.4f} of {ceiling / NANO:.4f} "
                f"(epsilon {display_epsilon(spent)} of {display_epsilon(ceiling)})"
            )
            rows.append({"year": year, "scope": scope, "spent_nano": spent, "ceiling_nano": ceiling, "text": text})
    return rows


def describe_entry(entry: Entry) -> dict[str, Any]:
    """An entry with its hash and a sentence."""
    content = entry.content
    when = datetime.fromtimestamp(content["at"], UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return content | {
        "number": entry.number,
        "hash": entry.hash.hex(),
        "text": f"{entry.number:>5}  {when}  {_words(content)}  {entry.hash.hex()[:12]}",
    }


def _words(content: Mapping[str, Any]) -> str:
    if content["kind"] == "opened":
        return f"opened for site {content['site']}"
    what = f"plan {content['plan'][:12]} quarter {content['quarter']}"
    if content["kind"] == "sealed":
        return f"sealed    {what}, release {content['release'][:12]}"
    costs = ", ".join(f"{scope} rho {nano / NANO:.4f}" for scope, nano in content["charges"].items())
    return f"reserved  {what} of {content['year']}, attempt {content['attempt']}: {costs}"
