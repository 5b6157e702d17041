"""Preflight: every condition that a node stands on, each looked at by itself and explained with what to do."""

from __future__ import annotations

from node.clock import Clock
from node.config import NodeConfig
from node.explain import explain
from node.logs import describe_fault
from node.preflight.checks import CHECKS, Check
from node.preflight.finding import Finding, Verdict, failed, skipped
from node.preflight.subject import Subject

NOT_LOOKED_AT = "not looked at: --offline"
"""What is said of a check that needs the network, where none is to be used."""


def run_preflight(config: NodeConfig, clock: Clock, offline: bool = False) -> tuple[Finding, ...]:
    """Every check in order. One that meets a fault of its own has failed, and hides no other."""
    subject = Subject(config, clock)
    return tuple(_finding(check, _look(check, subject, offline)) for check in CHECKS)


def _look(check: Check, subject: Subject, offline: bool) -> Verdict:
    if offline and check.online:
        return skipped(NOT_LOOKED_AT)
    try:
        return check.look(subject)
    except Exception as error:
        known = explain(error)
        if known is not None:
            return failed(known.message, known.hint)
        # The text of an unforeseen error may quote protected rows.
        words = f"the check could not be carried out ({describe_fault(error)})"
        return failed(words, "mend what else has failed and look again; if this stays, report it with the version")


def _finding(check: Check, verdict: Verdict) -> Finding:
    return Finding(check.name, check.title, verdict.state, verdict.words, verdict.remedy, check.exit_code)
