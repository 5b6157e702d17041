"""The export of an incident system: one row per event with multi-select staff columns; actions and support apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from node.synthetic.files import Source, named, write_csv
from node.synthetic.shapes.log import CONTACT, contact_log
from node.synthetic.style import Style
from node.synthetic.text import as_text

EVENT_NAMES = {
    "event_key": "Ref No",
    "event_date": "Incident date",
    "event_time": "Incident time",
    "reported_date": "Reported on",
    "event_class": "Record type",
    "event_type": "Category",
    "harm": "Severity",
    "harm_source_scale": "Severity scale",
    "unit_key": "Location",
    "shift": "Shift",
    "jc_review_needed": "Review needed",
    "trigger": "Support trigger",
    "source_system": "Source",
    "status": "Record status",
    "modified_date": "Last updated",
}
STAFF_NAMES = {"person_key": "Staff ids", "role_group": "Staff roles", "involvement": "Staff involvement"}
REVIEW_NAMES = {
    "person_key": "Reviewed staff id",
    "role_group": "Reviewed staff role",
    "behaviour": "Behaviour",
    "response": "Response",
    "review_date": "Reviewed on",
}
RCA_NAMES = {
    "rca_key": "RCA No",
    "event_key": "Incident Ref",
    "opened_date": "RCA opened",
    "completed_date": "RCA completed",
    "involved_staff_invited": "Staff invited",
}
ACTION_NAMES = {
    "rca_key": "RCA No",
    "action_no": "Action",
    "strength": "Strength",
    "due_date": "Due",
    "completed_date": "Done",
    "verified": "Verified",
}
ACTIVATION_NAMES = {
    "activation_key": "Case",
    "event_key": "Incident Ref",
    "trigger_kind": "Why",
    "activation_datetime": "Referred at",
    "referral_source": "Referred by",
    "event_reason": "Reason",
    "offered": "Offered",
    "response": "Answer",
    "unit_key": "Unit",
    "role_group": "Role",
}
ENCOUNTER_NAMES = {
    "encounter_key": "Contact",
    "activation_key": "Case",
    "person_key": "Staff id",
    "encounter_date": "Contact at",
    "mode": "How",
    "tier": "Tier",
    "support_resource": "Helper",
    "minutes": "Minutes",
    "persons_in_group": "People",
    "supporter_key": "Supporter id",
    "met_needs": "Needs met",
    "safety_escalation": "Escalated",
}


def write(tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator) -> list[Source]:
    """Write incidents.csv, rca_actions.csv and peer_support_log.csv; give the sources of the seven tables in them."""
    return [
        *_write_incidents(tables, style, folder, rng),
        *_write_actions(tables, style, folder, rng),
        *_write_log(tables, style, folder, rng),
    ]


def _write_incidents(
    tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator
) -> list[Source]:
    events = as_text("safety_event", tables["safety_event"], style, rng)
    if not tables["safety_event"]["trigger"].notna().any():
        events = events.drop(columns="trigger")
    names = {name: local for name, local in EVENT_NAMES.items() if name in events}
    staff = as_text("event_involvement", tables["event_involvement"], style, rng)
    listed = staff.groupby("event_key")[list(STAFF_NAMES)].agg(";".join).rename(columns=STAFF_NAMES)
    reviews = as_text("jc_review", tables["jc_review"], style, rng).rename(columns=REVIEW_NAMES).set_index("event_key")
    sheet = events.join(listed, on="event_key").join(reviews.assign(Reviewed="Yes"), on="event_key")
    sheet = sheet.fillna({"Reviewed": "No"}).fillna("").rename(columns=names)
    write_csv(folder / "incidents.csv", sheet, style.layout)
    key, order = {"event_key": "Ref No"}, style.date_order
    involved = named("event_involvement", key | STAFF_NAMES, style)
    reviewed = named("jc_review", key | REVIEW_NAMES, style)
    return [
        Source("safety_event", "incidents.csv", named("safety_event", names, style), date_order=order),
        Source("event_involvement", "incidents.csv", involved, explode=tuple(STAFF_NAMES.values()), date_order=order),
        Source("jc_review", "incidents.csv", reviewed, where={"Reviewed": ["Yes"]}, date_order=order),
    ]


def _write_actions(
    tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator
) -> list[Source]:
    """One row per action with its analysis; an analysis that has no action yet has one row without."""
    analyses = as_text("rca", tables["rca"], style, rng).rename(columns=RCA_NAMES)
    actions = as_text("rca_action", tables["rca_action"], style, rng).rename(columns=ACTION_NAMES)
    sheet = analyses.merge(actions.assign(Agreed="Yes"), on="RCA No", how="left")
    write_csv(folder / "rca_actions.csv", sheet.fillna({"Agreed": "No"}).fillna(""), style.layout)
    origins = named("rca_action", ACTION_NAMES, style)
    return [
        Source("rca", "rca_actions.csv", named("rca", RCA_NAMES, style), date_order=style.date_order),
        Source("rca_action", "rca_actions.csv", origins, where={"Agreed": ["Yes"]}, date_order=style.date_order),
    ]


def _write_log(tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator) -> list[Source]:
    names = {**ACTIVATION_NAMES, **ENCOUNTER_NAMES, CONTACT: "Contact made"}
    sheet = contact_log(tables, style, rng)[list(names)].rename(columns=names)
    write_csv(folder / "peer_support_log.csv", sheet, style.layout)
    referrals = named("support_activation", ACTIVATION_NAMES, style)
    contacts = named("support_encounter", ENCOUNTER_NAMES, style)
    order = style.date_order
    return [
        Source("support_activation", "peer_support_log.csv", referrals, date_order=order),
        Source("support_encounter", "peer_support_log.csv", contacts, {"Contact made": ["Yes"]}, date_order=order),
    ]
