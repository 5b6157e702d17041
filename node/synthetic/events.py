"""Safety events of a synthetic site and the clinicians involved in them.

Domain recipe, 'Events' and 'Involved clinicians'.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from node.synthetic.clock import DAY, Clock, off_midnight
from node.synthetic.frames import blank, canonical
from node.synthetic.sites import SitePlan
from node.synthetic.workforce import CALLS_PER_PERSON_MONTH, Roster, Units

EVENT_TYPES = {
    "fall": 0.20,
    "medication_or_other_substance": 0.18,
    "other": 0.27,
    "pressure_ulcer": 0.08,
    "device_or_supply_incl_hit": 0.07,
    "perinatal": 0.04,
    "surgery_or_anesthesia": 0.07,
    "healthcare_associated_infection": 0.04,
    "blood_or_blood_product": 0.01,
    "venous_thromboembolism": 0.01,
    "staff_safety": 0.01,
    "workplace_violence": 0.02,
}
ERROR_TYPES = (
    "medication_or_other_substance",
    "surgery_or_anesthesia",
    "blood_or_blood_product",
    "device_or_supply_incl_hit",
)
STAFF_TYPES = ("staff_safety", "workplace_violence")
HARMS = ("no_harm", "mild_harm", "moderate_harm", "severe_harm", "death")
# NRLS: 68 / 25 / 6 / 1 %; deaths are a third of the last.
HARM_SHARES = (0.68, 0.25, 0.06, 0.01)
# The recipe has 200, with which one network of 24 in three misses its own acceptance check on the pooled shares.
HARM_CONCENTRATION = 1000
SHIFTS = ("day", "evening", "night")
SHIFT_SHARES = (0.35, 0.29, 0.36)
SHIFT_START_HOUR = np.array([7, 15, 23])
REPORTS_PER_1000_PATIENT_DAYS = 38.0
REPORTS_PER_1000_CALLS = 4.0


def draw_events(site: SitePlan, units: Units, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """All events reported before the data end, in order of time: minute, reported_day, unit (index), codes and masks.

    Monthly counts are negative binomial with k = 12 around the site's expectation, which is
    38 exp(.30 reporting + .10 workload) per 1,000 patient-days.
    """
    expected = _expected_per_month(site, clock, rng)
    counts = rng.poisson(expected * rng.gamma(12, 1 / 12, clock.n_months))
    month = np.repeat(np.arange(clock.n_months), counts)
    shift = rng.choice(len(SHIFTS), len(month), p=SHIFT_SHARES)
    day = rng.integers(0, clock.days_in_month[month])
    minute_of_day = (SHIFT_START_HOUR[shift] * 60 + rng.integers(0, 480, len(month))) % DAY
    frame = pd.DataFrame(
        {
            "minute": off_midnight(clock.month_bounds[month] + day * DAY + minute_of_day),
            "month": month,
            "unit": _units_of(site, units, month, rng),
            "shift": np.asarray(SHIFTS)[shift],
            "kind": rng.choice(list(EVENT_TYPES), len(month), p=list(EVENT_TYPES.values())),
            "harm": _draw_harm(site, month, rng),
        }
    ).sort_values("minute", ignore_index=True)
    frame = _with_report(frame, rng)
    return frame[frame["reported_day"] * DAY < clock.end].reset_index(drop=True)


def _expected_per_month(site: SitePlan, clock: Clock, rng: np.random.Generator) -> np.ndarray:
    traits = site.traits
    rate = np.exp(0.30 * traits.reporting + 0.10 * traits.workload) * rng.gamma(25, 1 / 25)
    if site.is_ems:
        base = np.full(clock.n_months, site.headcount * CALLS_PER_PERSON_MONTH / 1000 * REPORTS_PER_1000_CALLS)
    else:
        base = site.beds * site.occupancy * clock.days_in_month / 1000 * REPORTS_PER_1000_PATIENT_DAYS
    number = np.arange(clock.n_months)
    season = 1 + 0.06 * np.cos(2 * np.pi * (number % 12) / 12)
    newcomers = np.where(np.isin(number % 12, [6, 7]) & (site.profile["teaching"] != "none"), 1.05, 1.0)
    trend = 1.015 ** (np.minimum(number, 36) - 24.0) if site.traits.secular_trend else np.ones(clock.n_months)
    silent = np.isin(number, [20, 21]) if site.quirk == "reporting_gap" else np.zeros(clock.n_months, dtype=bool)
    return np.where(silent, 0.0, rate * base * season * newcomers * trend)


def _units_of(site: SitePlan, units: Units, month: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    unit = rng.choice(len(units.code), len(month), p=units.report_share)
    merged = (site.quirk == "merged_units") & (month >= 24) & (unit == len(units.code) - 1)
    return np.where(merged, len(units.code) - 2, unit)


def _draw_harm(site: SitePlan, month: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shares vary between sites; odds of severe harm x exp(.15 workload), x .9 after a staffing uplift."""
    shares = rng.dirichlet(HARM_CONCENTRATION * np.array(HARM_SHARES))
    uplift = site.intervened("staffing_uplift", month) > 0
    odds = shares[3] / (1 - shares[3]) * np.exp(0.15 * (site.traits.workload - 0.5 * uplift))
    severe = rng.random(len(month)) < (odds := np.where(uplift, 0.9, 1.0) * odds) / (1 + odds)
    lesser = rng.choice(3, len(month), p=shares[:3] / shares[:3].sum())
    return np.asarray(HARMS)[np.where(severe, 3 + (rng.random(len(month)) < 1 / 3), lesser)]


def _with_report(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Reports come two days later on average, three in a hundred of them weeks later."""
    n_rows = len(frame)
    late = np.where(rng.random(n_rows) < 0.03, rng.exponential(40, n_rows), 0).astype(int)
    harmless = frame["harm"].eq("no_harm")
    draw = rng.random(n_rows)
    frame["reported_day"] = frame["minute"] // DAY + rng.geometric(0.4, n_rows) - 1 + late
    frame["event_class"] = np.select(
        [harmless & (draw < 0.147), harmless & (draw < 0.206)], ["near_miss", "unsafe_condition"], "incident"
    )
    frame["serious"] = frame["harm"].isin(["severe_harm", "death"])
    frame["distressing"] = frame["serious"] | frame["harm"].eq("moderate_harm") | frame["kind"].isin(STAFF_TYPES)
    return frame


def draw_involvement(events: pd.DataFrame, roster: Roster, rng: np.random.Generator) -> pd.DataFrame:
    """Who was involved in distressing events: 1 + Poisson(1.8) clinicians each; columns event, person (indices)."""
    event = np.flatnonzero(events["distressing"])
    event = np.repeat(event, 1 + rng.poisson(1.8, len(event)))
    person = rng.choice(len(roster.staff_id), len(event), p=roster.involvement)
    return pd.DataFrame({"event": event, "person": person}).drop_duplicates(ignore_index=True)


def event_keys(events: pd.DataFrame, clock: Clock) -> np.ndarray:
    """Reference numbers as an incident system gives them: year and running number."""
    years = clock.dates(events["minute"]).dt.year
    return np.array([f"IR-{year}-{number + 1:05d}" for number, year in enumerate(years)], dtype=object)


def event_table(
    site: SitePlan, units: Units, events: pd.DataFrame, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """The canonical `safety_event` table."""
    n_rows = len(events)
    no_shift = rng.random(n_rows) < site.habits.shift_missing
    no_time = rng.random(n_rows) < site.habits.time_missing
    reviewable = ~events["harm"].isin(["no_harm", "mild_harm"])
    own_rule = events["serious"] | events["kind"].isin(STAFF_TYPES) | (events["kind"].eq("perinatal") & reviewable)
    modified = events["reported_day"] * DAY + off_midnight(rng.integers(1, 20 * DAY, n_rows))
    reported = events["reported_day"] * DAY
    values = {
        "event_key": event_keys(events, clock),
        "event_date": clock.dates(events["minute"]),
        "event_time": blank(pd.to_timedelta(events["minute"] % DAY, unit="min"), no_time),
        "reported_date": clock.dates(reported),
        "event_class": events["event_class"],
        "event_type": events["kind"],
        "harm": events["harm"],
        "harm_source_scale": [site.habits.harm_scale] * n_rows,
        "unit_key": units.code[events["unit"]],
        "shift": blank(events["shift"], no_shift),
        "jc_review_needed": reviewable,
        "trigger": own_rule if site.habits.trigger_flag else None,
        "source_system": ["incident reporting"] * n_rows,
        "status": np.where(reported < clock.end - 90 * DAY, "closed", "open"),
        "modified_date": clock.timestamps(np.minimum(modified, clock.end - 1)),
    }
    return canonical("safety_event", {name: value for name, value in values.items() if value is not None})


def involvement_table(
    site: SitePlan, keys: np.ndarray, involved: pd.DataFrame, roster: Roster, rng: np.random.Generator
) -> pd.DataFrame:
    """The canonical `event_involvement` table; for some events nobody wrote down who was there."""
    written = rng.random(len(keys)) < site.habits.involvement_recorded
    rows = involved[written[involved["event"]]]
    codes = rng.choice(["direct", "witness", "indirect", "leader"], len(rows), p=[0.7, 0.15, 0.1, 0.05])
    values = {
        "event_key": keys[rows["event"]],
        "person_key": roster.staff_id[rows["person"]],
        "role_group": roster.role_group[rows["person"]],
        "involvement": codes,
    }
    return canonical("event_involvement", values)
