"""The state of a node at a glance: what `status` prints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from node.clock import Clock
from node.config import NodeConfig
from node.identity import load_signing_key, open_ledger
from node.journal import Journal
from node.ledger.budget import describe_budget
from node.membership import describe, load_membership
from node.pauses import Pause, paused_by
from node.service.only import daemon_lock, is_held, worker_lock


@dataclass(frozen=True)
class NodeState:
    """What a node is doing. Times are RFC 3339 in UTC; a text that is empty says that there is nothing to say."""

    site: str
    running: bool
    worker: bool
    paused: bool
    paused_by: str
    approval: str
    approval_until: str
    heard_at: str
    released_at: str
    left: bool
    budget: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)

    def text(self) -> str:
        """For people."""
        at_work = "at work" if self.worker else "at rest"
        lines = [f"site {self.site}: daemon {f'running, worker {at_work}' if self.running else 'not running'}"]
        lines += ["left the network: nothing is answered any more"] if self.left else []
        lines += [_PAUSES[self.paused_by]] if self.paused else []
        lines += [f"approval: {self.approval}"]
        lines += [f"last heard from the PSO: {self.heard_at or 'never'}"]
        lines += [f"last release: {self.released_at or 'none'}"]
        lines += [row["text"] for row in self.budget] or ["nothing has been charged yet"]
        return "\n".join(lines)


_PAUSES: dict[str, str] = {
    Pause.OPERATOR: "paused: nothing is released until `leadline-node resume`",
    Pause.REBOOT: "paused for a reboot: `leadline-node start` or `resume` ends it",
}


def look_at(config: NodeConfig, clock: Clock) -> NodeState:
    """Read the state from disk; nothing is asked of the daemon, so a busy one does not delay it."""
    ledger = open_ledger(config, load_signing_key(config), clock)
    membership, why = load_membership(config), paused_by(config)
    heard_at_s = Journal(config.paths.journal).heard_at_s()
    sent = [int(content["at"]) for content in ledger.contents("sent")]
    state = NodeState(
        site=config.site.id,
        running=is_held(daemon_lock(config.paths.socket)),
        worker=is_held(worker_lock(config.paths.socket)),
        paused=why is not None,
        paused_by=why or "",
        approval=describe(membership, clock.now_s()) if membership else "none yet; send a `leadline-node request`",
        approval_until=_moment(membership.approval.valid_until_s) if membership else "",
        heard_at=_moment(heard_at_s) if heard_at_s is not None else "",
        released_at=_moment(max(sent)) if sent else "",
        left=ledger.has_left(),
        budget=tuple(describe_budget(ledger, config.policy.budget_nano(), clock)),
    )
    ledger.close()
    return state


def _moment(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat().replace("+00:00", "Z")
