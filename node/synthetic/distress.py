"""Who is distressed, and for how long: the latent truth behind a programme's records.

Domain recipe, 'Second-victim incidence' and 'Recovery'.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from node.synthetic.clock import DAY, Clock, off_midnight
from node.synthetic.events import ERROR_TYPES
from node.synthetic.sites import SitePlan
from node.synthetic.workforce import Roster

UNREPORTED_PER_STAFF_YEAR = 0.30
MASS_EVENT_PERSONS = 30
REPEAT_DAYS = 90
NEVER_RECOVERED = 0.08
RECOVERY_LOG_MEAN, RECOVERY_LOG_SD = 2.817, 1.801


def logistic(score: ArrayLike) -> NDArray[np.float64]:
    """1 / (1 + exp(-score))."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(score, dtype=np.float64))))


def draw_distress(
    site: SitePlan, events: pd.DataFrame, involved: pd.DataFrame, roster: Roster, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per distressed clinician and cause, in order of time: person, minute, event (-1: none reported), masks.

    P(distress | involved) = logistic(-.4 + .9 severe + .5 child or mother + .4 error + .3 workload); the same without
    severity for causes that no report tells of (expected deaths, violence, complaints), Poisson .30 a staff-year.
    """
    causes = pd.concat([_reported(events, involved), _unreported(roster, clock, rng)], ignore_index=True)
    workload = site.traits.workload - 0.5 * (
        site.intervened("staffing_uplift", clock.month_of(causes["minute"].to_numpy())) > 0
    )
    score = -0.4 + 0.9 * causes["severe"] + 0.5 * causes["child"] + 0.4 * causes["error"] + 0.3 * workload
    felt = causes[rng.random(len(causes)) < logistic(score.to_numpy())].assign(mass=False)
    if site.quirk == "mass_event":
        felt = pd.concat([felt, _mass_event(roster, clock, rng)])
    felt = felt.sort_values(["minute", "person"], ignore_index=True)
    gap = felt.groupby("person")["minute"].diff()
    felt["repeat"] = gap.le(REPEAT_DAYS * DAY)
    felt["recovery_days"] = base_recovery(len(felt), rng)
    return felt


def _reported(events: pd.DataFrame, involved: pd.DataFrame) -> pd.DataFrame:
    of_person = events.iloc[involved["event"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "person": involved["person"],
            "event": involved["event"],
            "minute": of_person["minute"],
            "severe": of_person["serious"],
            "child": of_person["kind"].eq("perinatal"),
            "error": of_person["kind"].isin(ERROR_TYPES),
        }
    )


def _unreported(roster: Roster, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    expected = UNREPORTED_PER_STAFF_YEAR * 0.85 * clock.n_months / 12 * roster.frailty
    person = np.repeat(np.arange(len(roster.staff_id)), rng.poisson(expected))
    minute = off_midnight(rng.integers(0, clock.end, len(person)))
    return pd.DataFrame(
        {"person": person, "event": -1, "minute": minute, "severe": False, "child": False, "error": False}
    )


def _mass_event(roster: Roster, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """Thirty clinicians within a week of the second year of data."""
    start = int(rng.integers(13 * 30, 22 * 30)) * DAY
    person = rng.choice(len(roster.staff_id), MASS_EVENT_PERSONS, replace=False)
    minute = off_midnight(start + rng.integers(0, 7 * DAY, MASS_EVENT_PERSONS))
    return pd.DataFrame(
        {"person": person, "event": -1, "minute": minute, "severe": True, "child": False, "error": False, "mass": True}
    )


def base_recovery(n_rows: int, rng: np.random.Generator) -> np.ndarray:
    """Days to recovery before covariates, infinite if never: 8 % never, else lognormal(2.817, 1.801).

    Gives P(<= 30 days) = .577 (SeViD-III) and P(> 365 days or never) = .12 (SeViD-I).
    """
    days = rng.lognormal(RECOVERY_LOG_MEAN, RECOVERY_LOG_SD, n_rows)
    return np.where(rng.random(n_rows) < NEVER_RECOVERED, np.inf, days)
