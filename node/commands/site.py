"""Becoming a site of the network, and ceasing to be one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from node.commands.common import CLOCK, CONFIG, ConfigOption, site_ledger
from node.config import NodeConfig, load_config
from node.enrolment import init_site, make_request
from node.gateway import probe
from node.journal import Journal
from node.keychange import change_signing_key, change_transport_key
from node.membership import day_of, describe, install_approval
from node.standing import check_left
from protocols.enrolment import open_first_approval, pso_key, show_fingerprint
from protocols.operator.console import Format, FormatOption, say
from protocols.operator.errors import InputError, RuleError, SignatureError
from protocols.statement import MAX_STATEMENT_BYTES, fingerprint


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (init, request, rekey, leave):
        app.command()(command)
    app.command("import-approval")(import_approval)


def init(
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the new site.")],
    site_id: Annotated[str, typer.Option("--site-id", help="Lower-case letters, digits and hyphens.")],
    exports: Annotated[Path, typer.Option("--exports", help="Folder with the exports and mapping.toml.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Make a site: folder, keys, configuration and a profile to fill in. Nothing is sent."""
    made = init_site(folder, site_id, exports)
    text = (
        f"Made {made.config} and the site's keys, which never leave this machine.\n"
        f"Next: fill in {made.profile}, look through {made.config}, and run:\n"
        f"  leadline-node request --config {made.config}"
    )
    data = {"config": made.config, "profile": made.profile, "public_key": made.public_key}
    say(how, text, {name: str(path) for name, path in data.items()} | {"transport_key": str(made.transport_key)})


def request(
    out: Annotated[Path | None, typer.Option("--out", help="Where to write it; by default beside node.toml.")] = None,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Write the file that asks the PSO to enrol this site, and print the fingerprint to read to it by telephone."""
    settings = load_config(config)
    check_left(site_ledger(settings))
    made = make_request(settings, out or config.with_name(f"{settings.site.id}.enrolment"), CLOCK)
    text = (
        f"Wrote {made.file}: two public keys and the profile. Send it to the PSO, by e-mail if you like.\n"
        f"Then read this fingerprint to the PSO by telephone, at a number that you know to be theirs:\n"
        f"  {show_fingerprint(made.fingerprint)}\n"
        f"When the PSO has sent the approval: leadline-node import-approval {settings.site.id}.approval"
    )
    say(how, text, {"file": str(made.file), "fingerprint": made.fingerprint})


def import_approval(
    file: Annotated[Path, typer.Argument(help="The PSO's approval.")],
    typed: Annotated[
        str | None, typer.Option("--fingerprint", help="The PSO's fingerprint, as it was read to you; 64 digits.")
    ] = None,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Take in the PSO's approval. The first time, the fingerprint of the PSO's key is compared by telephone."""
    settings, raw = load_config(config), _read_statement(file)
    if typed is None and not settings.paths.pso_key.exists() and sys.stdin.isatty():
        typed = _ask_for_fingerprint(raw)
    now_s = CLOCK.now_s()
    membership = install_approval(settings, raw, typed, now_s)
    approval = membership.approval
    Journal(settings.paths.journal).name_head(approval.known_length, approval.known_head)
    text = (
        f"This site is {describe(membership, now_s)}.\n"
        f"The relay's settings are in {settings.paths.relay}. Next: leadline-node preflight --config {config}"
    )
    data = {"site": approval.site_id, "pso": approval.pso_title, "serial": approval.serial}
    say(how, text, data | {"valid_until": day_of(approval.valid_until_s), "superlink": approval.superlink})


def rekey(
    signing: Annotated[bool, typer.Option("--signing", help="The key that signs what the site says.")] = False,
    transport: Annotated[bool, typer.Option("--transport", help="The relay's key.")] = False,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Make other keys, both unless one is named. Nothing is answered until the PSO has approved them."""
    settings = load_config(config)
    both = not (signing or transport)
    _require_stopped(settings)
    if signing or both:
        change_signing_key(settings, CLOCK)
    if transport or both:
        change_transport_key(settings)
    changed = [name for name, chosen in (("signing", signing or both), ("transport", transport or both)) if chosen]
    text = (
        f"Changed: {', '.join(changed)}. The old keys are kept as *.retired-N; they sign nothing any more.\n"
        f"Next: leadline-node request --config {config}, and the PSO approves the site with its new keys."
    )
    say(how, text, {"changed": changed})


def leave(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; needed where nobody is at the keyboard.")] = False,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Leave the network for good: a last entry closes the ledger, and nothing is ever answered again."""
    settings = load_config(config)
    ledger = site_ledger(settings)
    check_left(ledger)
    if not yes:
        if not sys.stdin.isatty():
            message = "leaving cannot be undone, and nobody is at the keyboard to confirm it"
            raise RuleError("not_confirmed", message, "run the command again with --yes")
        typer.confirm(f"Shall {settings.site.id} leave for good? This cannot be undone.", abort=True, err=True)
    with ledger.locked():
        ledger.leave(CLOCK.now_s())
    text = (
        "Left: every request is refused from now on, and the ledger is closed. Tell the PSO.\n"
        "What was published stays published, and what was released for closed years stays in those years' figures:\n"
        "taking it out would let anybody subtract. Stop the daemon and the relay; keep the ledger for your auditors."
    )
    say(how, text, {"site": settings.site.id, "left": True})


def _require_stopped(settings: NodeConfig) -> None:
    if probe(settings.paths.socket):
        hint = "stop it (systemctl stop leadline-node), and start it again when the new approval is imported"
        raise RuleError("running", "the daemon is running with the old keys", hint)


def _ask_for_fingerprint(raw: bytes) -> str:
    message = open_first_approval(raw).message
    shown = show_fingerprint(fingerprint(pso_key(message)))
    print(f"{message.pso_title} signs with the key whose fingerprint is\n  {shown}", file=sys.stderr)
    if not typer.confirm("Has the PSO read you exactly these digits by telephone?", default=False, err=True):
        hint = "do not use this file; call the PSO at a number that you know to be theirs"
        raise SignatureError("fingerprint", "the PSO's key was not confirmed", hint)
    return shown


def _read_statement(file: Path) -> bytes:
    if not file.is_file():
        raise InputError("file", f"there is no file {file}", "give the file that the PSO sent")
    if file.stat().st_size > MAX_STATEMENT_BYTES:
        raise InputError("too_large", f"{file} is too large for an approval", "give the file that the PSO sent")
    return file.read_bytes()
