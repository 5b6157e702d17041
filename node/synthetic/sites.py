"""Who the synthetic sites are: profile, size, latent culture, recording habits.

Domain recipe, 'Sites', 'Latent site traits' and 'Interventions'.

Everything about a site follows from its own generator and its position, never from how many sites there are. Positions
below eight are hospitals of 240 to 340 beds, alike in occupancy and staff per bed: so none holds a quarter of any
exposure in a network of six or eight, and the publication gate's dominance rule can pass. Later positions follow the
recipe's distribution of bed bands; positions 10, 16 and 22 of every 24 are EMS agencies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BED_BANDS = {
    "6-24": (6, 24),
    "25-49": (25, 49),
    "50-99": (50, 99),
    "100-199": (100, 199),
    "200-299": (200, 299),
    "300-399": (300, 399),
    "400-499": (400, 499),
    "500+": (500, 1100),
}
BAND_WEIGHTS = (0.06, 0.08, 0.12, 0.24, 0.20, 0.12, 0.08, 0.10)
COMPARABLE_SITES = 8
COMPARABLE_BEDS = (240, 340)
EMS_POSITIONS = (10, 16, 22)
QUIRKS = {12: "mass_event", 14: "reporting_gap", 20: "merged_units"}
SHAPES = ("incident_system", "redcap", "spreadsheet")
INTERVENTIONS = ("programme_expansion", "pager_24x7", "just_culture_training", "staffing_uplift")
# Order: reporting, support and just culture, workload pressure.
TRAIT_CORRELATION = np.array([[1.0, 0.4, 0.4, 0.0], [0.4, 1.0, 0.4, -0.3], [0.4, 0.4, 1.0, 0.0], [0.0, -0.3, 0.0, 1.0]])


@dataclass(frozen=True)
class Traits:
    """Latent z-scores of a site and its programme's age in years on the first day of data."""

    reporting: float
    support: float
    just_culture: float
    workload: float
    programme_age: float
    on_call: bool
    automatic_trigger: bool
    secular_trend: bool


@dataclass(frozen=True)
class Habits:
    """What the site writes down: shares between 0 and 1, or yes/no; `harm_scale` is a code of harm_source_scale."""

    link_missing: float
    tier1_recorded: float
    shift_missing: float
    role_missing: float
    time_missing: float
    person_missing: float
    involvement_recorded: float
    group_exploded: bool
    trigger_flag: bool
    harm_scale: str


@dataclass(frozen=True)
class Intervention:
    """A change at a site; `month` counts from the first month of data."""

    kind: str
    month: int


@dataclass(frozen=True)
class SitePlan:
    """A site before anything has happened there; headcount in persons, occupancy a share of the beds."""

    site_id: str
    shape: str
    profile: dict[str, str]
    beds: int
    headcount: int
    occupancy: float
    traits: Traits
    habits: Habits
    intervention: Intervention | None
    quirk: str | None

    @property
    def is_ems(self) -> bool:
        """An ambulance service: calls instead of patient-days."""
        return self.beds == 0

    def intervened(self, kind: str, month: np.ndarray) -> np.ndarray:
        """Months since the intervention of this kind, 0 before it or without it; shape of `month`."""
        if self.intervention is None or self.intervention.kind != kind:
            return np.zeros(np.shape(month))
        return np.asarray(np.maximum(0.0, np.asarray(month, dtype=float) - self.intervention.month + 1))


def draw_plan(position: int, rng: np.random.Generator) -> SitePlan:
    """The site at this position (from 0) of any network."""
    is_ems = position % 24 in EMS_POSITIONS
    beds = 0 if is_ems else _draw_beds(position, rng)
    spread = 0.3 if position < COMPARABLE_SITES else 1.0
    fte_per_bed = float(np.clip(6.5 + spread * rng.normal(0, 0.8), 4, 9))
    ems_staff = int(rng.integers(60, 401))
    traits = _draw_traits(rng)
    intervention = Intervention(str(rng.choice(INTERVENTIONS)), int(rng.integers(14, 31)))
    return SitePlan(
        site_id=f"site-{position + 1:02d}",
        shape=SHAPES[position % 8] if position % 8 < len(SHAPES) else "views",
        profile=_draw_profile(beds, traits, rng),
        beds=beds,
        headcount=ems_staff if is_ems else round(beds * fte_per_bed / 0.85),
        occupancy=0.65 + spread * (float(rng.beta(13, 7)) - 0.65),
        traits=traits,
        habits=_draw_habits(rng),
        intervention=intervention if rng.random() < 1 / 3 else None,
        quirk=QUIRKS.get(position % 24),
    )


def _draw_beds(position: int, rng: np.random.Generator) -> int:
    low, high = BED_BANDS[str(rng.choice(list(BED_BANDS), p=BAND_WEIGHTS))]
    if position < COMPARABLE_SITES:
        low, high = COMPARABLE_BEDS
    return int(rng.integers(low, high + 1))


def _draw_traits(rng: np.random.Generator) -> Traits:
    scores = np.linalg.cholesky(TRAIT_CORRELATION) @ rng.standard_normal(4)
    return Traits(
        reporting=float(scores[0]),
        support=float(scores[1]),
        just_culture=float(scores[2]),
        workload=float(scores[3]),
        programme_age=float(rng.uniform(0, 12)),
        on_call=bool(rng.random() < 0.4),
        automatic_trigger=bool(rng.random() < 0.3),
        secular_trend=bool(rng.random() < 0.25),
    )


def _draw_habits(rng: np.random.Generator) -> Habits:
    return Habits(
        link_missing=float(rng.uniform(0.20, 0.60)),
        tier1_recorded=float(rng.uniform(0.2, 0.9)),
        shift_missing=float(rng.uniform(0.05, 0.30)),
        role_missing=float(rng.uniform(0.02, 0.15)),
        time_missing=float(rng.uniform(0.05, 0.40)),
        person_missing=float(rng.uniform(0.0, 0.06)),
        involvement_recorded=float(rng.uniform(0.6, 0.95)),
        group_exploded=bool(rng.random() < 0.3),
        trigger_flag=bool(rng.random() < 0.25),
        harm_scale=str(rng.choice(["nrls", "ncc_merp", "local"], p=[0.4, 0.4, 0.2])),
    )


def _draw_profile(beds: int, traits: Traits, rng: np.random.Generator) -> dict[str, str]:
    band = next((name for name, (_, high) in BED_BANDS.items() if beds <= high), "500+")
    major = 0.05 if beds < 200 else 0.1 if beds < 400 else 0.5
    kind = "critical_access" if beds <= 24 else "acute_general"
    model = "tiered_forYOU" if traits.support > 0.5 else "on_call_RISE" if traits.on_call else "local_peer"
    ages = {1: "<1y", 3: "1-3y", 7: "3-7y"}
    return {
        "type": "ems_agency" if beds == 0 else kind,
        "bed_band": "none" if beds == 0 else band,
        "teaching": "none" if beds == 0 else str(rng.choice(["major", "minor", "none"], p=[major, 0.2, 0.8 - major])),
        "ownership": str(rng.choice(["public", "nonprofit", "forprofit"], p=[0.2, 0.6, 0.2])),
        "setting": str(rng.choice(["urban_metro", "urban_other", "rural"], p=[0.5, 0.3, 0.2])),
        "programme_model": model,
        "programme_age": next((name for top, name in ages.items() if traits.programme_age < top), ">7y"),
    }
