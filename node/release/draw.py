"""Drawing a slice: admit, count, add noise. Exact numbers live inside this module's calls and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from node.ledger.register import contributions
from node.ledger.store import Ledger
from node.measures.cases import cases
from node.measures.counting import Contributions, admit_cases, count_slice
from node.release.request import Ask
from node.release.site import SiteData
from privacy.mechanisms import noisy_counts
from protocols.catalogue.model import Catalogue, Tally
from protocols.v1 import leadline_pb2 as pb


@dataclass(frozen=True)
class Drawn:
    """The noised part of a slice, and the cases that it admitted for the first time, by tally."""

    tables: tuple[pb.NoisyTable, ...]
    admitted: Mapping[str, Contributions]


def draw_slice(ask: Ask, catalogue: Catalogue, site: SiteData, ledger: Ledger, person_keys: bool) -> Drawn:
    """Noise every table of the plan whose periods close in the quarter."""
    newest = max(ledger.sealed_quarters(ask.plan_digest), default=0)
    months = range(3 * newest + 1, 3 * ask.quarter + 1)
    tables: list[pb.NoisyTable] = []
    admitted: dict[str, Contributions] = {}
    for request in ask.plan.tallies:
        tally = catalogue.tally(request.tally)
        before = contributions(ledger, ask.plan_digest, tally)
        found = cases(tally, site.views[tally.view], person_keys)
        new = admit_cases(tally, found, before, ask.plan.year, months)
        admitted[tally.id] = new
        tables.extend(_noisy_tables(request, tally, before.joined(new), ask.quarter))
    return Drawn(tuple(tables), admitted)


def _noisy_tables(
    request: pb.TallyRequest, tally: Tally, contributions: Contributions, quarter: int
) -> list[pb.NoisyTable]:
    drawn = []
    for position, table in enumerate(request.tables):
        counts = count_slice(tally, table, contributions, quarter)
        if counts.size:
            noisy = noisy_counts(counts, request.cap, table.rho_nano)
            values = [int(value) for value in noisy.values]
            drawn.append(pb.NoisyTable(tally=tally.id, table=position, values=values, sigma_1024=noisy.sigma_1024))
    return drawn
