"""The record of every charge and release: show it, check it, copy it for an auditor, and mend it after a restore."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from node.commands.common import CLOCK, CONFIG, ConfigOption, site_ledger
from node.config import NodeConfig, load_config
from node.identity import Identity, load_identity, open_ledger
from node.journal import Journal
from node.ledger.acts import WrongKeyError
from node.ledger.files import export_copy, find_head, verify_file
from node.ledger.store import Ledger
from node.ledger.words import describe_entry, explain_reconciliation
from protocols.keys import load_public_key
from protocols.operator.console import Format, FormatOption, say
from protocols.operator.errors import InputError, RuleError, SignatureError
from protocols.statement import MAX_STATEMENT_BYTES, key_id, open_statement
from protocols.v1 import leadline_pb2 as pb

app = typer.Typer(help="The record of every charge and release.", no_args_is_help=True)


@app.command("show")
def ledger_show(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Every entry: what was reserved, sealed and sent, when, and at what cost."""
    settings = load_config(config)
    entries = [describe_entry(entry) for entry in site_ledger(settings).entries()]
    say(how, "\n".join(str(entry["text"]) for entry in entries), {"entries": entries})


@app.command("verify")
def ledger_verify(
    ledger: Annotated[Path, typer.Argument(help="The ledger file, or a copy made with `ledger export`.")],
    key: Annotated[Path, typer.Option("--key", help="The public key with which the site opened its ledger.")],
    head: Annotated[
        str | None, typer.Option("--head", help="A head that the PSO or a receipt names; the ledger must hold it.")
    ] = None,
    how: FormatOption = Format.TEXT,
) -> None:
    """Check chain, signatures and sealed answers with the site's public key alone: anybody can.

    A copy that was cut short at its end holds together too. That nothing is missing there shows a head that somebody
    else has kept: give it with --head.
    """
    if not ledger.is_file():
        raise InputError("file", f"there is no ledger {ledger}", "give the ledger, or a copy made with `ledger export`")
    try:
        checked = verify_file(ledger, load_public_key(key))
    except WrongKeyError as error:
        hint = "give the public key that the site had when its ledger was opened, from a source that you trust"
        raise SignatureError("wrong_key", str(error), hint) from error
    signer, newest = key_id(checked.key), checked.head
    text = (
        f"The ledger holds together: {checked.entries} entries, the newest is number {newest.length}.\n"
        f"head          {newest.hash.hex()}\n"
        f"signed with   key {signer} now; changed {len(checked.keys) - 1} times, each change signed by both keys\n"
        f"{_completeness(ledger, head)}"
    )
    data = {"entries": checked.entries, "length": newest.length, "head": newest.hash.hex(), "key_id": signer}
    say(how, text, data | {"keys": [key_id(public) for public in checked.keys]})


def _completeness(ledger: Path, head: str | None) -> str:
    """Whether the ledger reaches as far as somebody has seen; RuleError if it does not hold the head given."""
    if head is None:
        return (
            "Entries that are missing at the end do not show. The newest head that the PSO has seen, and the one that "
            "the last receipt names, must be in the ledger: check with --head HASH."
        )
    number = find_head(ledger, head.strip().lower())
    if number is None:
        hint = "entries are missing, or it is another site's ledger: ask the site for a whole copy"
        raise RuleError("head_missing", f"{ledger} holds no entry with the head {head}", hint)
    return f"It holds the head that you gave, at entry {number}."


@app.command("export")
def ledger_export(
    out: Annotated[Path, typer.Option("--out", help="The copy to write; nothing is written over.")],
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Write a copy for an auditor: entries and sealed answers, without the register of who was counted."""
    settings = load_config(config)
    if out.exists():
        raise InputError("exists", f"{out} exists", "give another name; nothing is written over")
    ledger = site_ledger(settings)
    with ledger.locked():
        export_copy(settings.paths.ledger, out)
        head = ledger.head()
    text = (
        f"Wrote {out}: entries up to {head.length} and the sealed answers. The admission register, which holds keyed "
        f"hashes of persons, is not in it.\nThe auditor runs: leadline-node ledger verify {out.name} --key SITE.PUB"
    )
    say(how, text, {"file": str(out), "length": head.length, "head": head.hash.hex()})


@app.command("reconcile")
def ledger_reconcile(
    file: Annotated[Path, typer.Argument(help="The statement from the PSO (`leadline-coordinator sites ledger`).")],
    yes: Annotated[bool, typer.Option("--yes", help="Go on without asking.")] = False,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """After an old backup was restored: take in what the PSO holds of this site. What was spent stays spent."""
    settings = load_config(config)
    identity = load_identity(settings)
    ledger, budget = open_ledger(settings, identity.signing_key, CLOCK), settings.policy.budget_nano()
    statement = _read_statement(file, identity)
    _check_newest(settings, ledger, statement)
    found = ledger.assess(statement, budget, CLOCK.now_s())
    explanation = explain_reconciliation(found)
    if not found.is_known:
        _ask(explanation, yes, how)
        with ledger.locked():
            found = ledger.reconcile(statement, budget, CLOCK.now_s())
    done = "" if found.is_known else f"\nDone: see entry {ledger.head().length} in `leadline-node ledger show`."
    data = {"changed": not found.is_known, "charges": found.charges, "years_closed": list(found.years_closed)}
    data |= {"restored": len(found.lost), "plans_closed": [plan.plan_id for plan in found.plans.values()]}
    say(how, explanation + done, data | {"length": ledger.head().length})


def _read_statement(file: Path, identity: Identity) -> pb.Reconciliation:
    with file.open("rb") as opened:
        raw = opened.read(MAX_STATEMENT_BYTES + 1)
    return open_statement(raw, pb.Reconciliation, identity.pso_keys).message


def _check_newest(settings: NodeConfig, ledger: Ledger, statement: pb.Reconciliation) -> None:
    """Refuse a statement that was made before the PSO saw what it has since told this node that it saw."""
    known = Journal(settings.paths.journal).known()
    if known and known[0] > statement.known_length and not ledger.knows(*known):
        problem = f"the statement ends with entry {statement.known_length}, and the PSO has since seen entry {known[0]}"
        raise RuleError("reconciliation", problem, "ask the PSO for a new one: leadline-coordinator sites ledger")


def _ask(explanation: str, yes: bool, how: Format) -> None:
    if yes:
        return
    if how is Format.JSON or not sys.stdin.isatty():
        raise InputError("confirm", "reconciling charges budget and cannot be undone", "read what it does, add --yes")
    typer.echo(explanation)
    typer.confirm("Go on?", abort=True)
