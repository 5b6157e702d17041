"""What a site records beside events and support: factors, debriefs, staffing of shifts, surveys, interventions.

Drawn from a generator of its own, so that a site's events and support do not depend on it. Rates are plausible and say
nothing about real hospitals.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from node.synthetic.clock import DAY
from node.synthetic.distress import logistic
from node.synthetic.frames import canonical
from node.synthetic.records import Recorder
from node.synthetic.sites import INTERVENTIONS, Intervention
from node.tables.schema import CONTRIBUTING_FACTOR, ROLE_GROUP, SURVEY_ITEMS

STAFFING_FACTORS = ("staffing_ratio", "workload", "time_pressure_productivity", "fatigue_hours")
CODED_SHARE = 0.7
LESSON_SHARE = 0.45
SHIFTS = ("day", "evening", "night")
SAFE_RATIO = 2.0
RESPONSE_RATE = 0.3
PREVALENCE_12M = 0.2
_KINDS = dict(zip(INTERVENTIONS, ("launch", "launch", "training", "staffing"), strict=True))
_LABELS = dict(
    zip(INTERVENTIONS, ("Programme expanded", "Pager 24x7", "Just culture training", "More staff"), strict=True)
)


def culture_tables(
    recorder: Recorder, events: pd.DataFrame, debriefs: pd.DataFrame, rng: np.random.Generator
) -> dict[str, pd.DataFrame]:
    """The canonical tables contributing_factor, debrief, shift_staffing, survey_wave, survey_response, intervention."""
    waves = _waves(recorder)
    return {
        "contributing_factor": _factors(recorder, events, rng),
        "debrief": _debriefs(recorder, debriefs, rng),
        "shift_staffing": _shifts(recorder, rng),
        "survey_wave": waves,
        "survey_response": _responses(recorder, waves, rng),
        "intervention": _interventions(recorder, recorder.site.intervention),
    }


def _factors(recorder: Recorder, events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """One to three factors of most events with harm; staffing is cited more often where workload is high."""
    harmful = np.flatnonzero(~events["harm"].isin(["no_harm", "mild_harm"]))
    coded = harmful[rng.random(len(harmful)) < CODED_SHARE]
    event = np.repeat(coded, rng.integers(1, 4, len(coded)))
    weight = np.array([2.0 if factor in STAFFING_FACTORS else 1.0 for factor in CONTRIBUTING_FACTOR])
    weight[: len(STAFFING_FACTORS)] *= np.exp(0.3 * recorder.site.traits.workload)
    factor = rng.choice(CONTRIBUTING_FACTOR, len(event), p=weight / weight.sum())
    values = {"event_key": recorder.event_keys[event], "factor": factor}
    return canonical("contributing_factor", values).drop_duplicates().reset_index(drop=True)


def _debriefs(recorder: Recorder, debriefs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    values = {
        "debrief_key": [f"DB-{number + 1:04d}" for number in range(len(debriefs))],
        "debrief_date": recorder.clock.dates(debriefs["minute"]),
        "event_key": recorder.event_keys[debriefs["event"]],
        "participants": debriefs["persons"].to_numpy(),
        "minutes": debriefs["length"].to_numpy(),
        "lesson_shared": rng.random(len(debriefs)) < LESSON_SHARE,
    }
    return canonical("debrief", values)


def _shifts(recorder: Recorder, rng: np.random.Generator) -> pd.DataFrame:
    """Every shift of every intensive care unit: patients by occupancy, nurses by plan and who fell ill."""
    clock, site = recorder.clock, recorder.site
    unit = np.flatnonzero(recorder.units.unit_type == "icu")
    day, shift, code = np.meshgrid(np.arange(clock.end // DAY), np.arange(len(SHIFTS)), unit, indexing="ij")
    beds = np.maximum(recorder.units.beds[code.ravel()], 4)
    patients = rng.binomial(beds, np.clip(site.occupancy + 0.1, 0, 0.97))
    planned = np.ceil(beds * site.occupancy / SAFE_RATIO) + 1
    nurses = np.maximum(planned - rng.poisson(np.exp(0.3 * site.traits.workload), code.size), 1)
    values = {
        "unit_key": recorder.units.code[code.ravel()],
        "shift_date": clock.dates(day.ravel() * DAY),
        "shift": np.asarray(SHIFTS)[shift.ravel()],
        "patients": patients.astype(float),
        "rn_count": nurses.astype(float),
        "safe_ratio": np.full(code.size, SAFE_RATIO),
    }
    return canonical("shift_staffing", values)


def _waves(recorder: Recorder) -> pd.DataFrame:
    """One survey every October."""
    years = sorted(set(recorder.clock.month_starts.year))
    values = {
        "wave_key": [f"SVEST-{year}" for year in years],
        "instrument": ["svest_r"] * len(years),
        "opened": pd.to_datetime([f"{year}-10-01" for year in years]),
        "closed": pd.to_datetime([f"{year}-11-15" for year in years]),
        "invited": [recorder.site.headcount] * len(years),
    }
    return canonical("survey_wave", values)


def _responses(recorder: Recorder, waves: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    parts = [_wave_responses(recorder, key, number, rng) for number, key in enumerate(waves["wave_key"])]
    return pd.concat(parts, ignore_index=True)


def _wave_responses(recorder: Recorder, wave: str, number: int, rng: np.random.Generator) -> pd.DataFrame:
    """Respondents with random keys; awareness grows with the programme, scores lean with support at the site."""
    site = recorder.site
    answered = rng.choice(site.headcount, rng.binomial(site.headcount, RESPONSE_RATE), replace=False)
    aware = rng.random(len(answered)) < logistic(-1.0 + 0.15 * (site.traits.programme_age + number))
    mood = rng.normal(2.9 - 0.2 * site.traits.support, 0.6, len(answered))
    values: dict[str, Sequence[object] | np.ndarray] = {
        "wave_key": [wave] * len(answered),
        "respondent_key": [f"{value:012x}" for value in rng.integers(0, 2**48, len(answered))],
        "role_group": np.asarray(ROLE_GROUP)[recorder.roster.role[answered]],
        "aware": aware,
        "sv_12m": rng.random(len(answered)) < PREVALENCE_12M,
        "sv_career": rng.random(len(answered)) < 2 * PREVALENCE_12M,
    }
    for item in SURVEY_ITEMS:
        scores = np.clip(np.rint(mood + rng.normal(0, 0.8, len(answered))), 1, 5).astype(int)
        values[item] = scores.astype(str)
    return canonical("survey_response", values)


def _interventions(recorder: Recorder, later: Intervention | None) -> pd.DataFrame:
    """The programme's launch, and what the site changed since."""
    clock = recorder.clock
    launched = clock.month_starts[0] - pd.DateOffset(months=round(12 * recorder.site.traits.programme_age))
    rows = [("Programme launched", launched, "launch")]
    if later is not None:
        began = clock.month_starts[min(later.month, clock.n_months - 1)]
        rows.append((_LABELS[later.kind], began, _KINDS[later.kind]))
    labels, starts, kinds = zip(*rows, strict=True)
    values = {"label": labels, "start_date": pd.to_datetime(list(starts)), "kind": kinds, "scope": ["site"] * len(rows)}
    return canonical("intervention", values)
