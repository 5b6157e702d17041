"""`leadline-coordinator`: the command line of the patient safety organisation."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.exc import OperationalError

from coordinator import sites as site_register
from coordinator.clock import SystemClock
from coordinator.config import CONFIG_NAME, Config, load_config
from coordinator.installation import install, pso_key
from coordinator.plans import charged, expected_noise, plan_message, purposes, read_plan
from coordinator.publications.verify import verify_file
from coordinator.rounds.conduct import close_rounds, open_rounds
from coordinator.rounds.status import round_status, status_text
from coordinator.store.audit import first_broken
from coordinator.store.database import Store
from coordinator.store.schema import Round, Site, SiteState
from privacy.accountant import display_epsilon
from protocols.catalogue import current_catalogue
from protocols.operator.console import Format, FormatOption, run, say, table
from protocols.operator.errors import BusyError, OperatorError

app = typer.Typer(
    name="leadline-coordinator",
    help="The coordinator of a Leadline network: asks sites, checks their answers, publishes benchmarks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
key_app = typer.Typer(help="Public signing keys.", no_args_is_help=True)
sites_app = typer.Typer(help="Enrolled sites.", no_args_is_help=True)
plan_app = typer.Typer(help="What a round asks for.", no_args_is_help=True)
rounds_app = typer.Typer(help="Rounds of yearly plans.", no_args_is_help=True)
release_app = typer.Typer(help="Publications that were released.", no_args_is_help=True)
audit_app = typer.Typer(help="The record of who did what.", no_args_is_help=True)
app.add_typer(key_app, name="key")
app.add_typer(sites_app, name="sites")
app.add_typer(plan_app, name="plan")
app.add_typer(rounds_app, name="rounds")
app.add_typer(release_app, name="release")
app.add_typer(audit_app, name="audit")

ConfigOption = Annotated[Path, typer.Option("--config", help="The coordinator.toml.")]
YearOption = Annotated[int, typer.Option("--year", help="The ledger year, a calendar year.")]
SiteOption = Annotated[str, typer.Option("--site-id", help="The site.")]
_CONFIG = Path(CONFIG_NAME)
_CLOCK = SystemClock()


@contextmanager
def _opened(config: Path) -> Iterator[tuple[Config, Store]]:
    """The configuration and its database, checked."""
    settings = load_config(config)
    store = Store(settings.paths.database, _CLOCK)
    store.check()
    try:
        yield settings, store
    finally:
        store.close()


@app.command()
def init(
    folder: Annotated[Path, typer.Option("--dir", help="Folder of the coordinator.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Make configuration, key and database; bring an older database up to date. Safe to run again."""
    made = install(folder, _CLOCK)
    text = (
        f"Configuration: {made.config}\nGive {made.public_key} to every site, and let each one compare this "
        f"fingerprint by telephone:\n  {made.fingerprint}"
    )
    data = {"config": str(made.config), "public_key": str(made.public_key), "fingerprint": made.fingerprint}
    say(how, text, data)


@key_app.command("show")
def key_show(
    file: Annotated[Path, typer.Argument(help="A public signing key, PEM: a site's site.pub, or a pso.pub.")],
    how: FormatOption = Format.TEXT,
) -> None:
    """Print a key's full fingerprint, to be compared by telephone before its site is enrolled."""
    found = site_register.show_fingerprint(file)
    say(how, found, {"file": str(file), "fingerprint": found})


def _site_data(site: Site) -> dict[str, object]:
    return {
        "site_id": site.site_id,
        "state": site.state.value,
        "key_id": site.key_id,
        "fingerprint": site_register.site_fingerprint(site),
        "attributes": site.attributes,
        "ledger_length": site.ledger_length,
    }


@sites_app.command("add")
def sites_add(
    site_id: SiteOption,
    key: Annotated[Path, typer.Option("--key", help="The site's public signing key, PEM.")],
    transport_key: Annotated[Path, typer.Option("--transport-key", help="Its relay's public key, PEM or OpenSSH.")],
    profile: Annotated[Path, typer.Option("--profile", help="TOML file with the site's attributes.")],
    config: ConfigOption = _CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Enrol a site, after its key's fingerprint was compared by telephone."""
    with _opened(config) as (_, store):
        site = site_register.add_site(store, _CLOCK, site_id, (key, transport_key), profile)
    text = f"Site {site_id} is enrolled. The fingerprint of its signing key:\n  {site_register.site_fingerprint(site)}"
    say(how, text, _site_data(site))


@sites_app.command("list")
def sites_list(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """All sites."""
    with _opened(config) as (_, store), store.reading() as reader:
        sites = reader.sites()
    rows = [(s.site_id, s.state.value, s.key_id, s.attributes["type"], s.attributes["bed_band"]) for s in sites]
    say(how, table(("site", "state", "key", "type", "beds"), rows), {"sites": [_site_data(s) for s in sites]})


def _set_state(config: Path, site_id: str, state: SiteState, how: Format) -> None:
    with _opened(config) as (_, store):
        site = site_register.set_site_state(store, site_id, state)
    say(how, f"Site {site_id} is {state.value}.", _site_data(site))


@sites_app.command("disable")
def sites_disable(site_id: SiteOption, config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Ask a site nothing more and take no more answers from it. What it released stays."""
    _set_state(config, site_id, SiteState.DISABLED, how)


@sites_app.command("enable")
def sites_enable(site_id: SiteOption, config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Ask a disabled site again."""
    _set_state(config, site_id, SiteState.ENABLED, how)


@plan_app.command("show")
def plan_show(year: YearOption, config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """What the year's plans ask for, what they cost, and the noise to expect. Sends nothing."""
    catalogue, _ = current_catalogue()
    texts, data = [], []
    with _opened(config) as (settings, store), store.reading() as reader:
        for purpose in purposes(settings):
            stored = reader.plan(year, purpose)
            plan = read_plan(stored) if stored else plan_message(year, purpose, settings, _CLOCK)
            cost, noise = charged(plan, catalogue), expected_noise(plan)
            rows = [(n.tally, n.grain, f"{n.rho_nano / 1e9:.6f}", f"{n.noise_sd:.1f}") for n in noise]
            costs = ", ".join(f"epsilon {display_epsilon(rho)} per {unit}" for unit, rho in cost.items())
            state = "signed" if stored else "not signed yet"
            heads = ("tally", "per", "rho", "noise SD")
            texts.append(f"{plan.plan_id} ({state}): {costs} and year\n{table(heads, rows)}")
            tables = [dict(vars(n)) for n in noise]
            data.append({"plan_id": plan.plan_id, "signed": bool(stored), "rho_nano": cost, "tables": tables})
    say(how, "\n\n".join(texts), {"plans": data})


def _round_data(round_: Round) -> dict[str, object]:
    return {
        "round_id": round_.round_id,
        "state": round_.state.value,
        "deadline": round_.deadline.isoformat(),
        "reason": round_.reason,
    }


@rounds_app.command("open")
def rounds_open(
    year: YearOption,
    deadline_s: Annotated[int | None, typer.Option("--deadline-s", min=1, help="Seconds until the deadline.")] = None,
    config: ConfigOption = _CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Ask all enabled sites for a year: benchmark and trends. The plan's noise is shown by: plan show."""
    with _opened(config) as (settings, store):
        opened = open_rounds(store, _CLOCK, settings, pso_key(settings), year, deadline_s)
    text = "\n".join(f"Round {r.round_id} is open until {r.deadline:%Y-%m-%d %H:%M} UTC." for r in opened)
    say(how, text, {"rounds": [_round_data(r) for r in opened]})


@rounds_app.command("status")
def rounds_status(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """How far every round is, and which site's answers are missing and why."""
    with _opened(config) as (_, store), store.reading() as reader:
        found = round_status(reader)
    say(how, status_text(found), {"rounds": [status.as_data() for status in found]})


@rounds_app.command("close")
def rounds_close(
    round_id: Annotated[str | None, typer.Option("--round", help="One round; all open ones without it.")] = None,
    config: ConfigOption = _CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """End open rounds now, as their deadline would."""
    with _opened(config) as (_, store):
        closed = close_rounds(store, round_id)
    text = "\n".join(f"Round {r.round_id} is {r.state.value}: {r.reason}." for r in closed)
    say(how, text, {"rounds": [_round_data(r) for r in closed]})


@app.command()
def publish(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would appear, and publish nothing.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the files.")] = None,
    config: ConfigOption = _CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Publish what the finished rounds brought, signed, under the next number. What is published never changes."""
    from coordinator.publications import command  # noqa: PLC0415  (loads scipy, which other commands need not wait for)

    with _opened(config) as (settings, store):
        opened = (store, settings, _CLOCK)
        said = command.dry_run(*opened) if dry_run else command.publish_to(*opened, out)
    say(how, said.text, said.data)


@release_app.command("verify")
def release_verify(
    file: Annotated[Path, typer.Argument(help="A publication.json, with publication.sig beside it.")],
    key: Annotated[Path | None, typer.Option("--key", help="The publisher's public key; ours without it.")] = None,
    config: ConfigOption = _CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Check that a publication is signed and was not changed. Needs the file, its signature and the public key."""
    found = verify_file(file, key or load_config(config).paths.public_key)
    text = f"Publication {found.number} of {found.created_at:%Y-%m-%d}: the signature fits, nothing was changed."
    say(how, text, {"number": found.number, "created_at": found.created_at.isoformat(), "rows": len(found.rows)})


@app.command()
def serve(config: ConfigOption = _CONFIG) -> None:
    """Run broker, round clock, pages and API in the foreground, until SIGTERM or Ctrl-C."""
    from coordinator import serve as serving  # noqa: PLC0415  (loads the web stack, see publish)

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("leadline").setLevel(logging.INFO)
    serving.serve(load_config(config), _CLOCK)


@audit_app.command("verify")
def audit_verify(config: ConfigOption = _CONFIG, how: FormatOption = Format.TEXT) -> None:
    """Check that no audit event was changed, removed or put in between."""
    with _opened(config) as (_, store), store.reading() as reader:
        events = reader.audit_events()
        broken = first_broken(events)
    if broken is not None:
        raise OperatorError(
            "audit_broken", f"audit event {broken} does not follow from those before it", "restore from a backup"
        )
    say(how, f"{len(events)} audit events, the chain is whole.", {"events": len(events)})


def main() -> None:
    """Run the command line; errors print one line with what to do, and end with an exit code of `ExitCode`."""
    sys.exit(run(app, "leadline-coordinator", _explain, show_fault=True))


def _explain(error: Exception) -> OperatorError | None:
    if isinstance(error, OperationalError):
        message = f"the database did not answer: {error.orig}"
        return BusyError("database", message, "try again; check that the disk is not full")
    return None


if __name__ == "__main__":
    main()
