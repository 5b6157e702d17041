"""What leaves: a preview that costs nothing, and a receipt for everything that has left."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from node.commands.common import CLOCK, CONFIG, ConfigOption, site_ledger
from node.config import load_config
from node.journal import Journal
from node.receipts import Receipt, explain_receipt, receipts
from protocols.catalogue import current_catalogue
from protocols.operator.console import Format, FormatOption, say, table
from protocols.operator.errors import InputError

app = typer.Typer(help="A receipt for every answer that has left.", invoke_without_command=True)


def register(parent: typer.Typer) -> None:
    """Add the commands to `parent`."""
    parent.command()(preview)
    parent.add_typer(app, name="receipts")


def preview(
    plan: Annotated[
        str | None, typer.Option("--plan", help="Id of a plan of the PSO's; by default the newest year's largest.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write the bytes to this new file.")] = None,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """The literal bytes of a release and their meaning, with real noise over an invented hospital. Spends nothing."""
    from node.preview import make_preview  # noqa: PLC0415 - it brings tables and noise, which other commands do without

    settings = load_config(config)
    made = make_preview(settings, _envelope_of(Journal(settings.paths.journal), plan), CLOCK)
    if out is not None:
        with out.open("xb") as file:
            file.write(made.raw)
    fields = table(("field", "value", "meaning"), [(field.path, field.value, field.meaning) for field in made.fields])
    shown = "\n".join(made.hex_lines)
    text = f"An answer to {made.plan_text}.\n\n{fields}\n\n{len(made.raw)} bytes, which begin:\n{shown}\n\n{made.note}"
    data = {"plan": made.plan_text, "bytes": len(made.raw), "hex": made.raw.hex(), "note": made.note}
    say(how, text, data | {"fields": [asdict(field) for field in made.fields]})


def _envelope_of(journal: Journal, plan_id: str | None) -> bytes | None:
    found = journal.newest_plan(plan_id)
    if found is None and plan_id is not None:
        known = ", ".join(journal.plan_ids()) or "none yet"
        raise InputError("plan", f"no plan {plan_id} has come to this site", f"the plans that have come: {known}")
    return found


@app.callback()
def list_receipts(context: typer.Context, config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Without a command: every answer that has left, newest first."""
    if context.invoked_subcommand is None:
        found = receipts(site_ledger(load_config(config)))
        lines = [receipt.text for receipt in found] or ["Nothing has left this site yet."]
        say(how, "\n".join(lines), {"receipts": [_as_data(receipt) for receipt in found]})


@app.command("show")
def show_receipt(
    number: Annotated[int, typer.Argument(help="The receipt's number in the list.")],
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """One receipt: what, when, to whom, digest, bytes, charge, and what each tally means."""
    found = {receipt.number: receipt for receipt in receipts(site_ledger(load_config(config)))}
    if number not in found:
        raise InputError("receipt", f"there is no receipt {number}", "see the list: leadline-node receipts")
    text = explain_receipt(found[number], current_catalogue()[0])
    say(how, text, _as_data(found[number]) | {"text": text})


def _as_data(receipt: Receipt) -> dict[str, object]:
    names = ("number", "at", "plan_id", "year", "quarter", "to", "digest", "bytes", "tallies", "charges", "is_restored")
    return {name: getattr(receipt, name) for name in names} | {"text": receipt.text}
