"""Ledger entries and reconciliations in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from node.ledger.chain import Entry
from node.ledger.reconcile import Reconciled
from privacy.accountant import NANO


def utc_words(at_s: int) -> str:
    """A Unix time as RFC 3339, UTC."""
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def cost_words(charges: Mapping[str, int]) -> str:
    """Charges per scope: `clinician rho 0.030000, record rho 0.000000`."""
    return ", ".join(f"{scope} rho {nano / NANO:.6f}" for scope, nano in charges.items())


def describe_entry(entry: Entry) -> dict[str, Any]:
    """An entry with its hash and a sentence."""
    content = entry.content
    return content | {
        "number": entry.number,
        "hash": entry.hash.hex(),
        "text": f"{entry.number:>5}  {utc_words(content['at'])}  {_words(content)}  {entry.hash.hex()[:12]}",
    }


def _words(content: Mapping[str, Any]) -> str:
    slice_ = f"plan {content['plan'][:12]} quarter {content['quarter']}" if "quarter" in content else ""
    match content["kind"]:
        case "opened":
            what = f"for site {content['site']}, key {content['key_id']}"
        case "reserved":
            what = f"{slice_} of {content['year']}, attempt {content['attempt']}: {cost_words(content['charges'])}"
        case "sealed":
            what = f"{slice_}, release {content['release'][:12]}"
        case "sent":
            what = f"{slice_}, sealed in entry {content['sealed']}, {content['bytes']} bytes to {content['to']}"
        case "rekeyed":
            what = f"from here on signed with key {content['key_id']}"
        case "reconciled":
            what = _reconciled_words(content)
        case _:
            what = "the site has left; nothing follows"
    return f"{content['kind']:<10}  {what}"


def _reconciled_words(content: Mapping[str, Any]) -> str:
    charges = "; ".join(f"{year}: {cost_words(scopes)}" for year, scopes in content["charges"].items())
    kept, closed = len(content["releases"]), len(content["plans"])
    known = f"with entries that were seen before: {', '.join(str(length) for length, _ in content['seen'])}"
    return f"{known}; answers kept again: {kept}, plans closed: {closed}, charged: {charges or 'nothing'}"


def explain_reconciliation(found: Reconciled) -> str:
    """What was lost and what a reconciliation does about it, for the operator who has to agree."""
    if found.is_known:
        return (
            f"This ledger knows entry {found.known_length}, the newest that the PSO has seen, and every one that this "
            "machine has seen; nothing needs to be done."
        )
    return "\n".join([*_lost_lines(found), "If you go on:", *_remedy_lines(found)])


def _lost_lines(found: Reconciled) -> Iterator[str]:
    yield f"This ledger ends with entry {found.own_length}; the newest that the PSO has seen is {found.known_length}."
    if found.seen:
        yield f"The newest that this machine has seen is {max(length for length, _ in found.seen)}."
    yield f"Answers that left this site and that this ledger has forgotten: {len(found.lost)}"
    for item in found.lost:
        slice_ = f"{item.plan.year}-Q{item.release.quarter} of plan {item.plan.plan_id}"
        twice = "; this ledger drew it a second time" if item.is_second else ""
        yield f"  {slice_}, drawn {utc_words(item.release.sealed_at_s)}, {len(item.envelope)} bytes{twice}"


def _remedy_lines(found: Reconciled) -> Iterator[str]:
    if found.lost:
        yield "- These answers are kept again. Where they are asked for again, the same bytes go out at no cost."
    for year, charges in found.charges.items():
        if year in found.years_closed:
            yield f"- Ledger year {year} is charged up to your ceiling: more may have been drawn than is known."
        else:
            yield f"- Ledger year {year} is charged what these answers cost: {cost_words(charges)}."
    for closed in found.plans.values():
        yield f"- Plan {closed.plan_id} of {closed.year} is closed: whom its quarters counted is forgotten."
    yield "- What was spent stays spent. This cannot be undone."
