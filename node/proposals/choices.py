"""Choices as they are written on the command line: `--set table.column="Source column"` and its other forms."""

from __future__ import annotations

import re
from collections.abc import Iterable

from node.proposals.changes import ChangeError, accepted, apply
from node.proposals.model import Change, Proposal, ProposedSource
from node.tables.schema import TABLES
from protocols.operator.errors import InputError

_CHOICE = re.compile(r"\s*(?P<table>\w+)\.(?P<column>\w+)\s*(?:\[(?P<word>.+)\])?\s*=\s*(?P<value>.*\S)\s*", re.DOTALL)
CONSTANT = "const:"
_FORMS = 'write it as table.column="Source column", table.column=const:value or table.column[word]=code'


def parse_choice(text: str) -> Change:
    """The change that a --set means; InputError for anything else."""
    found = _CHOICE.fullmatch(text)
    if found is None:
        raise InputError("usage", f"'{text}' is no choice", _FORMS)
    place, value = {"table": found["table"], "column": found["column"]}, found["value"].strip('"')
    if found["word"] is not None:
        return Change(**place, codes={found["word"].strip('"'): value})
    if value.startswith(CONSTANT):
        return Change(**place, act="constant", value=value.removeprefix(CONSTANT).strip('"'))
    return Change(**place, act="use", value=value)


def decide(proposal: Proposal, changes: Iterable[Change]) -> Proposal:
    """The proposal after the choices of the command line; InputError for one that does not fit."""
    try:
        return apply(proposal, changes)
    except ChangeError as error:
        raise InputError("mapping", str(error), "run the command without --set to see the proposal") from error


def check_effect(proposal: Proposal, changes: Iterable[Change]) -> None:
    """InputError if a choice concerns a table that is not going to be written all the same."""
    written = {source.table for source in accepted(proposal).sources}
    for change in changes:
        if change.table not in written:
            reasons = [why for source in proposal.sources if source.table == change.table for why in [why_not(source)]]
            hint = "settle that as well, with further --set or on a terminal"
            message = f"--set {change.table}.{change.column} has no effect: the table is not written, because "
            raise InputError("mapping", message + "; ".join(reasons), hint)


def why_not(source: ProposedSource) -> str:
    """Why a source is not written, in words; "" if it is."""
    if source.is_sure:
        return ""
    if source.wanted is False:
        return "it was left out by hand"
    lacking = [gap.column for gap in source.missing if gap.required]
    if lacking:
        return f"{_listed(lacking)} {'has' if len(lacking) == 1 else 'have'} no column"
    required = {choice.column for choice in source.choices if not choice.is_sure}
    unsure = [column for column in required_columns(source) if column in required]
    return f"{_listed(unsure)} {'is' if len(unsure) == 1 else 'are'} not sure" if unsure else "it has an open question"


def required_columns(source: ProposedSource) -> list[str]:
    """The required columns of the table that a source fills."""
    return [column.name for column in TABLES[source.table].columns if column.required]


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
