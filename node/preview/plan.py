"""Which plan a preview answers: the newest that the PSO has signed, else a year of the core measures."""

from __future__ import annotations

from node.config import ALL, Policy
from protocols.catalogue.model import Catalogue
from protocols.operator.errors import RuleError
from protocols.refusals import Refused
from protocols.statement import parse_canonical, parse_envelope
from protocols.v1 import leadline_pb2 as pb

INVENTED_ID = "preview"


def newest_plan(envelope: bytes | None, digest: bytes) -> pb.Plan | None:
    """The plan in an envelope that the node kept, if it can be read and is of the catalogue with this digest."""
    try:
        plan = parse_canonical(parse_envelope(envelope or b"").body, pb.Plan)
    except Refused:
        return None
    return plan if plan.catalogue_digest == digest else None


def invent_plan(policy: Policy, catalogue: Catalogue, digest: bytes, year: int) -> pb.Plan:
    """A yearly plan of one table per tally of the core measures, which spends the whole of each scope's ceiling.

    RuleError if the policy allows no core measure.
    """
    allowed = [m for m in catalogue.measures if m.core and "site" in m.publish.modes]
    named = [m for m in allowed if ALL in policy.measures or m.id in policy.measures]
    tallies = [catalogue.tally(name) for name in dict.fromkeys(t for measure in named for t in measure.tallies)]
    if not tallies:
        problem = "the policy allows no measure for which a plan could ask this site"
        raise RuleError("nothing_to_preview", problem, "look at policy.measures in node.toml")
    shares = {
        scope: nano // max(1, sum(t.unit == scope for t in tallies)) for scope, nano in policy.budget_nano().items()
    }
    return pb.Plan(
        plan_id=INVENTED_ID,
        catalogue_digest=digest,
        year=year,
        mode=pb.MODE_SITE,
        tallies=[
            pb.TallyRequest(
                tally=tally.id,
                cap=tally.cap,
                tables=[pb.Table(grain=pb.GRAIN_YEAR, by_cell=True, rho_nano=shares[tally.unit])],
            )
            for tally in tallies
        ],
        minimum_honest_sites=policy.minimum_honest_sites,
    )
