"""Support episodes: first contact, tier, recovery and outcome as far as the programme followed them.

Domain recipe, 'Recovery'.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from node.synthetic.clock import DAY
from node.synthetic.frames import blank, canonical
from node.synthetic.records import Recorder, Support
from node.tables.schema import ROLE_GROUP

FOLLOWED_SHORTLY = 0.45
LONGEST_FOLLOW_UP_DAYS = 400


def episode_table(recorder: Recorder, support: Support, nameless: pd.Series[str]) -> pd.DataFrame:
    """The canonical `support_episode` table: one row per accepted case; `nameless` holds activations without a person.

    Recovery takes exp(-.15 [contact within 24 h] + .25 repeat + .15 workload) times its base. In 45 % of episodes the
    programme stops asking 21 + Exp(45) days after the event; a recovery after that, or after the data end, is unknown.
    """
    cases, clock, rng = support.cases, recorder.clock, recorder.rng
    keys = pd.Series([f"A{number + 1:05d}" for number in range(len(cases))])
    followed = _followed(recorder, cases)
    tiers = support.contacts.groupby("case")["tier"].max()
    thirds = support.contacts[support.contacts["tier"].eq(3)].groupby("case")["minute"].min()
    seconds = support.contacts[support.contacts["tier"].eq(2)].groupby("case")["minute"].min()
    third = thirds.reindex(cases.index)
    person = recorder.roster.staff_id[cases["person"]]
    role = np.asarray(ROLE_GROUP)[recorder.roster.role[cases["person"]]]
    values = {
        "episode_key": keys.str.replace("A", "E"),
        "person_key": blank(person, keys.isin(nameless)),
        "role_group": blank(role, rng.random(len(cases)) < recorder.site.habits.role_missing),
        "unit_key": recorder.units.code[recorder.roster.unit[cases["person"]]],
        **recorder.times("event_date", cases["minute"].to_numpy()),
        **recorder.times("first_contact_datetime", cases["contact"].to_numpy()),
        "highest_tier": tiers.reindex(cases.index).fillna(1).astype(int).astype(str),
        "escalated_date": clock.dates(third.where(seconds.reindex(cases.index).notna())),
        "tier3_first_date": clock.dates(third),
        "recovered_date": clock.dates(followed["recovered"]),
        "last_contact_date": clock.dates(followed["last"]),
        "outcome": _outcomes(followed, rng),
        "episode_number": cases.groupby("person").cumcount() + 1,
    }
    accepted = cases["answer"].eq("accepted") & cases["contact"].lt(clock.end)
    return canonical("support_episode", values)[accepted.to_numpy()].reset_index(drop=True)


def _followed(recorder: Recorder, cases: pd.DataFrame) -> pd.DataFrame:
    """Minutes of recovery (NaN if not seen) and last contact, and whether the follow-up stopped early."""
    rng, n_rows = recorder.rng, len(cases)
    soon = cases["contact"] - cases["minute"] <= DAY
    factor = np.exp(-0.15 * soon + 0.25 * cases["repeat"] + 0.15 * recorder.site.traits.workload)
    # A recovery is written as a date: the day after the event is the first that can be told from it.
    recovery = cases["minute"] + np.maximum(1.0, cases["recovery_days"] * factor) * DAY
    short = rng.random(n_rows) < FOLLOWED_SHORTLY
    limit = np.where(short, 21 + rng.exponential(45, n_rows), LONGEST_FOLLOW_UP_DAYS)
    stop = np.minimum(cases["minute"] + limit * DAY, recorder.clock.end - 1)
    recovered = recovery.where(recovery <= stop)
    last = np.maximum(recovered.fillna(stop), np.minimum(cases["contact"], recorder.clock.end - 1))
    return pd.DataFrame({"recovered": recovered, "last": last, "stopped": stop < recorder.clock.end - 1})


def _outcomes(followed: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Thriving .35, surviving .55, dropping out .10 of the recovered; dropping out x 1.6 of those lost; else open."""
    recovered = rng.choice(["thriving", "surviving", "dropping_out"], len(followed), p=[0.35, 0.55, 0.10])
    lost = rng.choice(["unknown", "surviving", "dropping_out"], len(followed), p=[0.50, 0.34, 0.16])
    return np.select([followed["recovered"].notna(), followed["stopped"]], [recovered, lost], "open")
