"""Whether the node could answer: ledger, keys, approval and clock, each with what to do where it is not in order."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from node.clock import Clock
from node.config import NodeConfig
from node.ledger.store import Ledger
from node.membership import MembershipState, describe, load_membership
from node.personkey import load_person_key
from protocols.keys import KeyFileError, load_private_key
from protocols.operator.errors import OperatorError

BACKWARDS_S = 60


class NotReadyError(Exception):
    """Why the node cannot answer: public facts, and what to do."""

    def __init__(self, words: str, remedy: str) -> None:
        super().__init__(words)
        self.remedy = remedy


@dataclass(frozen=True)
class Readiness:
    """One condition; `problem` and `remedy` are empty where it holds."""

    name: str
    problem: str = ""
    remedy: str = ""


def look(config: NodeConfig, ledger: Ledger, clock: Clock) -> tuple[Readiness, ...]:
    """Every condition, whether or not another one fails."""
    conditions: dict[str, Callable[[], None]] = {
        "ledger": lambda: check_writable(config.paths.ledger),
        "keys": lambda: check_keys(config),
        "approval": lambda: check_approval(config, clock),
        "clock": lambda: check_clock(ledger, clock),
    }
    return tuple(_examine(name, check) for name, check in conditions.items())


def check_writable(ledger: Path) -> None:
    """The ledger's database can be written (nothing is)."""
    try:
        db = sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=rw", uri=True, timeout=5, isolation_level=None)
        try:
            db.execute("begin immediate")
            db.execute("rollback")
        finally:
            db.close()
    except sqlite3.Error as error:
        remedy = "check that the file is there, the disk is not full, and the daemon's user may write to its folder"
        raise NotReadyError(f"the ledger {ledger} cannot be written ({error})", remedy) from error


def check_keys(config: NodeConfig) -> None:
    """Both of the site's secret keys can be read by this user alone, and the person key is still the same."""
    keys = config.paths.signing_key, config.paths.person_key
    try:
        load_private_key(config.paths.signing_key)
        load_person_key(config.paths.person_key, config.paths.journal)
    except (KeyFileError, OSError) as error:
        open_to_others = [path for path in keys if path.is_file() and path.stat().st_mode & 0o077]
        remedy = f"chmod 600 {' '.join(map(str, open_to_others))}"
        if not open_to_others:
            remedy = "restore the keys, with mode 0600, from your backup"
        raise NotReadyError(str(error), remedy) from error


def check_approval(config: NodeConfig, clock: Clock) -> None:
    """The PSO's approval is there, for these keys, and in force."""
    remedy = "ask the PSO for a new approval, and import it: leadline-node import-approval FILE"
    try:
        membership = load_membership(config)
    except (OperatorError, OSError) as error:
        raise NotReadyError(str(error), remedy) from error
    if membership is None:
        raise NotReadyError("no PSO has approved this site yet", "leadline-node request makes the file to send")
    if membership.state(clock.now_s()) is not MembershipState.VALID:
        raise NotReadyError(describe(membership, clock.now_s()), remedy)


def check_clock(ledger: Ledger, clock: Clock) -> None:
    """The clock is not behind the ledger's newest entry: it was right once."""
    newest = max((int(entry.content["at"]) for entry in ledger.entries()), default=0)
    if clock.now_s() < newest - BACKWARDS_S:
        raise NotReadyError("the clock is behind the ledger's newest entry", "set it by NTP, then look again")


def _examine(name: str, check: Callable[[], None]) -> Readiness:
    try:
        check()
    except NotReadyError as error:
        return Readiness(name, str(error), error.remedy)
    return Readiness(name)
