"""Reading a request: what is unverified is bytes, what leaves this module is an `Ask` that was checked in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from protocols.catalogue.model import Catalogue
from protocols.periods import Grain, Period
from protocols.plan import QUARTERS, check_plan
from protocols.refusals import Code, Refused
from protocols.statement import open_statement
from protocols.v1 import leadline_pb2 as pb


@dataclass(frozen=True)
class Ask:
    """A request whose signatures, addressee, plan and period are in order. Budget and policy are not checked yet."""

    request: pb.Request
    plan: pb.Plan
    plan_digest: bytes
    asked_by: str  # key id of the PSO's key that signed the request

    @property
    def quarter(self) -> int:
        """1..4."""
        return self.request.quarter


def read_request(raw: bytes, site_id: str, pso_keys: Mapping[str, Ed25519PublicKey]) -> Ask:
    """Verify the request and the plan in it, in this order.

    1. the request: size, envelope, kind, key, signature, canonical body     2. it is for this site, and for a quarter
    3. the plan: the same checks as for the request
    """
    request = open_statement(raw, pb.Request, pso_keys)
    if request.message.site_id != site_id:
        raise Refused(Code.WRONG_SITE, f"this is {site_id}")
    if request.message.quarter not in QUARTERS:
        raise Refused(Code.BAD_PLAN, f"quarter {request.message.quarter}")
    plan = open_statement(request.message.plan, pb.Plan, pso_keys)
    return Ask(request.message, plan.message, plan.digest, request.key_id)


def check_ask(ask: Ask, catalogue: Catalogue, catalogue_digest: bytes, today: date) -> None:
    """The plan fits the catalogue and itself, and the quarter has closed (UNKNOWN_CATALOGUE, BAD_PLAN, PERIOD_OPEN)."""
    check_plan(ask.plan, catalogue, catalogue_digest)
    end = Period(ask.plan.year, 3 * ask.quarter - 2, Grain.QUARTER).end
    if today <= end:
        raise Refused(Code.PERIOD_OPEN, f"{ask.plan.year}-Q{ask.quarter} ends on {end}")
