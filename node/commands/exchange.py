"""Rounds without a network: the PSO's signed statements in as a file, the signed answers out as a file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from node.commands.common import CLOCK, CONFIG, ConfigOption, site_ledger
from node.config import load_config
from node.files import put_file
from node.identity import load_identity
from node.outbox import Outbox
from node.parcel import (
    MAX_ENVELOPES,
    answer_parcel,
    count_outcomes,
    has_releases,
    pack_parcel,
    read_parcel,
)
from node.standing import check_standing
from protocols.operator.console import Format, FormatOption, say
from protocols.operator.errors import InputError
from protocols.outcomes import describe_outcomes


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("import")(import_parcel)
    app.command("export")(export_parcel)


def import_parcel(
    file: Annotated[Path, typer.Argument(help="The file that the PSO exported for this site.")],
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Answer what the PSO sent as a file, exactly as if the relay had brought it. The answers wait for `export`.

    The same file again costs nothing and is answered with the same bytes.
    """
    from node.daemon import build_inbox, require_sound_sampler  # noqa: PLC0415 - brings tables and noise

    settings = load_config(config)
    envelopes = read_parcel(file, settings.site.id, load_identity(settings).pso_keys)
    require_sound_sampler()
    answered = answer_parcel(envelopes, build_inbox(settings, CLOCK), Outbox(settings.paths.journal))
    counts = Counter((one.kind, one.outcome) for one in answered)
    lines = [f"{number} x {kind}: {outcome}" for (kind, outcome), number in counts.items()]
    waits = "The answers wait on this machine; nothing has left it."
    text = "\n".join([*lines, waits, f"Next: leadline-node export --out FILE --config {config}"])
    say(how, text, {"answered": [{"kind": one.kind, "outcome": one.outcome} for one in answered]})


def export_parcel(
    out: Annotated[Path, typer.Option("--out", help="Where to write the answers; an existing file is kept.")],
    config: ConfigOption = CONFIG,
    how: FormatOption = Format.TEXT,
) -> None:
    """Write the answers that wait to a file for the PSO; where none wait, those of the last export once more."""
    settings = load_config(config)
    outbox = Outbox(settings.paths.journal)
    waiting = outbox.waiting()[:MAX_ENVELOPES]
    numbers, answers = tuple(number for number, _ in waiting), tuple(answer for _, answer in waiting)
    if not answers:
        raise InputError("nothing_waits", "no answer waits to be exported", "import a file of the PSO's first")
    if has_releases(answers):
        own_key = load_identity(settings).signing_key.public_key().public_bytes_raw()
        check_standing(settings, site_ledger(settings), own_key, CLOCK.now_s())
    if out.exists():
        raise InputError("exists", f"{out} exists", "give another name; nothing is overwritten")
    put_file(out, pack_parcel(answers))
    outbox.mark_exported(numbers)
    outcomes = count_outcomes(answers)
    text = f"Wrote {out}: {describe_outcomes(outcomes)}. Every answer is signed. Carry the file to the PSO."
    if has_releases(answers):
        text += "\nEvery count in a release has noise on it; see what left: leadline-node receipts"
    say(how, text, {"file": str(out), "answers": len(answers), "outcomes": dict(outcomes)})
