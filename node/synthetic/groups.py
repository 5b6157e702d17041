"""Group debriefs and offers that nobody took up (domain recipe, 'Tier', and the automatic trigger policy)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from node.synthetic.clock import DAY, Clock, off_midnight
from node.synthetic.sites import SitePlan
from node.synthetic.workforce import Roster

DEBRIEFS_PER_ACTIVATION = 0.06
LARGEST_GROUP = 40


def draw_debriefs(
    events: pd.DataFrame, roster: Roster, n_cases: int, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """One row per debrief of a serious event: event, asked, minute, length, persons (mean 15), members (indices).

    Participants are 2 + negative binomial (mean 13, k = 6), at most 40; length is normal (77, 20) minutes.
    """
    serious = np.flatnonzero(events["serious"])
    event = rng.choice(serious, min(len(serious), rng.binomial(n_cases, DEBRIEFS_PER_ACTIVATION)), replace=False)
    start = events["minute"].to_numpy()[event]
    asked = off_midnight(start + rng.integers(2 * 60, 4 * DAY, len(event)))
    limit = min(LARGEST_GROUP, len(roster.staff_id) // 3)
    persons = np.minimum(limit, 2 + rng.negative_binomial(6, 6 / 19, len(event)))
    frame = pd.DataFrame(
        {
            "event": event,
            "asked": asked,
            "minute": off_midnight(asked + rng.integers(6 * 60, 6 * DAY, len(event))),
            "length": np.clip(rng.normal(77, 20, len(event)).round(), 20, 180).astype(int),
            "persons": persons,
            "members": [rng.choice(len(roster.staff_id), size, replace=False) for size in persons],
        }
    )
    return frame[frame["minute"] < clock.end].sort_values("asked", ignore_index=True)


def draw_offers(
    site: SitePlan, events: pd.DataFrame, involved: pd.DataFrame, clock: Clock, rng: np.random.Generator
) -> pd.DataFrame:
    """Offers after serious events that came to nothing, more where they are automatic: event, person, asked, answer."""
    serious = involved[events["serious"].to_numpy()[involved["event"]]].drop_duplicates("event")
    sent = serious[rng.random(len(serious)) < (0.25 if site.traits.automatic_trigger else 0.03)]
    minute = events["minute"].to_numpy()[sent["event"]]
    asked = off_midnight(minute + rng.integers(60, 5 * DAY, len(sent)))
    answer = rng.choice(["declined", "no_reply"], len(sent))
    frame = sent.assign(asked=asked, answer=answer)
    return frame[frame["asked"] < clock.end].reset_index(drop=True)
