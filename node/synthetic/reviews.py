"""Just Culture reviews, root cause analyses and their actions (domain recipe, 'Just culture', 'RCA')."""

from __future__ import annotations

import numpy as np
import pandas as pd

from node.synthetic.clock import DAY, Clock
from node.synthetic.distress import logistic
from node.synthetic.frames import blank, canonical
from node.synthetic.records import Recorder
from node.synthetic.sites import SitePlan

BEHAVIOURS = {"human_error": 0.665, "at_risk": 0.257, "reckless": 0.028, "undetermined": 0.05}
MATCHING = {"human_error": "console", "at_risk": "coach", "reckless": "discipline"}
STRENGTHS = ("strong", "intermediate", "weak")
STRENGTH_SHARES = np.array([0.06, 0.38, 0.56])
# The recipe has 20, with which one large site can carry a network of 24 out of its acceptance interval.
STRENGTH_CONCENTRATION = 60
STRENGTH_SHARES_JUST = np.array([0.10, 0.48, 0.42])


def review_table(recorder: Recorder, events: pd.DataFrame, involved: pd.DataFrame) -> pd.DataFrame:
    """The canonical `jc_review` table: one involved clinician of some events with at least moderate harm.

    The matching response has probability logistic(.8 + .8 just culture); a punitive one to an error logistic(-2.6 - .8
    just culture + .3 severe), its odds x .6 after a training.
    """
    site, clock, rng = recorder.site, recorder.clock, recorder.rng
    rows = involved.drop_duplicates("event")
    harmful = ~events["harm"].isin(["no_harm", "mild_harm"]).to_numpy()
    rows = rows[harmful[rows["event"]]]
    rows = rows[rng.random(len(rows)) < 0.45 * logistic(0.4 + 0.5 * site.traits.just_culture)]
    event = rows["event"].to_numpy()
    reviewed_day = events["reported_day"].to_numpy()[event] + 3 + rng.lognormal(np.log(18), 0.7, len(rows)).astype(int)
    behaviour = rng.choice(list(BEHAVIOURS), len(rows), p=list(BEHAVIOURS.values()))
    role = recorder.roster.role_group[rows["person"]]
    values = {
        "event_key": recorder.event_keys[event],
        "person_key": recorder.roster.staff_id[rows["person"]],
        "role_group": blank(role, rng.random(len(rows)) < site.habits.role_missing),
        "behaviour": behaviour,
        "response": _responses(site, events.iloc[event], behaviour, clock, rng),
        "review_date": clock.dates(reviewed_day * DAY),
    }
    known = np.flatnonzero(reviewed_day * DAY < clock.end)
    return canonical("jc_review", values).iloc[known].reset_index(drop=True)


def _responses(
    site: SitePlan, events: pd.DataFrame, behaviour: np.ndarray, clock: Clock, rng: np.random.Generator
) -> np.ndarray:
    culture, n_rows = site.traits.just_culture, len(events)
    trained = site.intervened("just_culture_training", clock.month_of(events["minute"].to_numpy())) > 0
    harsh = logistic(-2.6 - 0.8 * culture + 0.3 * events["serious"].to_numpy() + np.log(0.6) * trained)
    other = rng.choice(["system_fix_only", "education", "monitoring", "none"], n_rows, p=[0.35, 0.35, 0.15, 0.15])
    matching = np.select([behaviour == name for name in MATCHING], list(MATCHING.values()), "none")
    return np.select(
        [rng.random(n_rows) < logistic(0.8 + 0.8 * culture), rng.random(n_rows) < harsh],
        [matching, "discipline"],
        other,
    )


def draw_rcas(events: pd.DataFrame, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """One row per root cause analysis of a serious, or 5 % of a moderate event: event, opened, completed (days)."""
    moderate = events["harm"].eq("moderate_harm") & (rng.random(len(events)) < 0.05)
    event = np.flatnonzero(events["serious"] | moderate)
    opened = events["reported_day"].to_numpy()[event] + rng.integers(1, 11, len(event))
    completed = opened + 10 + rng.lognormal(np.log(32), 0.5, len(event)).astype(int)
    frame = pd.DataFrame({"event": event, "opened": opened, "completed": completed})
    return frame[frame["opened"] * DAY < clock.end].reset_index(drop=True)


def rca_table(recorder: Recorder, rcas: pd.DataFrame) -> pd.DataFrame:
    """The canonical `rca` table."""
    clock = recorder.clock
    values = {
        "rca_key": rca_keys(rcas),
        "event_key": recorder.event_keys[rcas["event"]],
        "opened_date": clock.dates(rcas["opened"] * DAY),
        "completed_date": clock.dates(rcas["completed"] * DAY),
        "involved_staff_invited": recorder.rng.random(len(rcas)) < logistic(recorder.site.traits.just_culture),
    }
    return canonical("rca", values)


def rca_keys(rcas: pd.DataFrame) -> np.ndarray:
    """Numbers of root cause analyses."""
    return np.array([f"RCA-{number + 1:04d}" for number in range(len(rcas))], dtype=object)


def action_table(recorder: Recorder, rcas: pd.DataFrame) -> pd.DataFrame:
    """The canonical `rca_action` table: 1 + Poisson(2.6 to 4) actions, weaker where just culture is.

    Strengths come from Dirichlet(60 x (.06, .38, .56)), shifted towards (.10, .48, .42) with just culture; a share
    .6 + .08 just culture is done by the due date, some 75 days after the analysis.
    """
    site, clock, rng = recorder.site, recorder.clock, recorder.rng
    number = 1 + rng.poisson(rng.uniform(2.6, 4.0), len(rcas))
    rca = np.repeat(np.arange(len(rcas)), number)
    n_rows = len(rca)
    shift = float(np.clip(0.5 + 0.25 * site.traits.just_culture, 0, 1)) * 0.5
    shares = rng.dirichlet(STRENGTH_CONCENTRATION * ((1 - shift) * STRENGTH_SHARES + shift * STRENGTH_SHARES_JUST))
    due = rcas["completed"].to_numpy()[rca] + np.maximum(14, rng.normal(75, 20, n_rows)).astype(int)
    in_time = rng.random(n_rows) < np.clip(0.6 + 0.08 * site.traits.just_culture, 0.2, 0.95)
    slip = np.where(in_time, -rng.exponential(12, n_rows).clip(0, 60), 1 + rng.exponential(60, n_rows)).astype(int)
    done = np.where(~in_time & (rng.random(n_rows) < 0.15), clock.end, (due + slip) * DAY)
    values = {
        "rca_key": rca_keys(rcas)[rca],
        "action_no": (pd.Series(rca).groupby(rca).cumcount() + 1).astype(str),
        "strength": rng.choice(STRENGTHS, n_rows, p=shares),
        "due_date": clock.month_starts[0] + pd.to_timedelta(due, unit="D"),
        "completed_date": clock.dates(done),
        "verified": rng.random(n_rows) < 0.5,
    }
    agreed = rcas["completed"].to_numpy()[rca] * DAY < clock.end
    return canonical("rca_action", values)[agreed].reset_index(drop=True)
