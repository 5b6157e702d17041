"""What an operator sees of a round: sites complete, and for each that is not, what is missing and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from coordinator.rounds.states import RequestState
from coordinator.store.reader import Reader, RoundProgress
from coordinator.store.schema import Request, Round
from protocols.operator.console import table
from protocols.refusals import EXPLANATIONS, Code


@dataclass(frozen=True)
class SiteStatus:
    """One site in one round: its four quarters' states, and the last refusal with what to do about it."""

    site_id: str
    quarters: tuple[RequestState, ...]
    refusal_code: str
    refusal_detail: str
    remedy: str


@dataclass(frozen=True)
class RoundStatus:
    """A round, its progress, and its sites."""

    round: Round
    progress: RoundProgress
    sites: tuple[SiteStatus, ...]

    def as_data(self) -> dict[str, object]:
        """For programs."""
        return {
            "round_id": self.round.round_id,
            "plan_id": self.round.plan_id,
            "state": self.round.state.value,
            "deadline": self.round.deadline.isoformat(),
            "reason": self.round.reason,
            "minimum_sites": self.round.minimum_sites,
            **vars(self.progress),
            "site_status": [vars(site) for site in self.sites],
        }


def round_status(reader: Reader) -> list[RoundStatus]:
    """The status of every round, in the order of their opening."""
    return [
        RoundStatus(round_, reader.progress(round_.round_id), tuple(_site_statuses(reader.requests(round_.round_id))))
        for round_ in reader.rounds()
    ]


def _site_statuses(requests: Sequence[Request]) -> list[SiteStatus]:
    found = []
    for site_id, group in groupby(requests, key=lambda request: request.site_id):
        own = list(group)
        refused = next((r for r in own if r.refusal_code and r.state is not RequestState.ANSWERED), None)
        code = refused.refusal_code if refused else ""
        detail = refused.refusal_detail if refused else ""
        remedy = EXPLANATIONS[Code(code)].remedy if code else ""
        found.append(SiteStatus(site_id, tuple(r.state for r in own), code, detail, remedy))
    return found


def status_text(found: Sequence[RoundStatus]) -> str:
    """For people."""
    return "\n\n".join(map(_round_text, found)) or "There is no round yet; open one with: rounds open --year YEAR"


def _round_text(status: RoundStatus) -> str:
    round_, progress = status.round, status.progress
    head = (
        f"{round_.round_id}: {round_.state.value}, {progress.complete_sites} of {progress.sites} sites complete "
        f"(minimum {round_.minimum_sites}), deadline {round_.deadline:%Y-%m-%d %H:%M} UTC"
    )
    rows = [
        (site.site_id, *(q.value for q in site.quarters), _why(site))
        for site in status.sites
        if set(site.quarters) != {RequestState.ANSWERED}
    ]
    lines = [head, *([round_.reason] if round_.reason else [])]
    return "\n".join([*lines, table(("site", "Q1", "Q2", "Q3", "Q4", "last refusal"), rows)] if rows else lines)


def _why(site: SiteStatus) -> str:
    if not site.refusal_code:
        return "-"
    detail = f" ({site.refusal_detail})" if site.refusal_detail else ""
    return f"{site.refusal_code}{detail}: {site.remedy}"
