"""A peer support lead's spreadsheet: one sheet a year saved as CSV, titles above the header, a totals row below."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from node.synthetic.files import Source, named, write_csv
from node.synthetic.shapes.log import CONTACT, contact_log
from node.synthetic.style import Style

ACTIVATION_NAMES = {
    "activation_key": "Case no.",
    "event_key": "Incident",
    "trigger_kind": "Came through",
    "activation_datetime": "Date & time of call",
    "referral_source": "Called by",
    "event_reason": "Kind of event",
    "offered": "Offered?",
    "response": "Accepted?",
    "unit_key": "Unit",
    "role_group": "Role of caller",
}
ENCOUNTER_NAMES = {
    "encounter_key": "Contact no.",
    "activation_key": "Case no.",
    "person_key": "Staff no.",
    "encounter_date": "Seen on",
    "mode": "1:1 / group",
    "tier": "Tier",
    "support_resource": "Seen by (kind)",
    "minutes": "Min.",
    "persons_in_group": "How many",
    "supporter_key": "Supporter (staff no.)",
    "met_needs": "Helped?",
    "safety_escalation": "Urgent?",
}
ENTERED = "Entered on"
BACKFILLED_ROWS = 12


def write(tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator) -> list[Source]:
    """Write a peer_support_tracker_YEAR.csv per year; give the sources of activations and encounters."""
    log = contact_log(tables, style, rng)
    names = {**ACTIVATION_NAMES, **ENCOUNTER_NAMES, CONTACT: "Contact?"}
    for year, rows in log.groupby("year"):
        sheet = rows[list(names)].rename(columns=names)
        titles = (f"Peer Support Team – contact log {year}", "One line per person seen – équipe de soutien", "")
        layout = replace(style.layout, titles=titles)
        write_csv(folder / f"peer_support_tracker_{year}.csv", _with_entry_dates(sheet, style), layout)
    file, order = "peer_support_tracker_*.csv", style.date_order
    contacts = named("support_encounter", ENCOUNTER_NAMES, style)
    return [
        Source("support_activation", file, named("support_activation", ACTIVATION_NAMES, style), date_order=order),
        Source("support_encounter", file, contacts, where={"Contact?": ["Yes"]}, date_order=order),
    ]


def _with_entry_dates(sheet: pd.DataFrame, style: Style) -> pd.DataFrame:
    """When the line was typed: the day of the call, or for a team that catches up now and then one day for a dozen."""
    day = sheet[ACTIVATION_NAMES["activation_datetime"]].str.split(" ").str[0]
    if style.backfilled:
        block = np.arange(len(sheet)) // BACKFILLED_ROWS
        day = day.groupby(block).transform("last")
    return sheet.assign(**{ENTERED: day})
