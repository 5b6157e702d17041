"""Proposing the mapping of the exports: shown with its reasons, settled by a person, written as a plain file."""

from __future__ import annotations

import secrets
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from node.clock import SystemClock, today
from node.config import load_config
from node.proposals import (
    Proposal,
    accepted,
    as_mapped,
    look_at,
    loss,
    mapping_of_today,
    propose,
    renew,
    to_toml,
)
from node.proposals.asking import ask, origin_words
from node.proposals.choices import check_effect, decide, parse_choice, why_not
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
_NOTHING_SURE = (
    "Nothing of it is sure enough to be used unasked: settle it on a terminal or with --set, or write the mapping by "
    "hand as docs/exports.md shows."
)


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
    choices = [parse_choice(text) for text in wish.choose]
    proposal = decide(proposed, choices)
    asked = how is Format.TEXT and not wish.accept and sys.stdin.isatty()
    if asked:
        print(_describe(proposal))
        proposal = ask(proposal)
    else:
        check_effect(proposal, choices)
    draft = target.with_name(target.name + ".proposed")
    draft.write_text(to_toml(proposal), encoding="utf-8")
    lines = [] if asked else [_describe(proposal)]
    lines.append(f"The proposal is in {draft}.")
    data: dict[str, object] = {"proposal": proposal.model_dump(mode="json"), "proposed": str(draft), "mapping": None}
    data["not_written"] = left = _not_written(proposal)
    if wish.accept or asked or wish.choose:
        shares, remarks = _write(proposal, target, settings.paths.exports, wish.force)
        lines += [*remarks, f"The mapping is in {target}. What the import makes of it:", *shares]
        lines += [
            f"Not written: {table} from {file}, because {why}." for table, file, why in (d.values() for d in left)
        ]
        data |= {"mapping": str(target), "import": shares}
    elif accepted(proposal).sources:
        lines.append(f"To use what is sure of it: leadline-node map --config {wish.config} --accept")
    else:
        lines.append(_NOTHING_SURE)
    say(how, "\n".join(lines), data)


def _not_written(proposal: Proposal) -> list[dict[str, str]]:
    """The sources that stay out of the mapping, and why; those that were declined by hand are no news."""
    left = [source for source in proposal.sources if not source.is_sure and source.wanted is not False]
    return [{"table": source.table, "file": source.file, "because": why_not(source)} for source in left]


def _write(proposal: Proposal, target: Path, exports: Path, force: bool) -> tuple[list[str], list[str]]:
    """Write the mapping; what the import makes of it, and what became of the old one.

    RuleError if there is one already, nothing is sure, or the import refuses it: then nothing is written.
    """
    chosen = accepted(proposal)
    if not chosen.sources:
        hint = "settle the open questions on a terminal, with --set, or in the file that was proposed"
        raise RuleError("nothing_sure", "nothing in the proposal is sure enough to be used unasked", hint)
    renewed, before = renew(proposal, chosen, target), mapping_of_today(target)
    mapping = Mapping.model_validate(tomllib.loads(renewed.text), context={"folder": target.parent})
    if target.exists() and not force:
        raise RuleError("mapping_exists", f"{target} exists already", "compare it, then use --force or --out")
    shares = _try_out(mapping, exports, [source.file for source in chosen.sources])
    remarks = []
    if target.exists():
        old = target.with_name(target.name + ".1")
        target.replace(old)
        remarks = _remarks(renewed.kept, loss(before, mapping), old)
    target.write_text(renewed.text, encoding="utf-8")
    return shares, remarks


def _remarks(kept: Sequence[str], lost: Loss, old: Path) -> list[str]:
    lines = [f"Kept as they were mapped before: {', '.join(kept)}."] if kept else []
    if lost:
        lines.append(f"WARNING: mapped before, and no longer read: {', '.join((*lost.tables, *lost.columns))}.")
    return [*lines, f"The mapping before is in {old}."]


def _try_out(mapping: Mapping, exports: Path, chosen: Sequence[str]) -> list[str]:
    """Import once with a key that is thrown away, and say per file what share of the rows could be used.

    RuleError if it refuses one of the `chosen` files; what was mapped before may have gone.
    """
    try:
        report = import_exports(
            exports, mapping, KeyHasher(secrets.token_bytes(MIN_SECRET_BYTES)), today(SystemClock())
        ).quality
    except FileRefused as error:
        if not any(fnmatchcase(Path(error.file).name, Path(file).name) for file in chosen):
            return [f"  it refuses {error}"]
        message = f"no mapping is written, for the import refuses {error.file}: {error.reason}"
        hint = f"give codes to its words (--set table.column[word]=code, or on a terminal), or {error.remedy}"
        raise RuleError("import_refuses", message, hint) from error
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
        rows = [(c.column, origin_words(c), _bar(c), c.why) for c in source.choices]
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


def _bar(choice: Choice) -> str:
    full = round(choice.confidence * _BAR)
    return "█" * full + "░" * (_BAR - full) + (" sure" if choice.is_sure else " ask ")
