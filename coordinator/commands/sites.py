"""Enrolling sites, and all that becomes of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from coordinator.commands.common import CLOCK, CONFIG, ConfigOption, SiteOption, opened
from coordinator.files import write_file
from coordinator.installation import pso_key
from coordinator.sites.enrolment import Approved, Enrolment, Terms, approve, read_enrolment
from coordinator.sites.reconciliation import reconcile_site
from coordinator.sites.register import (
    Farewell,
    SiteStatus,
    ago,
    disable_site,
    dismiss_site,
    enable_site,
    known_site,
    site_status,
)
from coordinator.store.database import Store
from protocols.enrolment import show_fingerprint
from protocols.operator.console import Format, FormatOption, say, table
from protocols.operator.errors import InputError
from protocols.statement import fingerprint

sites_app = typer.Typer(help="Enrolled sites.", no_args_is_help=True)

COMPARE = "compare all 64 digits with the hospital by telephone, at a number that you know"


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.add_typer(sites_app, name="sites")


@sites_app.command("approve")
def sites_approve(
    file: Annotated[Path, typer.Argument(help="The file that `leadline-node request` made at the hospital.")],
    compared: Annotated[
        str | None, typer.Option("--fingerprint", help="All 64 digits, as the hospital read them to you.")
    ] = None,
    new_keys: Annotated[bool, typer.Option("--new-keys", help="A known site has changed its keys.")] = False,
    stolen: Annotated[
        bool, typer.Option("--stolen", help="With --new-keys: take nothing more that the old keys signed.")
    ] = False,
    out: Annotated[Path | None, typer.Option("--out", help="The approval's file; SITE-ID.approval without it.")] = None,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Enrol a hospital, approve it afresh, or take its new keys, once the fingerprint was compared by telephone."""
    if stolen and not new_keys:
        raise InputError("usage", "--stolen says what becomes of old keys", "pass --new-keys with it")
    asked = read_enrolment(file)
    with opened(config) as (settings, store):
        key = pso_key(settings)
        terms = Terms(compared or _compared_by_hand(asked, how), new_keys, stolen)
        done = approve(store, CLOCK, settings, key, asked, terms)
        status = _status(store, done.site.site_id)
    target = out or Path(f"{asked.site_id}.approval")
    write_file(target, done.site.approval)
    own = fingerprint(key.public_key())
    data = status.as_data() | {"file": str(target), "act": done.act, "ledger_warning": done.ledger_warning}
    say(how, _approved_text(done, target, own), data | {"pso_fingerprint": own})


def _compared_by_hand(asked: Enrolment, how: Format) -> str:
    """The enrolment's own fingerprint, once a person at a terminal has said that the hospital reads out the same."""
    if how is Format.JSON or not sys.stdin.isatty():
        raise InputError("fingerprint", "the fingerprint was not compared", f"{COMPARE}, and pass --fingerprint")
    for name, value in (("site", asked.site_id), *asked.attributes.items()):
        typer.echo(f"{name:>16}: {value}")
    typer.echo(f"\n  {show_fingerprint(asked.fingerprint)}\n")
    answer = typer.prompt(f"Please {COMPARE}. Are they the same? Type yes", default="no", show_default=False)
    if answer.strip().lower() != "yes":
        raise InputError("fingerprint", "the fingerprint was not compared", "nothing was changed")
    return asked.fingerprint


def _approved_text(done: Approved, file: Path, own: str) -> str:
    site = done.site
    lines = [
        f"Site {site.site_id} is {done.act}. Approval {site.approval_serial} holds until "
        f"{site.approval_until:%Y-%m-%d} and is renewed over the pipe.",
        f"Send {file} to the hospital, and read it the fingerprint of your own key:",
        f"  {show_fingerprint(own)}",
    ]
    return "\n".join([*lines, *([done.ledger_warning] if done.ledger_warning else [])])


def _status(store: Store, site_id: str) -> SiteStatus:
    with store.reading() as reader:
        return site_status(reader, known_site(reader, site_id), CLOCK.now())


@sites_app.command("list")
def sites_list(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """All sites: state, when each was last online, until when it is approved, and the fingerprint of its keys."""
    now = CLOCK.now()
    with opened(config) as (_, store), store.reading() as reader:
        found = [site_status(reader, site, now) for site in reader.sites()]
    heads = ("site", "state", "last seen", "approved until", "type", "beds", "fingerprint")
    text = table(heads, [_row(status, ago(status.site.last_seen_at, now)) for status in found])
    say(how, text, {"sites": [status.as_data() for status in found]})


def _row(status: SiteStatus, seen: str) -> tuple[str, ...]:
    site = status.site
    until = f"{site.approval_until:%Y-%m-%d}" + ("" if status.is_approved else " (ended)")
    kind, beds = site.attributes["type"], site.attributes["bed_band"]
    return (site.site_id, site.state.value, seen, until, kind, beds, show_fingerprint(status.fingerprint))


@sites_app.command("disable")
def sites_disable(site_id: SiteOption, config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Ask a site nothing more, take no answers from it and renew no approval. What it released stays."""
    with opened(config) as (_, store):
        disable_site(store, site_id)
        status = _status(store, site_id)
    until = f"{status.site.approval_until:%Y-%m-%d}"
    say(how, f"Site {site_id} is disabled. Its approval is not renewed and ends on {until}.", status.as_data())


@sites_app.command("enable")
def sites_enable(site_id: SiteOption, config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Ask a disabled site again; it gets a fresh approval with the next exchange."""
    with opened(config) as (settings, store):
        enable_site(store, CLOCK, settings, pso_key(settings), site_id)
        status = _status(store, site_id)
    say(how, f"Site {site_id} is enabled.", status.as_data())


@sites_app.command("leave")
def sites_leave(
    site_id: SiteOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; it cannot be undone.")] = False,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """End a site's part for good. Its id and its keys are never used again."""
    with opened(config) as (_, store):
        if not yes:
            _confirm_leave(store, site_id, how)
        farewell = dismiss_site(store, site_id)
        status = _status(store, site_id)
    say(how, _farewell_text(farewell), status.as_data() | {"years": list(farewell.years)})


def _confirm_leave(store: Store, site_id: str, how: Format) -> None:
    _status(store, site_id)  # an unknown site is named before anybody is asked
    if how is Format.JSON or not sys.stdin.isatty():
        raise InputError("not_confirmed", "leaving cannot be undone, and nobody confirmed it", "pass --yes")
    typer.confirm(f"Site {site_id} leaves for good; its id and keys are never used again. Go on?", abort=True)


def _farewell_text(farewell: Farewell) -> str:
    site, years = farewell.site, ", ".join(map(str, farewell.years))
    stays = (
        f"What it released (for {years}) stays, in the figures of those years too: figures with it and figures without "
        "it would show it by subtraction."
        if years
        else "It released nothing."
    )
    return (
        f"Site {site.site_id} has left. It is asked nothing more, nothing that its keys sign is taken, and neither its "
        f"id nor its keys are ever enrolled again.\nPublished figures stay as they are. {stays}\n"
        f"Its approval ends on {site.approval_until:%Y-%m-%d} and is not renewed. There: leadline-node leave\n"
        "Remove its relay from the SuperLink with: flwr supernode unregister"
    )


@sites_app.command("ledger")
def sites_ledger(
    site_id: SiteOption,
    after: Annotated[int, typer.Option("--after", min=0, help="Number of the newest entry that the site still has.")],
    out: Annotated[Path, typer.Option("--out", help="The file to send to the site.")],
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Tell a site that restored its ledger from a backup what it lost; there: leadline-node ledger reconcile."""
    with opened(config) as (settings, store):
        told = reconcile_site(store, CLOCK, pso_key(settings), site_id, after)
    write_file(out, told.envelope)
    years = ", ".join(map(str, told.unanswered_years)) or "none"
    text = (
        f"{out} tells site {site_id} of {told.releases} releases after entry {after}; we have seen "
        f"{told.known_length} entries.\nYears with slices that it may have drawn and that did not arrive: {years}."
    )
    data = {"file": str(out), "site_id": site_id, "after": after, "known_length": told.known_length}
    say(how, text, data | {"releases": told.releases, "unanswered_years": list(told.unanswered_years)})
