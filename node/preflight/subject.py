"""What the checks look at, read once: approval, ledger, the way to the SuperLink, and the exports."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from node.clock import Clock, today
from node.config import NodeConfig
from node.identity import load_signing_key, open_ledger
from node.ledger.store import Ledger
from node.membership import Membership, load_membership
from node.preflight.reach import Reach, Route, reach
from node.relay_settings import CA_NAME
from protocols.operator.errors import OperatorError

if TYPE_CHECKING:
    from node.preflight.reading import Reading


class Subject:
    """One site. What cannot be read raises each time it is asked for, and the check that asks says so."""

    def __init__(self, config: NodeConfig, clock: Clock) -> None:
        self.config, self.clock = config, clock

    @property
    def membership(self) -> Membership | None:
        """The approval, or None before the first; OperatorError if it cannot be relied on."""
        return load_membership(self.config)

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger, checked; OperatorError or LedgerError if it does not hold."""
        return open_ledger(self.config, load_signing_key(self.config), self.clock)

    @cached_property
    def reach(self) -> Reach | None:
        """The way to the SuperLink that the approval names, tried once; None where no approval names one."""
        try:
            membership = self.membership
        except (OperatorError, OSError):
            return None
        if membership is None:
            return None
        authorities = self.config.paths.relay / CA_NAME
        return reach(Route(membership.approval.superlink, authorities, self.config.network.proxy))

    @cached_property
    def reading(self) -> Reading:
        """The exports as a release would read them, and their quality report, which is written anew."""
        from node.preflight.reading import read_exports  # noqa: PLC0415 - what reads tables is large, the rest is not

        return read_exports(self.config, today(self.clock))
