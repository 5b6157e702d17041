"""Yearly plans and their rounds, over the pipe and by file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from coordinator.commands.common import CLOCK, CONFIG, ConfigOption, SiteOption, YearOption, opened
from coordinator.files import export_due, import_answers
from coordinator.installation import pso_key
from coordinator.plans import charged, expected_noise, plan_message, purposes, read_plan
from coordinator.rounds.conduct import advance_rounds, close_rounds, open_rounds
from coordinator.rounds.status import round_status, status_text
from coordinator.store.schema import Round
from privacy.accountant import display_epsilon
from protocols.catalogue import current_catalogue
from protocols.operator.console import Format, FormatOption, say, table
from protocols.outcomes import describe_outcomes
from protocols.refusals import EXPLANATIONS

plan_app = typer.Typer(help="What a round asks for.", no_args_is_help=True)
rounds_app = typer.Typer(help="Rounds of yearly plans.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.add_typer(plan_app, name="plan")
    app.add_typer(rounds_app, name="rounds")


@plan_app.command("show")
def plan_show(year: YearOption, config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """What the year's plans ask for, what they cost, and the noise to expect. Sends nothing."""
    catalogue, _ = current_catalogue()
    texts, data, total = [], [], Counter[str]()
    with opened(config) as (settings, store), store.reading() as reader:
        for purpose in purposes(settings):
            stored = reader.plan(year, purpose)
            plan = read_plan(stored) if stored else plan_message(year, purpose, settings, CLOCK)
            cost, noise = charged(plan, catalogue), expected_noise(plan)
            rows = [(n.tally, n.grain, f"{n.rho_nano / 1e9:.6f}", f"{n.noise_sd:.1f}") for n in noise]
            total.update(cost)
            costs = ", ".join(f"epsilon {display_epsilon(rho)} per {unit}" for unit, rho in cost.items())
            state = "signed" if stored else "not signed yet"
            heads = ("tally", "per", "rho", "noise SD")
            texts.append(f"{plan.plan_id} ({state}): {costs} and year\n{table(heads, rows)}")
            tables = [dict(vars(n)) for n in noise]
            data.append({"plan_id": plan.plan_id, "signed": bool(stored), "rho_nano": cost, "tables": tables})
    sums = ", ".join(f"epsilon {display_epsilon(rho)} per {unit}" for unit, rho in total.items())
    texts.append(f"All plans of {year} together: {sums} and year")
    say(how, "\n\n".join(texts), {"plans": data, "rho_nano": dict(total)})


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
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Ask all enabled sites for a year: benchmark and trends. The plan's noise is shown by: plan show."""
    with opened(config) as (settings, store):
        found = open_rounds(store, CLOCK, settings, pso_key(settings), year, deadline_s)
    text = "\n".join(f"Round {r.round_id} is open until {r.deadline:%Y-%m-%d %H:%M} UTC." for r in found)
    say(how, text, {"rounds": [_round_data(r) for r in found]})


@rounds_app.command("status")
def rounds_status(config: ConfigOption = CONFIG, how: FormatOption = Format.TEXT) -> None:
    """How far every round is, and which site's answers are missing and why."""
    with opened(config) as (_, store), store.reading() as reader:
        found = round_status(reader)
    say(how, status_text(found), {"rounds": [status.as_data() for status in found]})


@rounds_app.command("close")
def rounds_close(
    round_id: Annotated[str | None, typer.Option("--round", help="One round; all open ones without it.")] = None,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """End open rounds now, as their deadline would."""
    with opened(config) as (_, store):
        closed = close_rounds(store, round_id)
    text = "\n".join(f"Round {r.round_id} is {r.state.value}: {r.reason}." for r in closed)
    say(how, text, {"rounds": [_round_data(r) for r in closed]})


@rounds_app.command("export")
def rounds_export(
    site_id: SiteOption,
    out: Annotated[Path, typer.Option("--out", help="The file to bring to the site.")],
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Write what is due to a site that has no connection; the site reads it with: leadline-node import.

    It counts as sent. Run it again for what is not answered, or was put off: the site answers what it has answered
    before with the same bytes, at no cost.
    """
    with opened(config) as (settings, store):
        parcel = export_due(store, CLOCK, settings, pso_key(settings), site_id, out)
    text = f"{out} holds {parcel.envelopes} statements for site {site_id}. There: leadline-node import {out.name}"
    say(how, text, {"file": str(out), "site_id": site_id, "envelopes": parcel.envelopes})


@rounds_app.command("import")
def rounds_import(
    file: Annotated[Path, typer.Argument(help="The file that `leadline-node export` made.")],
    site_id: SiteOption,
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Take the answers of a site that has no connection, with every check that answers over the pipe go through.

    Safe to run again: an answer that is stored already changes nothing.
    """
    with opened(config) as (settings, store):
        found = import_answers(store, CLOCK, settings, site_id, file)
        advance_rounds(store, CLOCK)
    lines = [f"Taken of site {site_id}: {describe_outcomes(found.outcomes)}."]
    lines += [
        f"{number} not taken: {code.value}. {EXPLANATIONS[code].remedy}" for code, number in found.refused.items()
    ]
    data = {
        "site_id": site_id,
        "taken": found.taken,
        "outcomes": found.outcomes,
        "refused": {c.value: n for c, n in found.refused.items()},
    }
    say(how, "\n".join(lines), data)
