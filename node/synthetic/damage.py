"""Errors on the way from a programme's records to its exports (domain recipe, 'Export errors'). The import mends most.

What cannot be mended stays below one row in a hundred of any table, so that a comparison with the truth holds.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from node.synthetic.style import Style

SPOILED = 0.003
FIRST_SPREADSHEET_DAY = pd.Timestamp("1900-01-01")
RECOVERED_BEFORE_EVENT = 0.005
CLOCK_AS_MINUTES = 1430


def damaged(tables: dict[str, pd.DataFrame], style: Style, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """The tables with older versions, copies, void rows, wrong tiers, minutes and dates; columns stay canonical."""
    hurt = dict(tables)
    dated = _wrong_dates(tables["safety_event"], rng)
    hurt["safety_event"] = _with_tests(_with_versions(dated, style.duplicates, rng), rng)
    hurt["staffing_period"] = _without_a_month(tables["staffing_period"], rng)
    hurt["support_encounter"] = _wrong_encounters(tables["support_encounter"], style, rng)
    hurt["support_episode"] = _early_recoveries(tables["support_episode"], rng)
    for name in ("event_involvement", "rca_action", "support_activation", "support_encounter", "support_episode"):
        hurt[name] = _with_copies(hurt[name], style.duplicates, rng)
    return hurt


def _some(n_rows: int, share: float, rng: np.random.Generator) -> np.ndarray:
    return np.flatnonzero(rng.random(n_rows) < share)


def _with_versions(events: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    """Some events again as they were before their last change: harm not yet known, modified days earlier."""
    older = events.iloc[_some(len(events), share, rng)].copy()
    older["harm"] = "no_harm"
    older["status"] = "open"
    older["modified_date"] -= pd.Timedelta(days=3, minutes=7)
    return _mixed(events, older, rng)


def _wrong_dates(events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """A few events without a date, which are lost, and a few reports dated to a spreadsheet's day one."""
    frame = events.copy()
    frame["event_date"] = frame["event_date"].mask(rng.random(len(frame)) < SPOILED)
    frame["reported_date"] = frame["reported_date"].mask(rng.random(len(frame)) < SPOILED, FIRST_SPREADSHEET_DAY)
    return frame


def _without_a_month(staffing: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """At one site in five the figures of one month never came; the import carries those of the month before."""
    month = staffing["period"].drop_duplicates().iloc[int(rng.integers(1, staffing["period"].nunique()))]
    lost = staffing["period"].eq(month) & (rng.random() < 0.2)
    return staffing.assign(headcount=staffing["headcount"].mask(lost), fte=staffing["fte"].mask(lost))


def _with_copies(frame: pd.DataFrame, share: float, rng: np.random.Generator) -> pd.DataFrame:
    return _mixed(frame, frame.iloc[_some(len(frame), share, rng)], rng)


def _mixed(frame: pd.DataFrame, extra: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Both, the extra rows at random places."""
    place = np.concatenate([np.arange(len(frame)), rng.uniform(0, len(frame), len(extra))])
    return pd.concat([frame, extra]).iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def _with_tests(events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Void rows that somebody made to try the system out."""
    chosen = events.iloc[rng.integers(0, len(events), 2 + len(events) // 400)].copy() if len(events) else events
    chosen["event_key"] = [f"TEST-{number + 1}" for number in range(len(chosen))]
    return _mixed(events, chosen.assign(status="void", harm="death"), rng)


def _wrong_encounters(encounters: pd.DataFrame, style: Style, rng: np.random.Generator) -> pd.DataFrame:
    frame = encounters.copy()
    if style.eap_as_tier2:
        frame["tier"] = frame["tier"].mask(frame["support_resource"].eq("eap"), "2")
    frame["minutes"] = frame["minutes"].mask(rng.random(len(frame)) < SPOILED, CLOCK_AS_MINUTES)
    return frame


def _early_recoveries(episodes: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Recovery dated a month before the event: a typing error that only the person could correct."""
    frame = episodes.copy()
    wrong = (rng.random(len(frame)) < RECOVERED_BEFORE_EVENT) & frame["recovered_date"].notna()
    early = frame["event_date"].dt.normalize() - pd.Timedelta(days=30)
    frame["recovered_date"] = frame["recovered_date"].mask(wrong, early)
    return frame
