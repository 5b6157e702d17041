"""What a synthetic programme writes down of its support: the canonical activation and encounter tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from node.synthetic.clock import Clock, exact_share
from node.synthetic.frames import KNOWN, blank, canonical
from node.synthetic.sites import SitePlan
from node.synthetic.workforce import Roster, Units

ONE_TO_ONE = ("one_to_one_in_person", "one_to_one_phone", "one_to_one_video_text")
RESOURCES = {
    1: {"unit_manager": 0.5, "unit_colleague": 0.5},
    2: {"peer_supporter": 0.85, "patient_safety_or_risk": 0.15},
    3: {"eap": 0.4, "psychologist": 0.25, "chaplain": 0.15, "occupational_medicine": 0.12, "social_work": 0.08},
}


@dataclass(frozen=True)
class Support:
    """All that happened in a programme, as the frames of `support` and `groups`."""

    cases: pd.DataFrame
    contacts: pd.DataFrame
    debriefs: pd.DataFrame
    offers: pd.DataFrame


@dataclass(frozen=True)
class Recorder:
    """How a site writes things down: its codes for people, units and events, and the clock times that it leaves out."""

    site: SitePlan
    units: Units
    roster: Roster
    clock: Clock
    event_keys: np.ndarray
    rng: np.random.Generator

    def event_key(self, event: np.ndarray) -> pd.Series[str]:
        """Reference numbers, missing where the event is -1."""
        event = np.asarray(event)
        return blank(self.event_keys[event], event < 0)

    def times(self, name: str, minute: np.ndarray) -> dict[str, object]:
        """A datetime column and its companion; rows without a clock time are at midnight."""
        unknown = exact_share(len(minute), self.site.habits.time_missing, self.rng)
        stamps = self.clock.timestamps(minute)
        return {name: stamps.mask(unknown, stamps.dt.normalize()), name + KNOWN: ~unknown}


def activation_table(recorder: Recorder, support: Support) -> pd.DataFrame:
    """The canonical `support_activation` table: cases, debriefs (role 'group') and offers in vain, in order of time."""
    rows = pd.concat([_of_cases(recorder, support), _of_debriefs(support), _of_offers(recorder, support)])
    rows = rows[rows["asked"] < recorder.clock.end].sort_values("asked", ignore_index=True)
    values = {
        "activation_key": rows["activation"],
        "event_key": recorder.event_key(rows["event"].to_numpy(dtype=int)),
        "trigger_kind": rows["trigger_kind"],
        **recorder.times("activation_datetime", rows["asked"].to_numpy(dtype=int)),
        "referral_source": rows["source"],
        "event_reason": rows["reason"],
        "offered": np.ones(len(rows), dtype=bool),
        "response": rows["answer"],
        "unit_key": recorder.units.code[rows["unit"].to_numpy(dtype=int)],
        "role_group": rows["role"],
    }
    return canonical("support_activation", values)


def _of_cases(recorder: Recorder, support: Support) -> pd.DataFrame:
    cases = support.cases
    unrelated = np.where(recorder.rng.random(len(cases)) < 0.5, "sign", "request")
    return pd.DataFrame(
        {
            "activation": case_keys(cases),
            "event": cases["event"],
            "trigger_kind": np.where(cases["event"] >= 0, "event", unrelated),
            "asked": cases["asked"],
            "source": cases["source"],
            "reason": cases["reason"],
            "answer": cases["answer"],
            "unit": recorder.roster.unit[cases["person"]],
            "role": recorder.roster.role_group[cases["person"]],
        }
    )


def _of_debriefs(support: Support) -> pd.DataFrame:
    debriefs = support.debriefs
    return pd.DataFrame(
        {
            "activation": debrief_keys(debriefs),
            "event": debriefs["event"],
            "trigger_kind": "event",
            "asked": debriefs["asked"],
            "source": "manager",
            "reason": "patient_death_unexpected",
            "answer": "accepted",
            "unit": 0,
            "role": "group",
        }
    )


def _of_offers(recorder: Recorder, support: Support) -> pd.DataFrame:
    offers = support.offers
    return pd.DataFrame(
        {
            "activation": [f"O{number + 1:04d}" for number in range(len(offers))],
            "event": offers["event"],
            "trigger_kind": "event",
            "asked": offers["asked"],
            "source": "automatic_trigger",
            "reason": "unexpected_outcome",
            "answer": offers["answer"],
            "unit": recorder.roster.unit[offers["person"]],
            "role": recorder.roster.role_group[offers["person"]],
        }
    )


def case_keys(cases: pd.DataFrame) -> np.ndarray:
    """Activation numbers of cases."""
    return np.array([f"A{number + 1:05d}" for number in range(len(cases))], dtype=object)


def debrief_keys(debriefs: pd.DataFrame) -> np.ndarray:
    """Activation numbers of group debriefs."""
    return np.array([f"G{number + 1:04d}" for number in range(len(debriefs))], dtype=object)


def encounter_table(recorder: Recorder, support: Support) -> pd.DataFrame:
    """The canonical `support_encounter` table.

    A debrief is one row with the number of people, or one row per participant at sites that write names.
    """
    rows = pd.concat([_contacts(recorder, support), _debriefs(recorder, support)]).sort_values(
        "minute", ignore_index=True
    )
    rng = recorder.rng
    helpers = recorder.roster.staff_id[rng.integers(0, max(3, len(recorder.roster.staff_id) // 150), len(rows))]
    rated = rng.random(len(rows)) < 0.6
    values = {
        "encounter_key": rows["encounter"],
        "activation_key": rows["activation"],
        "person_key": rows["person"],
        **recorder.times("encounter_date", rows["minute"].to_numpy(dtype=int)),
        "mode": rows["mode"],
        "tier": rows["tier"].astype(str),
        "support_resource": rows["resource"],
        "minutes": rows["length"],
        "persons_in_group": rows["persons"],
        "supporter_key": blank(helpers, rows["tier"].ne(2)),
        "met_needs": blank(pd.Series(rng.random(len(rows)) < 0.83, dtype="boolean"), ~rated),
        "safety_escalation": rng.random(len(rows)) < 0.01,
    }
    return canonical("support_encounter", values)


def _contacts(recorder: Recorder, support: Support) -> pd.DataFrame:
    contacts, rng = support.contacts, recorder.rng
    case = contacts["case"].to_numpy(dtype=int)
    person = recorder.roster.staff_id[support.cases["person"].to_numpy(dtype=int)[case]]
    nameless = rng.random(len(support.cases)) < recorder.site.habits.person_missing
    return pd.DataFrame(
        {
            "encounter": [f"C{number + 1:05d}" for number in range(len(contacts))],
            "activation": case_keys(support.cases)[case],
            "person": blank(person, nameless[case]),
            "minute": contacts["minute"],
            "mode": rng.choice(ONE_TO_ONE, len(contacts), p=[0.55, 0.35, 0.10]),
            "tier": contacts["tier"],
            "resource": draw_resource(contacts["tier"].to_numpy(), rng),
            "length": contacts["length"],
            "persons": pd.array([None] * len(contacts), dtype="Int64"),
        }
    )


def draw_resource(tier: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Who helped, by tier 1..3; shape of `tier`."""
    draws = [rng.choice(list(RESOURCES[level]), len(tier), p=list(RESOURCES[level].values())) for level in (1, 2, 3)]
    return np.select([tier == 1, tier == 2], draws[:2], draws[2])


def _debriefs(recorder: Recorder, support: Support) -> pd.DataFrame:
    debriefs = support.debriefs
    rows = pd.DataFrame(
        {
            "encounter": [f"D{number + 1:04d}" for number in range(len(debriefs))],
            "activation": debrief_keys(debriefs),
            "person": debriefs["members"],
            "minute": debriefs["minute"],
            "mode": "group_debrief",
            "tier": 2,
            "resource": "peer_supporter",
            "length": debriefs["length"],
            "persons": debriefs["persons"],
        }
    )
    if not recorder.site.habits.group_exploded:
        return rows.assign(person=None)
    rows = rows.explode("person", ignore_index=True)
    return rows.assign(person=recorder.roster.staff_id[rows["person"].to_numpy(dtype=int)])
