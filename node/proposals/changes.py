"""A person's decisions about a proposal, and what is then ready to be written: pure functions on frozen data."""

from __future__ import annotations

from collections.abc import Iterable

from node.proposals.codes import read_codes
from node.proposals.drafting import missing_column
from node.proposals.model import CODES_SHOWN, Change, Choice, Missing, Proposal, ProposedSource
from node.tables.mapping import FLAG_CODES, Origin
from node.tables.schema import TABLES, Column


class ChangeError(ValueError):
    """A change that does not fit the proposal; the text says what there is instead, in one line."""


def apply(proposal: Proposal, changes: Iterable[Change]) -> Proposal:
    """The proposal after a person's changes, in order; ChangeError if one names what is not there."""
    for change in changes:
        proposal = _with_source(proposal, change)
        touched = [source for source in proposal.sources if _meant(source, change)]
        if not touched:
            tables = ", ".join(dict.fromkeys(source.table for source in proposal.sources))
            raise ChangeError(f"no proposed source fills {change.table}; proposed are {tables or 'none'}")
        if change.act == "use":
            touched = [source for source in touched if change.value in columns_of(proposal, source)]
            if not touched:
                raise ChangeError(f"no file proposed for {change.table} has a column '{change.value}'")
        sources = tuple(_changed(proposal, s, change) if s in touched else s for s in proposal.sources)
        proposal = proposal.model_copy(update={"sources": sources})
    return proposal


def _with_source(proposal: Proposal, change: Change) -> Proposal:
    """The proposal, with a source of its own for a column of a table that nothing was proposed for."""
    known = change.table in TABLES and change.act == "use" and change.file == ""
    if not known or any(source.table == change.table for source in proposal.sources):
        return proposal
    looks = [look for look in proposal.files if change.value in {column.name for column in look.columns}]
    if len(looks) != 1:
        found = f"{len(looks)} exports have" if looks else "no export has"
        raise ChangeError(f"nothing was proposed for {change.table}, and {found} a column '{change.value}'")
    look = looks[0]
    opened = ProposedSource(
        table=change.table,
        file=look.file,
        sheet=look.sheet,
        where=look.where,
        confidence=0.0,
        why="chosen by hand",
        choices=(),
        missing=tuple(missing_column(column, TABLES[change.table]) for column in TABLES[change.table].columns),
    )
    return proposal.model_copy(update={"sources": (*proposal.sources, opened)})


def _check_codes(column: Column, codes: Iterable[str]) -> None:
    allowed = {"code": column.codes, "flag": FLAG_CODES}.get(column.kind)
    for code in codes:
        if allowed is None:
            raise ChangeError(f"column '{column.name}' is a {column.kind}; codes go with codes and flags")
        if code not in allowed:
            raise ChangeError(f"column '{column.name}' has no code '{code}'; it has {', '.join(allowed)}")


def _meant(source: ProposedSource, change: Change) -> bool:
    same_rows = change.where in (None, source.where) and change.sheet in (None, source.sheet)
    return source.table == change.table and change.file in ("", source.file) and same_rows


def columns_of(proposal: Proposal, source: ProposedSource) -> dict[str, tuple[str, ...]]:
    """The columns of the export that may be chosen for a source, with their codes."""
    looks = [look for look in proposal.files if (look.file, look.sheet) == (source.file, source.sheet)]
    fitting = [look for look in looks if look.where.items() <= source.where.items()] or looks
    return {column.name: column.codes for look in fitting for column in look.columns}


def _changed(proposal: Proposal, source: ProposedSource, change: Change) -> ProposedSource:
    if not change.column:
        return source.model_copy(update={"wanted": change.act != "leave_out"})
    table = TABLES[source.table]
    known = {column.name: column for column in table.columns}
    if change.column not in known:
        raise ChangeError(f"table {source.table} has no column '{change.column}'; it has {', '.join(known)}")
    column = known[change.column]
    _check_codes(column, change.codes.values())
    old = next((choice for choice in source.choices if choice.column == change.column), None)
    choices = [choice for choice in source.choices if choice.column != change.column]
    missing = [gap for gap in source.missing if gap.column != change.column]
    new: Choice | None = None
    if change.act == "leave_out":
        missing.append(Missing(column=column.name, cost="left out by hand", required=column.required))
    elif change.act == "constant":
        if column.kind in ("code", "flag"):
            _check_codes(column, [change.value])
        new = _settled(column.name, Origin(constant=change.value))
    elif change.act == "use":
        new = _chosen(source.table, change, columns_of(proposal, source)[change.value])
    elif old is not None:
        origin = old.origin.model_copy(update={"codes": {**old.origin.codes, **change.codes}})
        unread = tuple(word for word in old.unread if word not in change.codes)
        new = old.model_copy(update={"settled": True, "question": "", "origin": origin, "unread": unread})
    else:
        raise ChangeError(f"nothing is proposed for {source.table}.{change.column}; choose a column or a constant")
    order = {name: n for n, name in enumerate(known)}
    kept = sorted([*choices, *([new] if new else [])], key=lambda choice: order[choice.column])
    return source.model_copy(update={"choices": tuple(kept), "missing": tuple(missing)})


def _settled(column: str, origin: Origin, unread: tuple[str, ...] = ()) -> Choice:
    return Choice(column=column, origin=origin, confidence=1.0, why="chosen by hand", unread=unread, settled=True)


def _chosen(table: str, change: Change, codes: tuple[str, ...]) -> Choice:
    """A source column chosen by hand; for codes and flags its words are read as far as they are known."""
    column = TABLES[table].column(change.column)
    if column.kind not in ("code", "flag"):
        return _settled(column.name, Origin(column=change.value))
    numbered = column.kind == "code" and all(code.isdigit() for code in codes)
    reading = read_codes(table, column, [(code, 1) for code in codes], numbered)
    unread = tuple(word for word in reading.unread if word not in change.codes)[:CODES_SHOWN]
    return _settled(column.name, Origin(column=change.value, codes={**reading.codes, **change.codes}), unread)


def accepted(proposal: Proposal) -> Proposal:
    """What may be written without asking further: the sure sources, with their sure columns."""
    sources = tuple(
        source.model_copy(update={"choices": tuple(choice for choice in source.choices if choice.is_sure)})
        for source in proposal.sources
        if source.is_sure
    )
    return proposal.model_copy(update={"sources": sources})
