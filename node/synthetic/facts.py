"""The cases behind each measure at one site, in the words of the catalogue: one frame per kind of case.

`entered` is when a case counts: the date it was recorded, plus a lag, or the end of its follow-up. As in the catalogue,
measures about clinicians leave out rows whose clinician is not known.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from node.synthetic.network import SyntheticSite
from protocols.periods import Period

SERIOUS = ("severe_harm", "death")
STAFF_TYPES = ("staff_safety", "workplace_violence")
MATCHES = {("human_error", "console"), ("at_risk", "coach"), ("reckless", "discipline")}
JUDGED = ("human_error", "at_risk", "reckless")


@dataclass(frozen=True)
class SiteFacts:
    """Frames of cases with `entered` (Timestamp) and what their measure asks; `months` are the monthly exposures."""

    serious: pd.DataFrame
    exposed: pd.DataFrame
    offers: pd.DataFrame
    fixes: pd.DataFrame
    rcas: pd.DataFrame
    actions: pd.DataFrame
    activations: pd.DataFrame
    supported: pd.DataFrame
    distressed: pd.DataFrame
    contacts: pd.DataFrame
    tiers: pd.DataFrame
    recoveries: pd.DataFrame
    reviews: pd.DataFrame
    months: pd.DataFrame

    def exposure(self, name: str, period: Period) -> float:
        """patient_days (sum), headcount (mean of months) or staff_years (mean FTE x years) of a period."""
        rows = self.months[pd.Timestamp(period.start) : pd.Timestamp(period.end)]
        if name == "patient_days":
            return float(rows["patient_days"].sum())
        if name == "headcount":
            return float(rows["headcount"].mean())
        return float(rows["fte"].mean()) * period.grain.months / 12


def site_facts(site: SyntheticSite) -> SiteFacts:
    """All cases of a site, from what it recorded (and, for `distressed`, from what really happened)."""
    tables = site.tables
    events = _events(tables)
    triggers = events[events["triggered"]]
    activations = tables["support_activation"].assign(entered=tables["support_activation"]["activation_datetime"])
    encounters = tables["support_encounter"].assign(entered=tables["support_encounter"]["encounter_date"])
    episodes = tables["support_episode"].dropna(subset=["person_key"])
    staffing = tables["staffing_period"].groupby("period")[["headcount", "fte"]].sum()
    return SiteFacts(
        serious=events[events["harm"].isin(SERIOUS)],
        exposed=tables["event_involvement"].merge(triggers[["event_key", "entered"]], on="event_key"),
        offers=_offers(triggers, activations),
        fixes=_fixes(triggers, tables),
        rcas=_rcas(tables),
        actions=_actions(tables),
        activations=activations,
        supported=encounters[encounters["tier"].isin(["2", "3"])].dropna(subset=["person_key"]),
        distressed=site.distress.rename(columns={"person": "person_key", "onset": "entered"}),
        contacts=_contacts(episodes),
        tiers=episodes.assign(entered=episodes["event_date"].dt.normalize() + pd.Timedelta(days=90)),
        recoveries=_recoveries(episodes),
        reviews=_reviews(tables, events),
        months=staffing.join(tables["activity_period"].groupby("period")[["patient_days"]].sum()),
    )


def _events(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Events that are not void, entered when reported; triggered by the site's own flag, else by harm or type."""
    events = tables["safety_event"]
    events = events[events["status"] != "void"]
    by_rule = events["harm"].isin(SERIOUS) | events["event_type"].isin(STAFF_TYPES)
    flagged = events["trigger"].where(events["trigger"].notna(), by_rule)
    return events.assign(entered=events["reported_date"].fillna(events["event_date"]), triggered=flagged.astype(bool))


def _offers(triggers: pd.DataFrame, activations: pd.DataFrame) -> pd.DataFrame:
    """Trigger events, 30 days on: was the first activation that was not "no offer made" there by then?"""
    first = activations[activations["offered"].ne(False).fillna(True)].groupby("event_key")["activation_datetime"].min()
    entered = triggers["entered"] + pd.Timedelta(days=30)
    return pd.DataFrame({"entered": entered, "yes": triggers["event_key"].map(first).dt.normalize() <= entered})


def _fixes(triggers: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Supported trigger events: fixed within 180 days, entered then, or else when the 180 days were over."""
    encounters, activations = tables["support_encounter"], tables["support_activation"]
    helped = encounters.loc[encounters["tier"].isin(["2", "3"]), "activation_key"]
    helped_events = activations.loc[activations["activation_key"].isin(helped), "event_key"].dropna()
    supported = triggers[triggers["event_key"].isin(helped_events)]
    actions = tables["rca_action"].merge(tables["rca"][["rca_key", "event_key"]], on="rca_key")
    actions = actions[actions["strength"].isin(["strong", "intermediate"])]
    fixed = supported["event_key"].map(actions.groupby("event_key")["completed_date"].min())
    deadline = supported["event_date"] + pd.Timedelta(days=180)
    in_time = fixed <= deadline
    return pd.DataFrame({"entered": fixed.where(in_time, deadline), "yes": in_time})


def _rcas(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    completed = tables["rca"].dropna(subset=["completed_date"])
    actions = tables["rca_action"]
    effective = actions.loc[actions["strength"].isin(["strong", "intermediate"]), "rca_key"]
    return pd.DataFrame({"entered": completed["completed_date"], "yes": completed["rca_key"].isin(effective)})


def _actions(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    actions = tables["rca_action"]
    return pd.DataFrame({"entered": actions["due_date"], "yes": actions["completed_date"] <= actions["due_date"]})


def _contacts(episodes: pd.DataFrame) -> pd.DataFrame:
    """Episodes whose clock times are known: hours to the first contact (NaN beyond 720), entered then."""
    no_contact = episodes["first_contact_datetime"].isna()
    timed = episodes["event_date_time_known"] & (no_contact | episodes["first_contact_datetime_time_known"])
    rows = episodes[timed]
    horizon = rows["event_date"] + pd.Timedelta(hours=720)
    reached = rows["first_contact_datetime"] <= horizon
    hours = (rows["first_contact_datetime"] - rows["event_date"]).dt.total_seconds() / 3600
    return pd.DataFrame(
        {"entered": rows["first_contact_datetime"].where(reached, horizon), "hours": hours.where(reached)}
    )


def _recoveries(episodes: pd.DataFrame) -> pd.DataFrame:
    """Days from event to recovery, else to the last contact or day 365; entered on recovery or after 365 days."""
    start = episodes["event_date"].dt.normalize()
    horizon = start + pd.Timedelta(days=365)
    recovered = episodes["recovered_date"] <= horizon
    followed = episodes["last_contact_date"].where(episodes["recovered_date"].isna(), horizon).clip(upper=horizon)
    return pd.DataFrame(
        {
            "entered": episodes["recovered_date"].where(recovered, horizon),
            "days": (episodes["recovered_date"].where(recovered, followed) - start).dt.days,
            "recovered": recovered,
        }
    )


def _reviews(tables: dict[str, pd.DataFrame], events: pd.DataFrame) -> pd.DataFrame:
    rows = tables["jc_review"].merge(events[["event_key", "entered"]], on="event_key")
    rows = rows[rows["behaviour"].isin(JUDGED) & rows["person_key"].notna()]
    pairs = zip(rows["behaviour"], rows["response"], strict=True)
    matched = pd.Series([pair in MATCHES for pair in pairs], index=rows.index, dtype=bool)
    return pd.DataFrame({"entered": rows["review_date"].fillna(rows["entered"]), "yes": matched})
