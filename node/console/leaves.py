"""What leaves: the kinds of things that can, and the receipt of everything that did."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from node.console.context import Context, site_ledger
from node.receipts import Receipt, receipts
from privacy.accountant import SIGMA_UNIT
from protocols.catalogue import current_catalogue
from protocols.catalogue.words import unit_words


@dataclass(frozen=True)
class NoisyCounts:
    """One table of a release: what it counts, whom the noise protects, and the noise of each count."""

    title: str
    protects: str
    values: int
    noise_sd: str


def router(context: Context) -> APIRouter:
    """`/leaves` and `/leaves/receipts/{number}`."""
    pages = APIRouter()

    def all_receipts() -> tuple[Receipt, ...]:
        with site_ledger(context) as ledger:
            return receipts(ledger)

    @pages.get("/leaves")
    def leaves(request: Request) -> Response:
        return context.render(request, "leaves.html", "leaves", receipts=all_receipts())

    @pages.get("/leaves/receipts/{number}")
    def receipt(request: Request, number: int) -> Response:
        found = next((receipt for receipt in all_receipts() if receipt.number == number), None)
        if found is None:
            raise HTTPException(404, f"There is no receipt {number}.")
        return context.render(request, "receipt.html", "leaves", receipt=found, counts=tuple(_counts(found)))

    return pages


def _counts(receipt: Receipt) -> list[NoisyCounts]:
    known = {tally.id: tally for tally in current_catalogue()[0].tallies}
    rows = []
    for table in receipt.release.tables:
        tally = known.get(table.tally)
        title = tally.title if tally else f"{table.tally}, of an earlier catalogue"
        noise_sd = f"{table.sigma_1024 / SIGMA_UNIT:.1f}"
        rows.append(NoisyCounts(title, unit_words(tally) if tally else "", len(table.values), noise_sd))
    return rows
