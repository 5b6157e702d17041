"""Settling a proposal on a terminal: source by source, what is missing, what is not sure, and code by code."""

from __future__ import annotations

import typer

from node.proposals.changes import ChangeError, apply
from node.proposals.choices import CONSTANT
from node.proposals.model import Change, Choice, Proposal, ProposedSource
from node.tables.mapping import FLAG_CODES
from node.tables.schema import TABLES


def ask(proposal: Proposal) -> Proposal:
    """Go through the sources, and take a person's decisions."""
    for source in proposal.sources:
        proposal = _ask_source(proposal, source)
    return proposal


def _ask_source(proposal: Proposal, source: ProposedSource) -> Proposal:
    sheet = f", sheet {source.sheet}" if source.sheet else ""
    print(f"\n{source.file}{sheet} -> {source.table}")
    if _prompt("[Enter] go through it, [-] leave the whole source out") == "-":
        return apply(proposal, [_change(source, act="leave_out")])
    for gap in source.missing:
        if gap.required:
            print(f"\n{source.table}.{gap.column}: no column was found{': ' + gap.cost if gap.cost else ''}")
            proposal = _ask_missing(proposal, source, gap.column)
    for choice in source.choices:
        if not choice.is_sure:
            print(f"\n{source.table}.{choice.column}: {origin_words(choice)}\n  {choice.why}")
            if choice.alternatives:
                print(f"  it could also be: {', '.join(choice.alternatives)}")
            proposal = _ask_choice(proposal, source, choice)
    for column in [choice.column for choice in source.choices]:
        proposal = _ask_codes(proposal, source, column)
    if source.questions:
        print(f"\n{source.file} -> {source.table}: {' '.join(source.questions)}")
        act = "keep" if typer.confirm("Use this source as proposed?", default=False) else "leave_out"
        proposal = apply(proposal, [_change(source, act=act)])
    return proposal


def _ask_missing(proposal: Proposal, source: ProposedSource, column: str) -> Proposal:
    while True:
        answer = _prompt(
            f"a column's name, {CONSTANT}VALUE for all rows, or [Enter]: without it the table is not written"
        )
        if not answer:
            return proposal
        try:
            return apply(proposal, [_answered(source, column, answer)])
        except ChangeError as error:
            print(f"  {error}")


def _ask_choice(proposal: Proposal, source: ProposedSource, choice: Choice) -> Proposal:
    """Ask until the answer fits: Enter accepts, a dash leaves out, anything else is a column or a constant."""
    print(f"  {choice.question or 'accept?'}")
    while True:
        answer = _prompt(f"[Enter] accept, [-] leave out, a column's name, or {CONSTANT}VALUE")
        change = _change(source, column=choice.column)
        if answer == "-":
            change = _change(source, column=choice.column, act="leave_out")
        elif answer:
            change = _answered(source, choice.column, answer)
        try:
            return apply(proposal, [change])
        except ChangeError as error:
            print(f"  {error}")


def _ask_codes(proposal: Proposal, source: ProposedSource, name: str) -> Proposal:
    """Ask for every word of a column that has no code yet."""
    changed = next(s for s in proposal.sources if _place(s) == _place(source))
    choice = next((choice for choice in changed.choices if choice.column == name), None)
    column = TABLES[source.table].column(name)
    codes = FLAG_CODES if column.kind == "flag" else column.codes
    if choice is None or not choice.unread or not codes:
        return proposal
    print(f"\n{source.table}.{name}: what do these words of {origin_words(choice)} mean?")
    print("  " + "  ".join(f"{number}) {code}" for number, code in enumerate(codes, start=1)))
    found = {word: code for word in choice.unread if (code := _ask_code(word, codes)) is not None}
    return apply(proposal, [_change(source, column=name, codes=found)]) if found else proposal


def _ask_code(word: str, codes: tuple[str, ...]) -> str | None:
    while True:
        answer = _prompt(f'"{word}" is (number or name, [Enter] leave it unknown)')
        if not answer or answer in codes:
            return answer or None
        if answer.isdigit() and 1 <= int(answer) <= len(codes):
            return codes[int(answer) - 1]
        print(f"  there is no code '{answer}'")


def _answered(source: ProposedSource, column: str, answer: str) -> Change:
    if answer.startswith(CONSTANT):
        return _change(source, column=column, act="constant", value=answer.removeprefix(CONSTANT).strip())
    return _change(source, column=column, act="use", value=answer)


def _change(source: ProposedSource, **what: object) -> Change:
    place = {"table": source.table, "file": source.file, "sheet": source.sheet, "where": source.where}
    return Change.model_validate(place | what)


def _place(source: ProposedSource) -> tuple[object, ...]:
    return source.table, source.file, source.sheet, source.where


def _prompt(question: str) -> str:
    answer: str = typer.prompt(f"  {question}", default="", show_default=False)
    return answer.strip()


def origin_words(choice: Choice) -> str:
    """Where a column comes from, in words."""
    if choice.origin.constant is not None:
        return f"always {choice.origin.constant}"
    return ", ".join(choice.origin.source_columns[:4])
