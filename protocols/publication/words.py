"""The words of the pages: why a figure is held back, how to read a group, how periods and peer groups are called."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.publication.change import Change
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Status

PEER_GROUPS = {
    "all": "All sites",
    "beds-under-100": "Hospitals with fewer than 100 beds",
    "beds-100-299": "Hospitals with 100 to 299 beds",
    "beds-300-plus": "Hospitals with 300 beds or more",
    "ems": "Emergency medical services",
}
READING_NOTES = {
    "Events and exposure": (
        "More recorded events can mean more harm, or better recording. The figures cannot tell the two apart."
    ),
    "Referral and activation": (
        "More referrals can mean more distress, or a programme that people know and trust. Neither is better by itself."
    ),
    "Reach and utilisation": ("Low use is not low need. Read reach (C1) beside the share of estimated need (C2)."),
    "Tier escalation": "Tier 1, the help of colleagues at hand, is rarely recorded, so its share is understated.",
}


@dataclass(frozen=True)
class StatusWords:
    """A status for a reader: a label of a few words, and the sentence that says which rule it comes from."""

    label: str
    reason: str


def status_words(status: Status, gate: GateRules) -> StatusWords:
    """Name the rule that held a figure back, with the thresholds that were in force."""
    label, reason = _STATUSES[status]
    return StatusWords(
        label,
        reason.format(
            min_sites=gate.min_sites,
            max_share=f"{gate.max_share * 100:g} %",
            min_difference=gate.min_difference,
            embargo_days=gate.embargo_days,
        ),
    )


_STATUSES = {
    Status.OK: ("Published", "The figure passed every rule of the publication gate."),
    Status.TOO_FEW_SITES: ("Too few sites", "Fewer than {min_sites} sites contribute."),
    Status.DOMINATED: (
        "One site dominates",
        "One site holds more than {max_share} of the exposure, so the figure would mostly describe that site.",
    ),
    Status.TOO_RECENT: (
        "Too recent",
        "The period had ended less than {embargo_days} days before the publication was made.",
    ),
    Status.TOO_FEW_EXPECTED: (
        "Too few cases",
        "So few cases are expected in this period that privacy noise would drown them.",
    ),
    Status.DIFFERENCING: (
        "Held back against subtraction",
        "Another published group differs from this one by fewer than {min_difference} sites, so that subtracting one "
        "from the other would come close to a single site.",
    ),
    Status.NOT_RUN: ("Not asked for", "No round asked the sites for this measure in this period."),
}


def change_words(change: Change, year: int) -> str:
    """`higher than in 2024`; honest when nothing can be said."""
    match change:
        case Change.HIGHER:
            return f"Higher than in {year}"
        case Change.LOWER:
            return f"Lower than in {year}"
        case Change.CANNOT_TELL:
            return "Cannot tell"
        case Change.NO_COMPARISON:
            return f"No figure for {year}"


def peer_group_words(peer_group: str) -> str:
    """The title of a peer group; groups of later versions are called by their id."""
    return PEER_GROUPS.get(peer_group, peer_group.replace("-", " ").capitalize())


def percentile_words(level: int) -> str:
    """`Median site` or `25th percentile of sites`."""
    return "Median site" if level == 50 else f"{level}th percentile"


def period_words(row: BenchmarkRow) -> str:
    """2025, 2025 Q1 or 2025-01."""
    start = row.period_start
    if row.grain == "year":
        return f"{start.year}"
    if row.grain == "quarter":
        return f"{start.year} Q{(start.month + 2) // 3}"
    return f"{start:%Y-%m}"


def sites_words(n_sites: int) -> str:
    """`1 site`, `12 sites`."""
    return f"{n_sites} site" if n_sites == 1 else f"{n_sites} sites"
