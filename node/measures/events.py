"""Views over safety events and what followed them: offers, reviews, root cause analyses, actions, debriefs."""

from __future__ import annotations

import pandas as pd

from node.measures.joins import Column, Frame, Tables, row_key, unit_type, yes_no

SERIOUS_HARM = ("severe_harm", "death")
REVIEWED_HARM = ("moderate_harm", *SERIOUS_HARM)
TRIGGER_TYPES = ("staff_safety", "workplace_violence")
SUPPORT_TIERS = ("2", "3")
OFFER_DAYS = 30
REVIEW_DAYS = 90
DEBRIEF_DAYS = 14
REPEAT_DAYS = 90
FIXING_STRENGTHS = ("strong", "intermediate")
MATCHING_RESPONSE = {"human_error": "console", "at_risk": "coach", "reckless": "discipline"}
ERROR_OR_DRIFT = ("human_error", "at_risk")
PUNITIVE_RESPONSES = ("discipline", "termination", "report_to_board")
STAFFING_FACTORS = ("staffing_ratio", "workload", "time_pressure_productivity", "fatigue_hours")


def events_view(tables: Tables) -> Frame:
    """Events that are not void, with what they call for and what was done."""
    events = tables["safety_event"]
    events = events[events["status"] != "void"].copy()
    serious = events["harm"].isin(SERIOUS_HARM)
    implied = serious | events["event_type"].isin(TRIGGER_TYPES)
    events["serious"] = yes_no(serious)
    events["trigger"] = yes_no(events["trigger"].astype("boolean").fillna(implied.astype("boolean")))
    events["recorded_date"] = events["reported_date"].fillna(events["event_date"])
    events = _with_support(events, tables)
    events = _with_learning(events, tables)
    events = events.merge(_fix_dates(tables).rename("fix_date"), left_on="event_key", right_index=True, how="left")
    events["unit_type"] = unit_type(events, tables)
    events["row_key"] = row_key(events, "event_key")
    return events


def _with_support(events: Frame, tables: Tables) -> Frame:
    activations, encounters = tables["support_activation"], tables["support_encounter"]
    made = activations[activations["offered"].astype("boolean").fillna(True).astype(bool)]
    helped = encounters.loc[encounters["tier"].isin(SUPPORT_TIERS), "activation_key"]
    supported = activations.loc[activations["activation_key"].isin(helped), "event_key"].dropna()
    events["offered"] = _has_in_time(events, made, "activation_datetime", OFFER_DAYS)
    events["supported"] = yes_no(events["event_key"].isin(supported))
    return events


def _with_learning(events: Frame, tables: Tables) -> Frame:
    reviews, factors, debriefs = tables["jc_review"], tables["contributing_factor"], tables["debrief"]
    judged = reviews[reviews["behaviour"].isin(list(MATCHING_RESPONSE))]
    shared = debriefs[debriefs["lesson_shared"].astype("boolean").fillna(False).astype(bool)]
    staffing = factors.loc[factors["factor"].isin(STAFFING_FACTORS), "event_key"]
    asked = events["jc_review_needed"].astype("boolean").fillna(False).astype(bool)
    events["needs_review"] = yes_no(events["harm"].isin(REVIEWED_HARM) | asked)
    events["reviewed"] = _has_in_time(events, judged, "review_date", REVIEW_DAYS)
    events["factors_coded"] = yes_no(events["event_key"].isin(factors["event_key"]))
    events["staffing_cited"] = yes_no(events["event_key"].isin(staffing))
    events["lesson_shared_in_time"] = _has_in_time(events, shared, "debrief_date", DEBRIEF_DAYS)
    return events


def _has_in_time(events: Frame, rows: Frame, day: str, days: int) -> Column:
    """Whether a row is linked to the event, dated no later than `days` after the event's record, or not dated."""
    linked = events[["event_key", "recorded_date"]].merge(rows[["event_key", day]], on="event_key")
    limit = linked["recorded_date"] + pd.Timedelta(days=days)
    in_time = linked[day].isna() | (linked[day].dt.normalize() <= limit)
    return yes_no(events["event_key"].isin(linked.loc[in_time, "event_key"]))


def _fix_dates(tables: Tables) -> Column:
    actions = tables["rca_action"]
    strong = actions[actions["strength"].isin(FIXING_STRENGTHS) & actions["completed_date"].notna()]
    linked = strong.merge(tables["rca"][["rca_key", "event_key"]], on="rca_key")
    return linked.groupby("event_key")["completed_date"].min()


def involvements_view(tables: Tables, events: Frame) -> Frame:
    """Clinicians in events, with the event's marks; `repeat` for a clinician's first trigger event of a year."""
    shared = ["event_key", "trigger", "serious", "harm", "event_type", "unit_type", "event_date", "recorded_date"]
    rows = tables["event_involvement"].merge(events[shared], on="event_key")
    rows["repeat"] = _repeats(rows)
    rows["row_key"] = row_key(rows, "event_key", "person_key")
    return rows


def _repeats(rows: Frame) -> Column:
    """Whether another trigger event of the same clinician follows within 90 days of the first one of a year."""
    hits = rows[rows["trigger"].eq("yes") & rows["person_key"].notna()].sort_values(["event_date", "event_key"])
    wait = hits.groupby("person_key")["event_date"].shift(-1) - hits["event_date"]
    again = yes_no(wait <= pd.Timedelta(days=REPEAT_DAYS))
    first = ~pd.DataFrame({"person": hits["person_key"], "year": hits["event_date"].dt.year}).duplicated()
    known: Column = again[first].reindex(rows.index).astype(object)
    return known.where(known.notna(), None)


def reviews_view(tables: Tables, events: Frame) -> Frame:
    """Just Culture reviews: whether the response matched, punished error or drift, and came with a system fix."""
    shared = events[["event_key", "harm", "event_type", "unit_type", "recorded_date"]]
    rows = tables["jc_review"].merge(shared, on="event_key")
    judged = rows["behaviour"].isin(list(MATCHING_RESPONSE))
    excusable = rows["behaviour"].isin(ERROR_OR_DRIFT)
    acted_on = tables["rca"].loc[tables["rca"]["rca_key"].isin(tables["rca_action"]["rca_key"]), "event_key"]
    matched = yes_no(rows["behaviour"].map(MATCHING_RESPONSE) == rows["response"])
    rows["matched"] = matched.where(judged, None)
    rows["punitive"] = yes_no(rows["response"].isin(PUNITIVE_RESPONSES)).where(excusable, None)
    rows["system_fix"] = yes_no(rows["event_key"].isin(acted_on)).where(excusable, None)
    rows["recorded_date"] = rows["review_date"].fillna(rows["recorded_date"])
    rows["row_key"] = row_key(rows, "event_key", "person_key")
    return rows


def rcas_view(tables: Tables, events: Frame) -> Frame:
    """Completed root cause analyses with their strongest action."""
    rows = tables["rca"].merge(events[["event_key", "event_type", "harm"]], on="event_key")
    rows = rows[rows["completed_date"].notna()].copy()
    rank = tables["rca_action"]["strength"].map({"strong": 2, "intermediate": 1, "weak": 0})
    best = rank.groupby(tables["rca_action"]["rca_key"]).max()
    names = {2: "strong", 1: "intermediate"}
    rows["best_strength"] = rows["rca_key"].map(best).map(names).fillna("weak_or_none").astype(object)
    rows["recorded_date"] = rows["completed_date"]
    rows["row_key"] = row_key(rows, "rca_key")
    return rows


def actions_view(tables: Tables, events: Frame) -> Frame:
    """Actions of root cause analyses, with their event."""
    known = tables["rca"][["rca_key", "event_key"]].merge(events[["event_key", "event_type"]], on="event_key")
    rows = tables["rca_action"].merge(known, on="rca_key")
    rows["on_time"] = yes_no(rows["completed_date"] <= rows["due_date"])
    rows["recorded_date"] = rows["due_date"]
    rows["row_key"] = row_key(rows, "rca_key", "action_no")
    return rows


def debriefs_view(tables: Tables, events: Frame) -> Frame:
    """Group debriefs, with the type of unit of their event."""
    rows = tables["debrief"].merge(events[["event_key", "unit_type"]], on="event_key", how="left")
    rows["recorded_date"] = rows["debrief_date"]
    rows["row_key"] = row_key(rows, "debrief_key")
    return rows
