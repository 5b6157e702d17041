"""The checks of where the site stands with the PSO: approval, the ledger in step, pauses, budget, the local clock."""

from __future__ import annotations

from node.clock import today
from node.ledger.budget import describe_budget
from node.membership import MembershipState, day_of, describe
from node.monitor.readiness import NotReadyError, check_clock
from node.pauses import Pause, paused_by
from node.preflight.finding import Verdict, failed, ok, warning
from node.preflight.subject import Subject
from protocols.v1 import leadline_pb2 as pb

RENEWED_FROM = 1 / 3  # the PSO renews when a third of an approval's life is left
DAY_S = 86_400
HIGH_SHARE = 0.9


def check_approval(subject: Subject) -> Verdict:
    """The PSO's approval is there, for these keys, in force, and renewed in time."""
    membership = subject.membership
    if membership is None:
        remedy = "send the file of `leadline-node request` to the PSO, then: leadline-node import-approval FILE"
        return failed("no PSO has approved this site yet", remedy)
    now_s, approval = subject.clock.now_s(), membership.approval
    if membership.state(now_s) is not MembershipState.VALID:
        return failed(describe(membership, now_s), "ask the PSO for a new approval: leadline-node import-approval FILE")
    days = (approval.valid_until_s - now_s) // DAY_S
    words = f"by {approval.pso_title}, until {day_of(approval.valid_until_s)}: {days} days left"
    if approval.valid_until_s - now_s < RENEWED_FROM * (approval.valid_until_s - approval.valid_from_s) - DAY_S:
        return warning(f"{words}; it should have been renewed", "see whether daemon and relay run, then ask the PSO")
    return ok(words)


def check_in_step(subject: Subject) -> Verdict:
    """The ledger holds the newest entry that was seen here or by the coordinator: it is no old backup."""
    ledger, membership = subject.ledger, subject.membership
    forgotten = ledger.forgotten()
    approval = membership.approval if membership is not None else pb.Approval()
    if approval.known_length and not ledger.knows(approval.known_length, approval.known_head):
        forgotten = max(forgotten, approval.known_length)
    if forgotten:
        remedy = (
            "an old copy of the ledger was put back: ask the PSO for a statement of what it holds (there: "
            "leadline-coordinator sites ledger --after 0), then: leadline-node ledger reconcile FILE"
        )
        return failed(f"entry {forgotten} was seen before, and this ledger does not hold it", remedy)
    return ok("it holds every entry that this machine and the coordinator have seen")


def check_pause(subject: Subject) -> Verdict:
    """Nobody has paused the site."""
    match paused_by(subject.config):
        case Pause.OPERATOR:
            return warning("paused: every plan is refused", "leadline-node resume")
        case Pause.REBOOT:
            return warning("paused for a reboot", "leadline-node start ends it, or leadline-node resume")
    return ok("not paused")


def check_budget(subject: Subject) -> Verdict:
    """What is left of the budget of this ledger year and the one before, which is what plans ask for."""
    year = today(subject.clock).year
    rows = describe_budget(subject.ledger, subject.config.policy.budget_nano(), subject.clock)
    spent = {
        f"{row['year']} {row['scope']}": row["spent_nano"] / row["ceiling_nano"]
        for row in rows
        if row["year"] >= year - 1
    }
    words = "; ".join(f"{name} {share:.0%} spent" for name, share in spent.items())
    if any(share > HIGH_SHARE for share in spent.values()):
        return warning(
            words, "nothing to do: what was paid for is answered, more is refused until the next ledger year"
        )
    return ok(words or "nothing is spent")


def check_local_clock(subject: Subject) -> Verdict:
    """The clock is not behind what the ledger has recorded."""
    try:
        check_clock(subject.ledger, subject.clock)
    except NotReadyError as error:
        return failed(str(error), error.remedy)
    return ok("not behind the ledger's newest entry")
