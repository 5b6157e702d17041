"""The people and places of a synthetic site: units, roster, monthly staffing and activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from node.synthetic.clock import Clock
from node.synthetic.frames import canonical
from node.synthetic.sites import SitePlan
from node.tables.schema import ROLE_GROUP

FTE_PER_PERSON = 0.85
CALLS_PER_PERSON_MONTH = 25
# Order of ROLE_GROUP; the resident share goes to nurses at sites that do not teach.
HOSPITAL_ROLES = (0.34, 0.08, 0.05, 0.05, 0.22, 0.26)
EMS_ROLES = (0.08, 0.02, 0.0, 0.05, 0.70, 0.15)
# Nurses are 55 % of the clinicians involved in events (recipe, 'Involved clinicians').
INVOLVED_ROLES = (0.55, 0.17, 0.06, 0.05, 0.14, 0.03)
EMS_INVOLVED_ROLES = (0.05, 0.01, 0.0, 0.05, 0.86, 0.03)
# Reports per patient-day against a ward's.
UNIT_MULTIPLIER = {"icu": 1.6, "emergency": 1.3, "operating_room": 1.1, "labour_delivery": 0.9}


@dataclass(frozen=True)
class Units:
    """Parallel arrays over the units of a site: local code, type, beds, share of the site's reports."""

    code: np.ndarray
    unit_type: np.ndarray
    beds: np.ndarray
    report_share: np.ndarray

    def table(self) -> pd.DataFrame:
        """The canonical `unit` table."""
        return canonical("unit", {"unit_key": self.code, "unit_type": self.unit_type, "beds": self.beds})


@dataclass(frozen=True)
class Roster:
    """Parallel arrays over the clinicians of a site: padded staff id, role and unit (indices), weights."""

    staff_id: np.ndarray
    role: np.ndarray
    unit: np.ndarray
    involvement: np.ndarray
    frailty: np.ndarray

    @property
    def role_group(self) -> np.ndarray:
        """Role group codes, one per clinician."""
        return np.asarray(np.asarray(ROLE_GROUP)[self.role])


def draw_units(site: SitePlan, rng: np.random.Generator) -> Units:
    """Special units that the size allows and wards of about 28 beds; stations at an EMS agency."""
    if site.is_ems:
        kinds = ["ems_prehospital"] * max(2, site.headcount // 60)
    else:
        kinds = ["emergency", "all_outpatient"]
        kinds += ["icu", "operating_room", "labour_delivery"] if site.beds >= 50 else []
        kinds += ["ward_medical_surgical"] * max(1, site.beds // 28)
    weight = np.array([UNIT_MULTIPLIER.get(kind, 1.0) for kind in kinds]) * rng.uniform(0.7, 1.3, len(kinds))
    bedded = np.array([kind not in {"emergency", "all_outpatient", "ems_prehospital"} for kind in kinds])
    return Units(
        code=np.array([f"{kind[:4].upper()}-{number + 1:02d}" for number, kind in enumerate(kinds)]),
        unit_type=np.array(kinds),
        beds=np.where(bedded, site.beds // max(1, int(bedded.sum())), 0),
        report_share=weight / weight.sum(),
    )


def draw_roster(site: SitePlan, units: Units, rng: np.random.Generator) -> Roster:
    """Clinicians with a Gamma(2, 2) frailty, so that repeated involvement is as uneven as in life."""
    shares = np.array(EMS_ROLES if site.is_ems else HOSPITAL_ROLES)
    if not site.is_ems and site.profile["teaching"] == "none":
        shares = np.array([shares[0] + shares[2], shares[1], 0.0, *shares[3:]])
    role = rng.choice(len(ROLE_GROUP), site.headcount, p=shares / shares.sum())
    frailty = rng.gamma(2.0, 0.5, site.headcount)
    involved = np.array(EMS_INVOLVED_ROLES if site.is_ems else INVOLVED_ROLES)
    per_person = involved / np.maximum(1, np.bincount(role, minlength=len(ROLE_GROUP)))
    weight = frailty * per_person[role]
    numbers = rng.choice(np.arange(1_000, 1_000 + 8 * site.headcount), site.headcount, replace=False)
    return Roster(
        staff_id=np.array([f"{number:06d}" for number in numbers]),
        role=role,
        unit=rng.choice(len(units.code), site.headcount, p=units.report_share),
        involvement=weight / weight.sum(),
        frailty=frailty / frailty.mean(),
    )


def staffing_table(roster: Roster, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """One row per month and role: the roster's size with two percent of slow drift, FTE = 0.85 x headcount."""
    role, persons = np.unique(roster.role, return_counts=True)
    drift = 1 + np.cumsum(rng.normal(0, 0.004, (clock.n_months, len(role))), axis=0).clip(-0.02, 0.02)
    headcount = np.maximum(1, np.round(persons * drift))
    vacancy = np.round(headcount * rng.uniform(0.03, 0.12, headcount.shape), 1)
    values: dict[str, Any] = {
        "period": np.repeat(clock.month_starts, len(role)),
        "role_group": np.tile(np.asarray(ROLE_GROUP)[role], clock.n_months),
        "headcount": headcount.ravel(),
        "fte": np.round(headcount * FTE_PER_PERSON, 1).ravel(),
        "worked_hours": np.round(headcount * FTE_PER_PERSON * 152).ravel(),
        "vacancy_fte": vacancy.ravel(),
        "voluntary_separations": rng.poisson(headcount * 0.16 / 12).ravel(),
    }
    return canonical("staffing_period", values)


def activity_table(site: SitePlan, clock: Clock, rng: np.random.Generator) -> pd.DataFrame:
    """One row per month: patient-days = beds x occupancy x days; an EMS agency counts calls and has no patient-days."""
    noise = rng.normal(1, 0.02, clock.n_months)
    patient_days = np.round(site.beds * site.occupancy * clock.days_in_month * noise)
    calls = np.round(site.headcount * CALLS_PER_PERSON_MONTH * noise) if site.is_ems else None
    values = {
        "period": clock.month_starts,
        "patient_days": patient_days,
        "admissions": np.round(patient_days / 4.8),
        "ed_visits": np.round(patient_days * 0.55 * rng.normal(1, 0.03, clock.n_months)),
        "calls_dispatched": calls,
    }
    return canonical("activity_period", {name: value for name, value in values.items() if value is not None})
