"""What a check finds, and how findings are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from protocols.operator.errors import ExitCode


class State(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check: what was found, and what to do where something is not in order."""

    state: State
    words: str
    remedy: str = ""


@dataclass(frozen=True)
class Finding:
    """A verdict under the stable name and the title of its check. `exit_code` is what it is worth if it failed."""

    check: str
    title: str
    state: State
    words: str
    remedy: str
    exit_code: ExitCode

    def as_dict(self) -> dict[str, object]:
        """For programs."""
        fields = asdict(self)
        del fields["exit_code"]
        return fields


def ok(words: str) -> Verdict:
    """It is in order."""
    return Verdict(State.OK, words)


def warning(words: str, remedy: str) -> Verdict:
    """It works, and should be looked at."""
    return Verdict(State.WARNING, words, remedy)


def failed(words: str, remedy: str) -> Verdict:
    """The node cannot answer, or not safely, until this is mended."""
    return Verdict(State.FAILED, words, remedy)


def skipped(words: str) -> Verdict:
    """It could not be looked at, for a reason that another check names."""
    return Verdict(State.SKIPPED, words)


def exit_code_of(findings: Sequence[Finding]) -> ExitCode:
    """0 if nothing failed, 2 if only keys or the connection did, 1 otherwise."""
    codes = {finding.exit_code for finding in findings if finding.state is State.FAILED}
    if not codes:
        return ExitCode.OK
    return ExitCode.CONNECTION if codes == {ExitCode.CONNECTION} else ExitCode.REFUSED


_MARKS = {State.OK: "ok     ", State.WARNING: "warning", State.FAILED: "FAILED ", State.SKIPPED: "skipped"}


def report(findings: Sequence[Finding]) -> str:
    """One line per check, with what to do below it where something is to be done; then the sum."""
    width = max(len(finding.title) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.state]}  {finding.title:<{width}}  {finding.words}")
        if finding.remedy:
            lines.append(f"{'':9}{'':{width}}  What to do: {finding.remedy}")
    return "\n".join([*lines, "", _sum(findings)])


def _sum(findings: Sequence[Finding]) -> str:
    failures = sum(finding.state is State.FAILED for finding in findings)
    warnings = sum(finding.state is State.WARNING for finding in findings)
    if failures:
        return f"{failures} failed, {warnings} to look at. Mend what failed, and run preflight again."
    if warnings:
        return f"Nothing failed; {warnings} to look at. Next: leadline-node start"
    return "Everything is in order. Next: leadline-node start"
