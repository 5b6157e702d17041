"""Support episodes from encounters, for sites that do not export them: one clinician and one trigger."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from node.tables.keys import KeyHasher
from node.tables.schema import ROLE_GROUP, TABLES

GAP_DAYS = 90
OPEN_DAYS = 30

Tables = dict[str, pd.DataFrame]


def derive_episodes(tables: Tables, hasher: KeyHasher, today: date) -> pd.DataFrame:
    """The table support_episode, from support_encounter, support_activation and safety_event.

    Encounters of one person belong together if their activations name one event; without an event, if each follows the
    one before within 90 days. Without a person they belong together by activation. An episode is open if its last
    contact is less than 30 days old, else its outcome is unknown; nobody is known to have recovered.
    """
    contacts = _contacts(tables)
    groups = contacts.groupby("episode", sort=False)
    first = groups.first()
    stamps = groups.agg(
        last_contact_date=("day", "max"), highest_tier=("tier", "max"), tier3_first_date=("tier3_day", "min")
    )
    lower = contacts[contacts["tier"].ne("3")].groupby("episode", sort=False)["day"].min()
    of_first = ["person_key", "activation_key", "role_group", "unit_key", "event_date", "event_date_time_known"]
    episodes = first[of_first].join(stamps)
    episodes["first_contact_datetime"] = first["encounter_date"]
    episodes["first_contact_datetime_time_known"] = first["encounter_date_time_known"]
    stepped_up = lower.reindex(episodes.index) <= episodes["tier3_first_date"]
    episodes["escalated_date"] = episodes["tier3_first_date"].where(stepped_up)
    episodes["recovered_date"] = pd.Series(pd.NaT, index=episodes.index, dtype="datetime64[us]")
    fresh = episodes["last_contact_date"] > pd.Timestamp(today) - pd.Timedelta(days=OPEN_DAYS)
    episodes["outcome"] = pd.Series(np.where(fresh, "open", "unknown"), index=episodes.index, dtype="str")
    episodes["duty_adjustment"] = pd.Series(None, index=episodes.index, dtype="str")
    names = pd.Series(episodes.index, dtype="str")
    episodes = episodes.reset_index(drop=True)
    episodes["episode_key"] = hasher.keys("episode_key", names)
    return _numbered(episodes)


def _contacts(tables: Tables) -> pd.DataFrame:
    """Encounters with what their activation and event say, in order of time, and the name of their episode."""
    activations = tables["support_activation"][
        ["activation_key", "event_key", "activation_datetime", "unit_key", "role_group"]
    ]
    events = tables["safety_event"].query("status != 'void'")[["event_key", "event_date", "event_time"]]
    contacts = (
        tables["support_encounter"]
        .merge(activations, on="activation_key", how="left")
        .merge(events.rename(columns={"event_date": "event_day"}), on="event_key", how="left")
        .sort_values(["encounter_date", "encounter_key"], kind="stable", ignore_index=True)
    )
    contacts["role_group"] = contacts["role_group"].where(contacts["role_group"].isin(ROLE_GROUP))
    contacts["day"] = contacts["encounter_date"].dt.normalize()
    contacts["tier3_day"] = contacts["day"].where(contacts["tier"].eq("3"))
    contacts["episode"] = _episode_names(contacts)
    return _with_event_date(contacts)


def _episode_names(contacts: pd.DataFrame) -> pd.Series[str]:
    """Each contact's episode, named by its person and its event or first activation: later exports do not change it."""
    nobody = contacts["person_key"].isna()
    person = contacts["person_key"].fillna("")
    loose = contacts[~nobody & contacts["event_key"].isna()]
    gap = loose.groupby("person_key")["day"].diff().gt(pd.Timedelta(days=GAP_DAYS))
    chain = gap.groupby(loose["person_key"]).cumsum()
    starts = loose.groupby([loose["person_key"], chain])["activation_key"].transform("first")
    trigger = contacts["event_key"].fillna(starts.reindex(contacts.index)).fillna("")
    return (person + "/" + trigger).mask(nobody, "/" + contacts["activation_key"])


def _with_event_date(contacts: pd.DataFrame) -> pd.DataFrame:
    """The event's date with its clock time if that is known, else the day of the activation, else of the contact."""
    known = contacts["event_day"].notna()
    timed = contacts["event_time"].notna() & known
    event = contacts["event_day"] + contacts["event_time"].fillna(pd.Timedelta(0))
    fallback = contacts["activation_datetime"].dt.normalize().fillna(contacts["day"])
    contacts["event_date"] = event.where(known, fallback).astype("datetime64[us]")
    contacts["event_date_time_known"] = timed
    return contacts


def _numbered(episodes: pd.DataFrame) -> pd.DataFrame:
    """Number each person's episodes from 1, and put columns and types as the schema has them."""
    episodes = episodes.sort_values(["event_date", "episode_key"], kind="stable", ignore_index=True)
    number = episodes.groupby("person_key").cumcount() + 1
    episodes["episode_number"] = number.where(episodes["person_key"].notna()).astype("Int64")
    names = [column.name for column in TABLES["support_episode"].columns]
    return episodes[[*names, *(name for name in episodes.columns if name.endswith("_time_known"))]]
