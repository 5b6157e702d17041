"""The closed list of refusals: a code, why, and what to do next. Both ends use it and nothing else.

A refusal's `detail` may hold public facts only (identifiers, budgets, dates), never anything that depends on
protected rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """Every reason for which a statement is refused."""

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    NOT_CANONICAL = "not_canonical"
    WRONG_KIND = "wrong_kind"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    WRONG_SITE = "wrong_site"
    UNKNOWN_CATALOGUE = "unknown_catalogue"
    BAD_PLAN = "bad_plan"
    PLAN_CONFLICT = "plan_conflict"
    PERIOD_OPEN = "period_open"
    PAUSED = "paused"
    MEMBERSHIP_ENDED = "membership_ended"
    SITE_LEFT = "site_left"
    MODE_NOT_ALLOWED = "mode_not_allowed"
    TALLY_NOT_ALLOWED = "tally_not_allowed"
    STRATUM_NOT_ALLOWED = "stratum_not_allowed"
    TOO_FEW_HONEST_SITES = "too_few_honest_sites"
    BUDGET_EXHAUSTED = "budget_exhausted"
    LEDGER_BEHIND = "ledger_behind"
    PLAN_CLOSED = "plan_closed"
    DATA_NOT_READY = "data_not_ready"
    INTERNAL = "internal"
    # Coordinator only: what intake finds in a site's answer.
    UNKNOWN_PLAN = "unknown_plan"
    NOT_ASKED = "not_asked"
    WRONG_SHAPE = "wrong_shape"
    WRONG_NOISE = "wrong_noise"
    LEDGER_REWOUND = "ledger_rewound"
    RELEASE_CONFLICT = "release_conflict"


@dataclass(frozen=True)
class Explanation:
    """What a person reads beside a code."""

    why: str
    remedy: str
    retryable: bool


EXPLANATIONS: dict[Code, Explanation] = {
    Code.MALFORMED: Explanation(
        "The bytes are not a Leadline statement.",
        "Check that both ends run a supported version; if they do, treat the sender as faulty.",
        False,
    ),
    Code.TOO_LARGE: Explanation(
        "The statement is larger than the limit of the protocol.",
        "Ask for fewer tallies or tables in one plan.",
        False,
    ),
    Code.NOT_CANONICAL: Explanation(
        "The body is not in canonical form, or holds fields that this version does not know.",
        "Upgrade the older end, or have the sender sign canonical bytes.",
        False,
    ),
    Code.WRONG_KIND: Explanation(
        "The statement is of another kind than the one expected here.",
        "Check that the message was sent to the right place.",
        False,
    ),
    Code.UNKNOWN_KEY: Explanation(
        "The statement is signed with a key that is not enrolled here.",
        "Compare the key's fingerprint with the other side by telephone, then enrol the new key.",
        False,
    ),
    Code.BAD_SIGNATURE: Explanation(
        "The signature does not fit the bytes: they were altered, or signed with another key.",
        "Ask for the statement again; if it happens twice, treat the connection as hostile.",
        False,
    ),
    Code.WRONG_SITE: Explanation(
        "The statement names another site than the one it was given to, or than its signer.",
        "Check the site's registration at the coordinator.",
        False,
    ),
    Code.UNKNOWN_CATALOGUE: Explanation(
        "The plan is written against a catalogue that this node does not hold.",
        "Install the release of Leadline that carries the catalogue with this digest.",
        True,
    ),
    Code.BAD_PLAN: Explanation(
        "The plan contradicts the catalogue or itself.",
        "Correct the plan and sign it under a new plan id.",
        False,
    ),
    Code.PLAN_CONFLICT: Explanation(
        "A different plan with the same plan id was carried out before.",
        "Give the new plan a new plan id.",
        False,
    ),
    Code.PERIOD_OPEN: Explanation(
        "The quarter that is asked for has not closed yet at this site.",
        "Ask again after the quarter's last day; check both clocks if it has passed.",
        True,
    ),
    Code.PAUSED: Explanation(
        "The site has paused its participation.",
        "Nothing needs to be done; the site answers again when it resumes.",
        True,
    ),
    Code.MEMBERSHIP_ENDED: Explanation(
        "The PSO's approval of this site has ended, or has not begun.",
        "The PSO sends a new approval: over the pipe by itself, or as a file for `leadline-node import-approval`.",
        True,
    ),
    Code.SITE_LEFT: Explanation(
        "The site has left the network for good.",
        "Nothing: to take part again the hospital enrols as a new site.",
        False,
    ),
    Code.MODE_NOT_ALLOWED: Explanation(
        "The site's policy does not allow this mode.",
        "Ask in a mode that the site allows, or ask the site to change its policy.",
        False,
    ),
    Code.TALLY_NOT_ALLOWED: Explanation(
        "The site's policy does not allow a tally of the plan.",
        "Leave the tally out for this site, or ask the site to change its policy.",
        False,
    ),
    Code.STRATUM_NOT_ALLOWED: Explanation(
        "The site's policy does not allow a stratum of the plan.",
        "Ask for totals, or ask the site to change its policy.",
        False,
    ),
    Code.TOO_FEW_HONEST_SITES: Explanation(
        "The plan promises fewer honest sites than the site's policy demands.",
        "Raise the plan's minimum of honest sites.",
        False,
    ),
    Code.BUDGET_EXHAUSTED: Explanation(
        "The plan would take the site above its privacy budget for this ledger year.",
        "Ask for less (fewer tallies, or more noise), or wait for the ledger year that renews the budget.",
        False,
    ),
    Code.LEDGER_BEHIND: Explanation(
        "The site's ledger is behind the one that the coordinator has seen: a backup was restored.",
        "The site's operator reconciles the ledger before anything more is released.",
        False,
    ),
    Code.PLAN_CLOSED: Explanation(
        "The site restored an old ledger within this plan's year, so it no longer knows who was counted before.",
        "Nothing can be done for this plan; the next ledger year's plan is answered.",
        False,
    ),
    Code.DATA_NOT_READY: Explanation(
        "The site's exports cannot be read as they stand.",
        "The site's operator runs `leadline-node preflight` and mends what it names.",
        True,
    ),
    Code.INTERNAL: Explanation(
        "The node met a fault of its own.",
        "The site's operator looks at the node's log, mends the cause, and the coordinator asks again.",
        True,
    ),
    Code.UNKNOWN_PLAN: Explanation(
        "The answer names a plan that the coordinator did not sign.",
        "Check that the site talks to this coordinator and no other.",
        False,
    ),
    Code.NOT_ASKED: Explanation(
        "The answer belongs to a quarter or a site that was not asked, or the round has ended.",
        "Nothing needs to be done; the answer was not used.",
        False,
    ),
    Code.WRONG_SHAPE: Explanation(
        "The answer's tables do not have the cells that the plan names.",
        "Check that both ends run a supported version; if they do, treat the site as faulty.",
        False,
    ),
    Code.WRONG_NOISE: Explanation(
        "The answer states another noise than the plan asks for.",
        "Check that both ends run a supported version; if they do, treat the site as faulty.",
        False,
    ),
    Code.LEDGER_REWOUND: Explanation(
        "The ledger head in the answer is older than one that the site sent before.",
        "The site's operator reconciles the ledger; until then its answers are not used.",
        False,
    ),
    Code.RELEASE_CONFLICT: Explanation(
        "The site answered the same request before with other bytes.",
        "The first answer stands. Ask the site how the second came about: it may have cost budget.",
        False,
    ),
}


class Refused(Exception):
    """A statement that is refused: a code from the closed list, and public facts about this case."""

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(f"{code.value}: {detail or EXPLANATIONS[code].why}")
        self.code = code
        self.detail = detail

    @property
    def explanation(self) -> Explanation:
        """Why, what to do, and whether asking again can help."""
        return EXPLANATIONS[self.code]
