"""Views: the canonical tables joined into the rows that tallies count, with a fixed vocabulary of columns.

Every view has `row_key` (stable identity of a row, for admission) and `recorded_date` (the day on which the site came
to know of it, the day that counts for late entries). Yes/no columns hold "yes" or "no". A catalogue may use any column
named here or in `node/tables/schema.py` for the view's table.

    events        safety_event, not void: + serious, trigger, offered, supported, fix_date, unit_type
    involvements  event_involvement of those events: + trigger, serious, harm, event_type, unit_type
    activations   support_activation: + unit_type
    encounters    support_encounter, support only: + role_group, unit_type of the activation
    episodes      support_episode: + event_datetime, contact_timed, unit_type
    reviews       jc_review: + matched, and the event's harm and event_type
    rcas          completed rca: + best_strength, event_type
    actions       rca_action of those events: + event_key, on_time
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pandas as pd

Frame: TypeAlias = pd.DataFrame
Column: TypeAlias = "pd.Series[Any]"
Tables: TypeAlias = Mapping[str, Frame]

# What a site must export for a view, and for columns of it that come from other tables.
TABLES_BEHIND_VIEW: Mapping[str, frozenset[str]] = {
    "events": frozenset({"safety_event"}),
    "involvements": frozenset({"safety_event", "event_involvement"}),
    "activations": frozenset({"support_activation"}),
    "encounters": frozenset({"support_encounter"}),
    "episodes": frozenset({"support_episode"}),
    "reviews": frozenset({"safety_event", "jc_review"}),
    "rcas": frozenset({"safety_event", "rca"}),
    "actions": frozenset({"safety_event", "rca", "rca_action"}),
}
TABLES_BEHIND_COLUMN: Mapping[str, frozenset[str]] = {
    "offered": frozenset({"support_activation"}),
    "supported": frozenset({"support_activation", "support_encounter"}),
    "fix_date": frozenset({"rca", "rca_action"}),
    "best_strength": frozenset({"rca_action"}),
    "unit_type": frozenset({"unit"}),
}

SERIOUS_HARM = ("severe_harm", "death")
TRIGGER_TYPES = ("staff_safety", "workplace_violence")
SUPPORT_TIERS = ("2", "3")
OFFER_DAYS = 30
FIXING_STRENGTHS = ("strong", "intermediate")
MATCHING_RESPONSE = {"human_error": "console", "at_risk": "coach", "reckless": "discipline"}


def build_views(tables: Tables) -> dict[str, Frame]:
    """All views over one site's canonical tables."""
    events = _events(tables)
    builders: dict[str, Callable[[Tables, Frame], Frame]] = {
        "involvements": _involvements,
        "activations": _activations,
        "encounters": _encounters,
        "episodes": _episodes,
        "reviews": _reviews,
        "rcas": _rcas,
        "actions": _actions,
    }
    return {"events": events} | {name: build(tables, events) for name, build in builders.items()}


def _yes_no(condition: Column) -> Column:
    return condition.fillna(False).astype(bool).map({True: "yes", False: "no"}).astype(object)


def _row_key(frame: Frame, *columns: str) -> Column:
    parts = [frame[column].astype(object).where(frame[column].notna(), "").astype(str) for column in columns]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined + "|" + part
    return joined.astype(object)


def _unit_type(frame: Frame, tables: Tables) -> Column:
    units = tables["unit"].drop_duplicates("unit_key").set_index("unit_key")["unit_type"]
    return frame["unit_key"].map(units).astype(object)


def _fix_dates(tables: Tables) -> Column:
    actions = tables["rca_action"]
    strong = actions[actions["strength"].isin(FIXING_STRENGTHS) & actions["completed_date"].notna()]
    linked = strong.merge(tables["rca"][["rca_key", "event_key"]], on="rca_key")
    return linked.groupby("event_key")["completed_date"].min()


def _offered_in_time(events: Frame, activations: Frame) -> Column:
    """Events with an activation or offer, accepted or declined, within 30 days of the event's record."""
    made = activations[activations["offered"].astype("boolean").fillna(True).astype(bool)]
    linked = events[["event_key", "recorded_date"]].merge(made[["event_key", "activation_datetime"]], on="event_key")
    limit = linked["recorded_date"] + pd.Timedelta(days=OFFER_DAYS)
    in_time: Column = linked.loc[linked["activation_datetime"].dt.normalize() <= limit, "event_key"]
    return in_time


def _events(tables: Tables) -> Frame:
    events = tables["safety_event"]
    events = events[events["status"] != "void"].copy()
    activations, encounters = tables["support_activation"], tables["support_encounter"]
    helped = encounters.loc[encounters["tier"].isin(SUPPORT_TIERS), "activation_key"]
    supported = activations.loc[activations["activation_key"].isin(helped), "event_key"].dropna()
    serious = events["harm"].isin(SERIOUS_HARM)
    implied = serious | events["event_type"].isin(TRIGGER_TYPES)
    events["serious"] = _yes_no(serious)
    events["trigger"] = _yes_no(events["trigger"].astype("boolean").fillna(implied.astype("boolean")))
    events["recorded_date"] = events["reported_date"].fillna(events["event_date"])
    events["offered"] = _yes_no(events["event_key"].isin(_offered_in_time(events, activations)))
    events["supported"] = _yes_no(events["event_key"].isin(supported))
    events = events.merge(_fix_dates(tables).rename("fix_date"), left_on="event_key", right_index=True, how="left")
    events["unit_type"] = _unit_type(events, tables)
    events["row_key"] = _row_key(events, "event_key")
    return events


def _involvements(tables: Tables, events: Frame) -> Frame:
    shared = ["event_key", "trigger", "serious", "harm", "event_type", "unit_type", "event_date", "recorded_date"]
    rows = tables["event_involvement"].merge(events[shared], on="event_key")
    rows["row_key"] = _row_key(rows, "event_key", "person_key")
    return rows


def _activations(tables: Tables, _events_view: Frame) -> Frame:
    rows = tables["support_activation"].copy()
    rows["recorded_date"] = rows["activation_datetime"].dt.normalize()
    rows["unit_type"] = _unit_type(rows, tables)
    rows["row_key"] = _row_key(rows, "activation_key")
    return rows


def _encounters(tables: Tables, _events_view: Frame) -> Frame:
    activations = tables["support_activation"].copy()
    activations["unit_type"] = _unit_type(activations, tables)
    known = activations[["activation_key", "role_group", "unit_type", "event_reason", "referral_source"]]
    rows = tables["support_encounter"].merge(known, on="activation_key", how="left")
    rows = rows[rows["mode"] != "leaflet_only"].copy()
    rows["recorded_date"] = rows["encounter_date"].dt.normalize()
    rows["row_key"] = _row_key(rows, "encounter_key", "person_key")
    return rows


def _episodes(tables: Tables, _events_view: Frame) -> Frame:
    rows = tables["support_episode"].copy()
    contact_known = rows["first_contact_datetime"].isna() | rows["first_contact_datetime_time_known"].astype(bool)
    rows["event_datetime"] = rows["event_date"]
    rows["contact_timed"] = _yes_no(rows["event_date_time_known"].astype(bool) & contact_known)
    rows["event_date"] = rows["event_date"].dt.normalize()
    rows["recorded_date"] = rows["first_contact_datetime"].dt.normalize().fillna(rows["event_date"])
    rows["unit_type"] = _unit_type(rows, tables)
    rows["row_key"] = _row_key(rows, "episode_key", "person_key")
    return rows


def _reviews(tables: Tables, events: Frame) -> Frame:
    shared = events[["event_key", "harm", "event_type", "unit_type", "recorded_date"]]
    rows = tables["jc_review"].merge(shared, on="event_key")
    judged = rows["behaviour"].isin(list(MATCHING_RESPONSE))
    matched = _yes_no(rows["behaviour"].map(MATCHING_RESPONSE) == rows["response"])
    rows["matched"] = matched.where(judged, None)
    rows["recorded_date"] = rows["review_date"].fillna(rows["recorded_date"])
    rows["row_key"] = _row_key(rows, "event_key", "person_key")
    return rows


def _rcas(tables: Tables, events: Frame) -> Frame:
    rows = tables["rca"].merge(events[["event_key", "event_type", "harm"]], on="event_key")
    rows = rows[rows["completed_date"].notna()].copy()
    rank = tables["rca_action"]["strength"].map({"strong": 2, "intermediate": 1, "weak": 0})
    best = rank.groupby(tables["rca_action"]["rca_key"]).max()
    names = {2: "strong", 1: "intermediate"}
    rows["best_strength"] = rows["rca_key"].map(best).map(names).fillna("weak_or_none").astype(object)
    rows["recorded_date"] = rows["completed_date"]
    rows["row_key"] = _row_key(rows, "rca_key")
    return rows


def _actions(tables: Tables, events: Frame) -> Frame:
    known = tables["rca"][["rca_key", "event_key"]].merge(events[["event_key", "event_type"]], on="event_key")
    rows = tables["rca_action"].merge(known, on="rca_key")
    rows["on_time"] = _yes_no(rows["completed_date"] <= rows["due_date"])
    rows["recorded_date"] = rows["due_date"]
    rows["row_key"] = _row_key(rows, "rca_key", "action_no")
    return rows
