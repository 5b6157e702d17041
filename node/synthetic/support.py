"""From distress to support: cases, activations, encounters (domain recipe, 'Referral', 'Delay', 'Tier')."""

from __future__ import annotations

import numpy as np
import pandas as pd

from node.synthetic.clock import DAY, Clock, off_midnight
from node.synthetic.distress import logistic
from node.synthetic.sites import SitePlan
from node.synthetic.workforce import Roster

HOUR = 60
SOURCES = {
    "self": 0.30,
    "colleague": 0.18,
    "manager": 0.27,
    "risk_quality_patient_safety": 0.10,
    "automatic_trigger": 0.08,
    "eap_occupational_health": 0.04,
    "hotline_external": 0.01,
    "other": 0.02,
}
UNREPORTED_REASONS = {
    "patient_death_expected": 0.30,
    "violence_aggression": 0.20,
    "complaint_litigation": 0.12,
    "moral_distress": 0.15,
    "colleague_illness_death": 0.13,
    "other": 0.10,
}
REFERRAL_LOGIT = -2.9
TIER1_PER_REFERRAL = 1.5
ACCEPTED, DECLINED = 0.86, 0.94


def referral_probability(site: SitePlan, distress: pd.DataFrame, roster: Roster, clock: Clock) -> np.ndarray:
    """growth(age) x logistic(-2.9 + .8 support + 1.2 severe - .7 physician + .3 automatic), per distressed clinician.

    growth(a) = .25 + .75 / (1 + exp(-(a - 2.5) / .8)): RISE went from one call a month to four in four years. An
    expansion raises the odds by 1.6, over six months. The recipe's -2.5 leaves out that debriefs reach people too, and
    puts the median above the 10 to 20 supported per 1,000 staff-years that it asks for.
    """
    traits = site.traits
    minute = distress["minute"].to_numpy()
    ramp = np.minimum(1.0, site.intervened("programme_expansion", clock.month_of(minute)) / 6)
    age = traits.programme_age + minute / (365 * DAY)
    growth = 0.25 + 0.75 * logistic((age - 2.5) / 0.8)
    physician = roster.role_group[distress["person"]] == "physician"
    score = REFERRAL_LOGIT + 0.8 * traits.support + 0.3 * traits.automatic_trigger + np.log(1.6) * ramp
    probability = growth * logistic(score + 1.2 * distress["severe"].to_numpy() - 0.7 * physician)
    return np.where(distress["mass"], 1.0, probability)


def draw_cases(
    site: SitePlan, distress: pd.DataFrame, roster: Roster, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per case that somebody at the site recorded: the distress row, tier reached, referral, times, answer.

    Tiers are 60/30/10 of all who get help (Scott 2010): for each referral one and a half people are helped by their own
    unit alone, and the site writes down only some of these. Odds of tier 3 x exp(.4 severe + .3 repeat).
    """
    probability = referral_probability(site, distress, roster, clock)
    draw = rng.random(len(distress))
    local = probability + np.minimum(0.6, TIER1_PER_REFERRAL * probability)
    written = (draw < probability) | ((draw < local) & (rng.random(len(distress)) < site.habits.tier1_recorded))
    cases = distress[written].reset_index(drop=True)
    referred = (draw < probability)[written]
    odds = 1 / 3 * np.exp((0.4 * cases["severe"] + 0.3 * cases["repeat"]).to_numpy(dtype=np.float64))
    professional = rng.random(len(cases)) < odds / (1 + odds)
    cases["tier"] = np.where(~referred, 1, np.where(professional, 3, 2))
    cases = _with_times(site, cases, clock, rng)
    cases["source"] = _draw_source(site, cases, rng)
    answer = np.where(cases["tier"].eq(1) | cases["mass"], 0.0, rng.random(len(cases)))
    cases["answer"] = np.select([answer < ACCEPTED, answer < DECLINED], ["accepted", "declined"], "no_reply")
    cases["reason"] = _reasons(cases, rng)
    linked = cases["event"].ge(0) & (rng.random(len(cases)) >= site.habits.link_missing)
    cases["event"] = cases["event"].where(linked, -1)
    return cases[cases["asked"] < clock.end].sort_values("asked", ignore_index=True)


def _with_times(site: SitePlan, cases: pd.DataFrame, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """First contact after a lognormal delay: 20 h x exp(-.35 support - .3 on call), sigma 1.3; weekends x 1.4."""
    pager = site.intervened("pager_24x7", clock.month_of(cases["minute"].to_numpy())) > 0
    weekday = clock.timestamps(cases["minute"]).dt.day_of_week.to_numpy()
    median = 20 * np.exp(-0.35 * site.traits.support - 0.3 * site.traits.on_call)
    factor = np.where(weekday >= 5, 1.4, 1.0) * np.where(pager, 0.55, 1.0)
    delay = np.maximum(10, median * factor * rng.lognormal(0, 1.3, len(cases)) * HOUR).astype(int)
    cases["contact"] = off_midnight((cases["minute"] + delay).to_numpy())
    cases["asked"] = off_midnight((cases["minute"] + delay * rng.uniform(0.4, 0.95, len(cases))).astype(int).to_numpy())
    return cases


def _draw_source(site: SitePlan, cases: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    weights = np.array(list(SOURCES.values()))
    tilt = {"self": 0.2, "automatic_trigger": -0.2}
    weights = weights * np.exp([tilt.get(name, 0.0) * site.traits.support for name in SOURCES])
    return rng.choice(list(SOURCES), len(cases), p=weights / weights.sum())


def _reasons(cases: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    names, weights = list(UNREPORTED_REASONS), list(UNREPORTED_REASONS.values())
    unreported = rng.choice(names, len(cases), p=weights)
    reported = np.select(
        [cases["child"] & cases["severe"], cases["error"] & (rng.random(len(cases)) < 0.3), cases["severe"]],
        ["paediatric_or_maternal_death", "error_harm", "patient_death_unexpected"],
        "unexpected_outcome",
    )
    return np.select([cases["mass"], cases["event"] >= 0], ["mass_event", reported], unreported)


def draw_contacts(cases: pd.DataFrame, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """One row per one-to-one contact of accepted cases, in order: case (index), minute, tier, minutes.

    A case at tier 2 has 1 + Poisson(.7) contacts some ten days apart; one at tier 3 sees a professional some twelve
    days after the first. Length is lognormal with median 28 minutes, sigma .5.
    """
    accepted = np.flatnonzero(cases["answer"].eq("accepted"))
    tier = cases["tier"].to_numpy()[accepted]
    follow_ups = np.where(tier > 1, rng.poisson(0.7, len(accepted)), 0)
    first = cases["contact"].to_numpy()[accepted]
    later = np.repeat(np.arange(len(accepted)), follow_ups)
    third = np.flatnonzero(tier == 3)
    rows = pd.DataFrame(
        {
            "case": accepted[np.concatenate([np.arange(len(accepted)), later, third])],
            "tier": np.concatenate([np.minimum(tier, 2), np.full(len(later), 2), np.full(len(third), 3)]),
            "minute": np.concatenate(
                [first, first[later] + _days(10, len(later), rng), first[third] + _days(12, len(third), rng)]
            ),
        }
    )
    rows["minute"] = off_midnight(rows["minute"].to_numpy())
    rows["length"] = np.clip(np.round(28 * rng.lognormal(0, 0.5, len(rows))), 5, 180).astype(int)
    return rows[rows["minute"] < clock.end].sort_values(["minute", "case"], ignore_index=True)


def _days(mean: float, n_rows: int, rng: np.random.Generator) -> np.ndarray:
    return ((0.5 + rng.exponential(mean, n_rows)) * DAY).astype(int)
