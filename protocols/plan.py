"""A plan against its catalogue: is it sound, and which values does a slice of it hold, in which order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from protocols.catalogue.model import Catalogue, Tally
from protocols.periods import Grain, Period, periods_of
from protocols.refusals import Code, Refused
from protocols.v1 import leadline_pb2 as pb

GRAINS: dict[int, Grain] = {
    pb.GRAIN_MONTH: Grain.MONTH,
    pb.GRAIN_QUARTER: Grain.QUARTER,
    pb.GRAIN_YEAR: Grain.YEAR,
}
QUARTERS = (1, 2, 3, 4)
MAX_RHO_NANO = 100 * 10**9
TOTAL = "all"
PLAN_ID = r"[A-Za-z0-9._-]{1,64}"
EXPOSURE_STEP = 10  # sites round what they declare about a month to this
ROLE_GROUPS = (
    "nurse_midwife",
    "physician",
    "resident_trainee",
    "advanced_practice",
    "allied_health_pharmacy",
    "support_admin_other",
)
HEADCOUNT_BY_ROLE = tuple(f"headcount_{role}" for role in ROLE_GROUPS)  # exposures of sites that know the roles


@dataclass(frozen=True)
class Label:
    """What one released value counts."""

    period: Period
    stratum_code: str
    cell: str


def labels(tally: Tally, table: pb.Table, year: int, quarter: int) -> tuple[Label, ...]:
    """The values of `table` that close in `quarter`, in the order period, stratum code, cell."""
    periods = [period for period in periods_of(year, GRAINS[table.grain]) if period.quarter == quarter]
    codes = tally.strata[table.stratum] if table.stratum else (TOTAL,)
    cells = tally.cell_names if table.by_cell else (TOTAL,)
    return tuple(Label(period, code, cell) for period in periods for code in codes for cell in cells)


def slice_rho_nano(plan: pb.Plan, tally_ids: Iterable[str], quarter: int) -> int:
    """Cost of drawing the slice of `quarter` once: the whole cost of every table of these tallies that is in it."""
    wanted = set(tally_ids)
    return sum(
        table.rho_nano
        for request in plan.tallies
        if request.tally in wanted
        for table in request.tables
        if quarter * 3 % GRAINS[table.grain].months == 0
    )


def plan_rho_nano(plan: pb.Plan, tally_ids: Iterable[str]) -> int:
    """Cost of the whole year of these tallies: tables compose by addition."""
    wanted = set(tally_ids)
    return sum(t.rho_nano for request in plan.tallies if request.tally in wanted for t in request.tables)


def check_plan(plan: pb.Plan, catalogue: Catalogue, digest: bytes) -> None:
    """Refuse a plan that contradicts the catalogue or itself (UNKNOWN_CATALOGUE, BAD_PLAN)."""
    if plan.catalogue_digest != digest:
        raise Refused(Code.UNKNOWN_CATALOGUE, f"catalogue {plan.catalogue_digest.hex()[:16]}")
    if not re.fullmatch(PLAN_ID, plan.plan_id):
        raise Refused(Code.BAD_PLAN, "a plan id has 1 to 64 letters, digits, dots, hyphens and underscores")
    if not 2000 <= plan.year <= 2200 or not plan.tallies:
        raise Refused(Code.BAD_PLAN, "a plan needs a ledger year and at least one tally")
    if plan.mode not in (pb.MODE_SITE, pb.MODE_POOLED):
        raise Refused(Code.BAD_PLAN, "a plan needs a mode")
    if len({request.tally for request in plan.tallies}) != len(plan.tallies):
        raise Refused(Code.BAD_PLAN, "a tally appears twice")
    known = {tally.id: tally for tally in catalogue.tallies}
    for request in plan.tallies:
        if request.tally not in known:
            raise Refused(Code.BAD_PLAN, f"the catalogue has no tally {request.tally!r}"[:120])
        _check_request(request, known[request.tally])


def _check_request(request: pb.TallyRequest, tally: Tally) -> None:
    if request.cap != tally.cap:
        raise Refused(Code.BAD_PLAN, f"{tally.id}: the catalogue's cap is {tally.cap}")
    if not request.tables:
        raise Refused(Code.BAD_PLAN, f"{tally.id}: no table")
    shapes = {(table.grain, table.stratum, table.by_cell) for table in request.tables}
    if len(shapes) != len(request.tables):
        raise Refused(Code.BAD_PLAN, f"{tally.id}: a table appears twice")
    for table in request.tables:
        if table.grain not in GRAINS:
            raise Refused(Code.BAD_PLAN, f"{tally.id}: a table needs a grain")
        if table.stratum and table.stratum not in tally.strata:
            raise Refused(Code.BAD_PLAN, f"{tally.id}: no stratum {table.stratum!r}"[:120])
        if not 1 <= table.rho_nano <= MAX_RHO_NANO:
            raise Refused(Code.BAD_PLAN, f"{tally.id}: rho is out of range")
