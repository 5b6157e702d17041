"""The pages of docs/ that are generated from the code, so that they cannot go stale."""

from __future__ import annotations

from collections.abc import Iterator

import click
import typer

import coordinator.cli
import node.cli
from coordinator.rounds.diagram import page as rounds_page
from node.tables.rules import RULES
from node.tables.schema import TABLES, Column
from protocols.catalogue import current_catalogue
from protocols.catalogue.page import render
from protocols.refusals import EXPLANATIONS


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of every generated page."""
    yield "docs/measures.md", render(*current_catalogue())
    yield "docs/refusals.md", refusals_page()
    yield "docs/import-rules.md", rules_page()
    yield "docs/tables.md", tables_page()
    yield "docs/commands.md", commands_page()
    yield "docs/rounds.md", rounds_page()


def refusals_page() -> str:
    """The closed list of refusals."""
    lines = [
        "# Refusals",
        "",
        "Every statement that a node or the coordinator does not accept is refused with one of these codes. A refusal",
        "costs no budget unless the row says so. *Retry* says whether asking the same again later can help.",
        "",
        "| code | why | what to do | retry |",
        "|---|---|---|---|",
    ]
    for code, explanation in EXPLANATIONS.items():
        retry = "yes" if explanation.retryable else "no"
        lines.append(f"| `{code.value}` | {explanation.why} | {explanation.remedy} | {retry} |")
    return "\n".join(lines) + "\n"


def rules_page() -> str:
    """Every rule of the import."""
    lines = [
        "# What the import does to rows",
        "",
        "Nothing happens to a row of an export except by one of these rules, and the quality report counts each.",
    ]
    for effect, words in (
        ("dropped", "Rows that are no data of the table"),
        ("quarantined", "Rows that cannot be used"),
        ("repaired", "Values that are mended"),
        ("flagged", "What a report points out"),
    ):
        lines += ["", f"## {words}", "", "| rule | what it does |", "|---|---|"]
        lines += [f"| `{name}` | {rule.sentence} |" for name, rule in RULES.items() if rule.effect == effect]
    return "\n".join(lines) + "\n"


def tables_page() -> str:
    """The canonical tables."""
    lines = ["# Canonical tables", "", "What a [mapping](exports.md) may fill. Columns in **bold** are required."]
    for table in TABLES.values():
        lines += [
            "",
            f"## {table.name}",
            "",
            f"Rows with the same {_listed(table.identity)} are versions of one row.",
            "",
        ]
        lines += ["| column | kind | codes |", "|---|---|---|"]
        lines += [_column_row(column) for column in table.columns]
    return "\n".join(lines) + "\n"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(f"`{name}`" for name in names)


def _column_row(column: Column) -> str:
    name = f"**{column.name}**" if column.required else column.name
    return f"| {name} | {column.kind} | {', '.join(f'`{code}`' for code in column.codes)} |"


def commands_page() -> str:
    """Both command lines."""
    lines = ["# Commands"]
    for name, app in (("leadline-node", node.cli.app), ("leadline-coordinator", coordinator.cli.app)):
        lines += ["", f"## {name}", ""]
        lines += _command_lines(name, typer.main.get_command(app))
    return "\n".join(lines) + "\n"


def _command_lines(path: str, command: click.Command) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _command_lines(f"{path} {name}", below)
        return
    yield f"### {path}"
    yield ""
    yield (command.help or "").replace("\n", " ").strip()
    yield ""
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name != "help":
            yield f"- `{parameter.opts[0]}`: {parameter.help}"
        elif isinstance(parameter, click.Argument):
            yield f"- `{parameter.human_readable_name}`: {getattr(parameter, 'help', None) or ''}".rstrip(": ")
    yield ""
