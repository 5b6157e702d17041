"""Views over support: activations, encounters, episodes, and the days that clinicians spend inside open episodes."""

from __future__ import annotations

import pandas as pd

from node.measures.joins import Column, Frame, Tables, answer, row_key, unit_type, year_end, yes_no

FOLLOW_UP_DAYS = 365
LOAD_BINS = {"1-30": 30, "31-90": 90, "91-180": 180, "181-366": 366}
"""Days of a year inside an open episode: name of the bin and its last day."""

REASONS = {
    "patient_death_expected": "patient_death",
    "patient_death_unexpected": "patient_death",
    "failed_resuscitation": "patient_death",
    "paediatric_or_maternal_death": "paediatric_or_maternal_death",
    "error_harm": "error",
    "error_no_harm": "error",
    "unexpected_outcome": "unexpected_outcome",
    "violence_aggression": "violence_aggression",
    "complaint_litigation": "complaint_litigation",
    "moral_distress": "moral_distress",
    "colleague_illness_death": "colleague_illness_death",
    "mass_event": "other",
    "other": "other",
}
"""Reasons for an activation, the rare ones merged before any noise."""

TRAJECTORIES = {
    "thriving": "thriving",
    "surviving": "surviving",
    "dropping_out": "dropping_out",
    "transferred_unit": "dropping_out",
    "left_organisation": "dropping_out",
}
"""Outcomes by Scott's last stage; to change unit or employer is her dropping out."""


def activations_view(tables: Tables, _events: Frame) -> Frame:
    """Activations with the merged reason."""
    rows = tables["support_activation"].copy()
    rows["reason"] = rows["event_reason"].map(REASONS).astype(object)
    rows["recorded_date"] = rows["activation_datetime"].dt.normalize()
    rows["unit_type"] = unit_type(rows, tables)
    rows["row_key"] = row_key(rows, "activation_key")
    return rows


def encounters_view(tables: Tables, _events: Frame) -> Frame:
    """Encounters that were support, with what is known of their activation."""
    activations = tables["support_activation"].copy()
    activations["unit_type"] = unit_type(activations, tables)
    known = activations[["activation_key", "role_group", "unit_type", "event_reason", "referral_source"]]
    rows = _support(tables).merge(known, on="activation_key", how="left")
    rows["needs_met"] = answer(rows["met_needs"])
    rows["reinforced"] = yes_no(rows["safety_escalation"])
    rows["contact_form"] = rows["mode"].eq("group_debrief").map({True: "group", False: "one_to_one"}).astype(object)
    rows["recorded_date"] = rows["encounter_date"].dt.normalize()
    rows["row_key"] = row_key(rows, "encounter_key", "person_key")
    return rows


def _support(tables: Tables) -> Frame:
    """Encounters without those in which a leaflet was all."""
    encounters = tables["support_encounter"]
    return encounters[encounters["mode"] != "leaflet_only"]


def episodes_view(tables: Tables, _events: Frame) -> Frame:
    """Episodes with their path through the tiers, how they ended, and which clock times are known."""
    rows = tables["support_episode"].copy()
    contact_known = rows["first_contact_datetime"].isna() | rows["first_contact_datetime_time_known"].astype(bool)
    rows["event_datetime"] = rows["event_date"]
    rows["contact_timed"] = yes_no(rows["event_date_time_known"].astype(bool) & contact_known)
    rows["event_date"] = rows["event_date"].dt.normalize()
    rows["recorded_date"] = rows["first_contact_datetime"].dt.normalize().fillna(rows["event_date"])
    rows["path"] = _paths(rows, _support(tables))
    rows["closed_date"] = _closed_dates(rows)
    rows["trajectory"] = rows["outcome"].map(TRAJECTORIES).fillna("unknown").astype(object)
    left_by = rows["event_date"] + pd.Timedelta(days=FOLLOW_UP_DAYS)
    rows["left"] = yes_no(rows["outcome"].eq("left_organisation") & (rows["closed_date"] <= left_by))
    rows["unit_type"] = unit_type(rows, tables)
    rows["row_key"] = row_key(rows, "episode_key", "person_key")
    return rows


def _closed_dates(episodes: Frame) -> Column:
    """The day of recovery, else of the last contact; nothing while the episode is open."""
    last = episodes["last_contact_date"].where(episodes["outcome"].ne("open"))
    return episodes["recovered_date"].fillna(last)


def _paths(episodes: Frame, encounters: Frame) -> Column:
    """How an episode went through the tiers: local, peer, peer_then_professional, eap_only or professional_only.

    Where no encounter of an episode is known, a recorded escalation stands for the peer contact before it.
    """
    contacts = _contacts(episodes, encounters)
    by_episode = contacts.groupby("episode")
    first_peer = contacts[contacts["tier"].eq("2")].groupby("episode")["day"].min().reindex(episodes.index)
    first_professional = contacts[contacts["tier"].eq("3")].groupby("episode")["day"].min().reindex(episodes.index)
    seen = by_episode.size().reindex(episodes.index).notna()
    after_peer = (first_peer <= first_professional) | (first_peer.notna() & first_professional.isna())
    after_peer = after_peer.where(seen, episodes["escalated_date"].notna())
    only_eap = by_episode["is_eap"].all().reindex(episodes.index).eq(True)
    path = pd.Series("professional_only", index=episodes.index, dtype=object)
    path = path.mask(only_eap, "eap_only").mask(after_peer.astype(bool), "peer_then_professional")
    path = path.mask(episodes["highest_tier"].eq("2"), "peer")
    return path.mask(episodes["highest_tier"].eq("1"), "local")


def _contacts(episodes: Frame, encounters: Frame) -> Frame:
    """Encounters with the episode that they belong to: of the same clinician between its event and its last contact.

    Where the clinician is not known, the activation that began the episode tells.
    """
    known = encounters[["person_key", "activation_key", "tier"]].copy()
    known["day"] = encounters["encounter_date"].dt.normalize()
    known["is_eap"] = encounters["support_resource"].eq("eap").fillna(False).astype(bool)
    spans = episodes[["person_key", "activation_key", "event_date", "last_contact_date"]].rename_axis("episode")
    named = spans[spans["person_key"].notna()].drop(columns="activation_key").reset_index()
    found = named.merge(known.drop(columns="activation_key"), on="person_key")
    found = found[found["day"].between(found["event_date"], found["last_contact_date"])]
    nameless = spans.loc[spans["person_key"].isna() & spans["activation_key"].notna(), ["activation_key"]].reset_index()
    begun = nameless.merge(known.drop(columns="person_key"), on="activation_key")
    columns = ["episode", "tier", "day", "is_eap"]
    return pd.concat([found[columns], begun[columns]], ignore_index=True)


def open_years_view(tables: Tables, _events: Frame) -> Frame:
    """One row per clinician (or nameless episode) and calendar year with days inside an open episode, binned."""
    episodes = tables["support_episode"]
    start = episodes["event_date"].dt.normalize()
    end = _closed_dates(episodes).fillna(start + pd.Timedelta(days=FOLLOW_UP_DAYS))
    spans = episodes[["person_key", "episode_key", "role_group"]].copy()
    spans["who"] = spans["person_key"].fillna(spans["episode_key"])
    spans["start"], spans["end"] = start, end.clip(upper=start + pd.Timedelta(days=FOLLOW_UP_DAYS))
    rows = _by_year(spans[spans["end"] > spans["start"]])
    rows["open_days"] = pd.cut(rows.pop("days"), [0, *LOAD_BINS.values()], labels=list(LOAD_BINS)).astype(object)
    rows["recorded_date"] = rows["year_end"]
    rows["row_key"] = row_key(rows, "who", "year")
    return rows


def _by_year(spans: Frame) -> Frame:
    """The days of each `who` inside [start, end) of any of its spans, year by year; overlaps count once."""
    years = range(spans["start"].dt.year.min(), spans["end"].dt.year.max() + 1) if len(spans) else range(0)
    parts = [spans.head(0).assign(year=0, days=0)]
    for year in years:
        first, last = pd.Timestamp(year, 1, 1), pd.Timestamp(year + 1, 1, 1)
        part = spans.assign(year=year)
        part["start"] = spans["start"].mask(spans["start"] < first, first)
        part["end"] = spans["end"].mask(spans["end"] > last, last)
        part = part[part["end"] > part["start"]].sort_values(["start", "end", "episode_key"])
        covered = part.groupby("who")["end"].cummax().groupby(part["who"]).shift()
        part["days"] = (part["end"] - part["start"].where(~(covered > part["start"]), covered)).dt.days.clip(lower=0)
        parts.append(part)
    whole = pd.concat(parts, ignore_index=True)
    rows = whole.groupby(["who", "year"], as_index=False).agg(
        person_key=("person_key", "first"),
        role_group=("role_group", "first"),
        start=("start", "first"),
        days=("days", "sum"),
    )
    rows["year_end"] = year_end(rows.pop("start"))
    return rows
