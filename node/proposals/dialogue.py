"""Proposing the mapping of the exports: shown with its reasons, settled by a person, written as a plain file."""

from __future__ import annotations

import secrets
import sys
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from node.clock import SystemClock, today
from node.config import load_config
from node.proposals import (
    Change,
    ChangeError,
    Proposal,
    accepted,
    apply,
    as_mapped,
    look_at,
    loss,
    mapping_of_today,
    propose,
    renew,
    to_toml,
)
from node.proposals.model import Choice, ProposedSource
from node.proposals.today import Loss
from node.sources.refused import FileRefused
from node.tables.importer import import_exports
from node.tables.keys import MIN_SECRET_BYTES, KeyHasher
from node.tables.mapping import Mapping
from node.tables.quality import FileQuality
from protocols.operator.console import Format, say, table
from protocols.operator.errors import InputError, RuleError

_BAR = 10


@dataclass(frozen=True)
class Wish:
    """What the command line says: where the mapping goes, and how far it is settled without asking."""

    config: Path
    out: Path | None
    accept: bool
    choose: tuple[str, ...]
    force: bool


def run_dialogue(wish: Wish, how: Format) -> None:
    """Propose, ask on a terminal, write what is accepted, and try the import on it."""
    settings = load_config(wish.config)
    target = wish.out or settings.paths.mapping
    if not settings.paths.exports.is_dir():
        raise InputError(
            "exports", f"there is no folder {settings.paths.exports}", "make it, and put the exports there"
        )
    proposed = as_mapped(propose(look_at(settings.paths.exports)), mapping_of_today(target))
    proposal = _decide(proposed, map(_parse_choice, wish.choose))
    asked = how is Format.TEXT and not wish.accept and sys.stdin.isatty()
    if asked:
        print(_describe(proposal))
        proposal = _ask(proposal)
    draft = target.with_name(target.name + ".proposed")
    draft.write_text(to_toml(proposal), encoding="utf-8")
    lines = [] if asked else [_describe(proposal)]
    lines.append(f"The proposal is in {draft}.")
    data: dict[str, object] = {"proposal": proposal.model_dump(mode="json"), "proposed": str(draft), "mapping": None}
    if wish.accept or asked or wish.choose:
        mapping, remarks = _write(proposal, target, wish.force)
        lines += [*remarks, f"The mapping is in {target}. What the import makes of it:"]
        shares = _try_out(mapping, settings.paths.exports)
        lines += shares
        data |= {"mapping": str(target), "import": shares}
    else:
        lines.append(f"To use what is sure of it: leadline-node map --config {wish.config} --accept")
    say(how, "\n".join(lines), data)


def _parse_choice(text: str) -> Change:
    name, equals, value = text.partition("=")
    table_name, dot, column = name.strip().partition(".")
    if not (equals and dot and column and value.strip()):
        raise InputError("usage", f"'{text}' is no choice", 'write it as table.column="Source column"')
    return Change(table=table_name, column=column, act="use", value=value.strip().strip('"'))


def _decide(proposal: Proposal, changes: Iterable[Change]) -> Proposal:
    try:
        return apply(proposal, changes)
    except ChangeError as error:
        raise InputError("mapping", str(error), "run the command without --set to see the proposal") from error


def _write(proposal: Proposal, target: Path, force: bool) -> tuple[Mapping, list[str]]:
    """Write the mapping and say what became of the old one; RuleError if there is one already or nothing is sure."""
    chosen = accepted(proposal)
    if not chosen.sources:
        hint = "settle the open questions on a terminal, with --set, or in the file that was proposed"
        raise RuleError("nothing_sure", "nothing in the proposal is sure enough to be used unasked", hint)
    renewed, before = renew(proposal, chosen, target), mapping_of_today(target)
    mapping = Mapping.model_validate(tomllib.loads(renewed.text), context={"folder": target.parent})
    remarks = []
    if target.exists():
        if not force:
            raise RuleError("mapping_exists", f"{target} exists already", "compare it, then use --force or --out")
        old = target.with_name(target.name + ".1")
        target.replace(old)
        remarks = _remarks(renewed.kept, loss(before, mapping), old)
    target.write_text(renewed.text, encoding="utf-8")
    return mapping, remarks


def _remarks(kept: Sequence[str], lost: Loss, old: Path) -> list[str]:
    lines = [f"Kept as they were mapped before: {', '.join(kept)}."] if kept else []
    if lost:
        lines.append(f"WARNING: mapped before, and no longer read: {', '.join((*lost.tables, *lost.columns))}.")
    return [*lines, f"The mapping before is in {old}."]


def _try_out(mapping: Mapping, exports: Path) -> list[str]:
    """Import once with a key that is thrown away, and say per file what share of the rows could be used."""
    try:
        report = import_exports(
            exports, mapping, KeyHasher(secrets.token_bytes(MIN_SECRET_BYTES)), today(SystemClock())
        ).quality
    except FileRefused as error:
        return [f"  it refuses {error}"]
    return [_share(file) for file in report.files]


def _share(file: FileQuality) -> str:
    rows = max(1, file.read + file.added - file.rows_dropped)
    parts = ((file.accepted, "accepted"), (file.repaired, "repaired"), (file.rows_quarantined, "quarantined"))
    return f"  {file.file} -> {file.table}: " + ", ".join(f"{n / rows:.0%} {word}" for n, word in parts)


def _describe(proposal: Proposal) -> str:
    """The proposal for people: a table per source, then the questions, the gaps, and what is left out."""
    lines: list[str] = []
    for source in proposal.sources:
        where = "".join(
            f", where {name} is {' or '.join(v or 'blank' for v in values)}" for name, values in source.where.items()
        )
        lines += [f"{source.file} -> {source.table}{where}"]
        rows = [(c.column, _origin_words(c), _bar(c), c.why) for c in source.choices]
        lines += ["  " + line for line in table(("column", "comes from", "sure", "because"), rows).split("\n")]
        lines += [f"  missing: {gap.column}: {gap.cost}" for gap in source.missing if gap.cost]
        lines += [f"  question: {question}" for question in _questions(source)] + [""]
    lines += [f"No export fills {gap.column}: {gap.cost}." for gap in proposal.tables_missing]
    lines += [
        f"Left out on purpose: {item.file}, {item.column}: {item.reason}." for item in proposal.left_out if item.column
    ]
    lines += [f"Not read: {item.reason}." for item in proposal.left_out if not item.column]
    return "\n".join(lines) if proposal.sources else "\n".join([*lines, "No export could be recognised."])


def _questions(source: ProposedSource) -> Sequence[str]:
    return [*source.questions, *(choice.question for choice in source.choices if choice.question)]


def _origin_words(choice: Choice) -> str:
    origin = choice.origin
    if origin.constant is not None:
        return f"always {origin.constant}"
    return ", ".join((*origin.source_columns,)[:4])


def _bar(choice: Choice) -> str:
    full = round(choice.confidence * _BAR)
    return "█" * full + "░" * (_BAR - full) + (" sure" if choice.is_sure else " ask ")


def _ask(proposal: Proposal) -> Proposal:
    """Go through what is not sure, and take a person's decisions."""
    for source in proposal.sources:
        for choice in source.choices:
            if not choice.is_sure:
                print(f"\n{source.table}.{choice.column} from {source.file}: {_origin_words(choice)}\n  {choice.why}")
                if choice.alternatives:
                    print(f"  it could also be: {', '.join(choice.alternatives)}")
                proposal = _ask_one(proposal, source, choice)
        if source.questions:
            print(f"\n{source.file} -> {source.table}: {' '.join(source.questions)}")
            act = "keep" if typer.confirm("Use this source as proposed?", default=False) else "leave_out"
            change = Change(table=source.table, file=source.file, sheet=source.sheet, where=source.where)
            proposal = apply(proposal, [change.model_copy(update={"act": act})])
    return proposal


def _ask_one(proposal: Proposal, source: ProposedSource, choice: Choice) -> Proposal:
    """Ask until the answer fits: Enter accepts, a dash leaves out, anything else is a column's name."""
    change = Change(table=source.table, file=source.file, sheet=source.sheet, where=source.where, column=choice.column)
    while True:
        question = choice.question or "accept?"
        answer = typer.prompt(
            f"  {question}\n  [Enter] accept, [-] leave out, or a column's name", default="", show_default=False
        )
        if answer == "-":
            update = {"act": "leave_out"}
        else:
            update = {"act": "use", "value": answer} if answer else {"act": "keep"}
        try:
            return apply(proposal, [change.model_copy(update=update)])
        except ChangeError as error:
            print(f"  {error}")
