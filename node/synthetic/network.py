"""A synthetic network: what really happened at its sites, and what their programmes wrote down of it.

Truth comes first; exports with errors are made from it (`exports`). The same seed gives the same network, and site k is
the same in a network of any size. Numbers come from the project's domain recipe and are cited where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from node.synthetic.clock import Clock
from node.synthetic.culture import culture_tables
from node.synthetic.distress import draw_distress
from node.synthetic.episodes import episode_table
from node.synthetic.events import draw_events, draw_involvement, event_keys, event_table, involvement_table
from node.synthetic.groups import draw_debriefs, draw_offers
from node.synthetic.records import Recorder, Support, activation_table, encounter_table
from node.synthetic.reviews import action_table, draw_rcas, rca_table, review_table
from node.synthetic.sites import Intervention, draw_plan
from node.synthetic.support import draw_cases, draw_contacts
from node.synthetic.workforce import Roster, activity_table, draw_roster, draw_units, staffing_table

_POSITIONS = 500


@dataclass(frozen=True)
class SyntheticSite:
    """One site. `tables` are what a perfect import of its exports gives, with local identifiers instead of hashes.

    `distress` is the latent truth, one row per distressed clinician and cause: person (staff id), onset (Timestamp),
    recovery_days (before covariates, infinite if never). `seed` makes its exports' errors repeatable.
    """

    site_id: str
    profile: dict[str, str]
    shape: str
    tables: dict[str, pd.DataFrame]
    distress: pd.DataFrame
    intervention: Intervention | None
    seed: np.random.SeedSequence


def synthesize(sites: int, seed: int, first_year: int, years: int) -> tuple[SyntheticSite, ...]:
    """A network of `sites` with data for `years` calendar years from `first_year` and a warm-up year before them."""
    if sites < 1 or years < 1:
        raise ValueError(f"a network needs at least one site and one year, not {sites} and {years}")
    clock = Clock.of_years(first_year, years)
    seeds = np.random.SeedSequence(seed).spawn(sites)
    return tuple(_synthesize_site(position, child, clock) for position, child in enumerate(seeds))


def synthesize_like(bed_band: str, seed: int, first_year: int, years: int) -> SyntheticSite:
    """The first site with this bed band in a network of this seed; ValueError if no site can have it."""
    for position in range(_POSITIONS):
        child = np.random.SeedSequence(seed, spawn_key=(position,))
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(position, 0)))
        if draw_plan(position, rng).profile["bed_band"] == bed_band:
            return _synthesize_site(position, child, Clock.of_years(first_year, years))
    raise ValueError(f"no synthetic site has the bed band {bed_band!r}")


def _synthesize_site(position: int, seed: np.random.SeedSequence, clock: Clock) -> SyntheticSite:
    truth_seed, export_seed, culture_seed = seed.spawn(3)
    rng = np.random.default_rng(truth_seed)
    site = draw_plan(position, rng)
    units = draw_units(site, rng)
    roster = draw_roster(site, units, rng)
    events = draw_events(site, units, clock, rng)
    involved = draw_involvement(events, roster, rng)
    distress = draw_distress(site, events, involved, roster, clock, rng)
    recorder = Recorder(site, units, roster, clock, event_keys(events, clock), rng)
    support = _support(recorder, events, involved, distress)
    culture = culture_tables(recorder, events, support.debriefs, np.random.default_rng(culture_seed))
    return SyntheticSite(
        site_id=site.site_id,
        profile=site.profile,
        shape=site.shape,
        tables=_tables(recorder, events, involved, support) | culture,
        distress=_latent(distress, roster, clock),
        intervention=site.intervention,
        seed=export_seed,
    )


def _support(recorder: Recorder, events: pd.DataFrame, involved: pd.DataFrame, distress: pd.DataFrame) -> Support:
    site, roster, clock, rng = recorder.site, recorder.roster, recorder.clock, recorder.rng
    cases = draw_cases(site, distress, roster, clock, rng)
    return Support(
        cases=cases,
        contacts=draw_contacts(cases, clock, rng),
        debriefs=draw_debriefs(events, roster, len(cases), clock, rng),
        offers=draw_offers(site, events, involved, clock, rng),
    )


def _tables(
    recorder: Recorder, events: pd.DataFrame, involved: pd.DataFrame, support: Support
) -> dict[str, pd.DataFrame]:
    site, units, roster, clock, rng = recorder.site, recorder.units, recorder.roster, recorder.clock, recorder.rng
    rcas = draw_rcas(events, clock, rng)
    encounters = encounter_table(recorder, support)
    return {
        "unit": units.table(),
        "staffing_period": staffing_table(roster, clock, rng),
        "activity_period": activity_table(site, clock, rng),
        "safety_event": event_table(site, units, events, clock, rng),
        "event_involvement": involvement_table(site, recorder.event_keys, involved, roster, rng),
        "jc_review": review_table(recorder, events, involved),
        "rca": rca_table(recorder, rcas),
        "rca_action": action_table(recorder, rcas),
        "support_activation": activation_table(recorder, support),
        "support_encounter": encounters,
        "support_episode": episode_table(
            recorder, support, encounters.loc[encounters["person_key"].isna(), "activation_key"]
        ),
    }


def _latent(distress: pd.DataFrame, roster: Roster, clock: Clock) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person": roster.staff_id[distress["person"]],
            "onset": clock.timestamps(distress["minute"]),
            "recovery_days": distress["recovery_days"],
        }
    )
