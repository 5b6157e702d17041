"""Flags that need the finished tables: keys that lead nowhere, and rows that were all dated on one day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from node.tables.quality import Flag

BACKFILL_ROWS = 8
BACKFILL_SHARE = 0.2
_LINKS = (
    ("event_involvement", "event_key", "safety_event"),
    ("contributing_factor", "event_key", "safety_event"),
    ("jc_review", "event_key", "safety_event"),
    ("rca", "event_key", "safety_event"),
    ("rca_action", "rca_key", "rca"),
    ("debrief", "event_key", "safety_event"),
    ("disclosure", "event_key", "safety_event"),
    ("support_activation", "event_key", "safety_event"),
    ("support_encounter", "activation_key", "support_activation"),
    ("support_episode", "activation_key", "support_activation"),
    ("survey_response", "wave_key", "survey_wave"),
)
_ENTERED_BY_HAND = (
    ("support_activation", "activation_datetime"),
    ("support_encounter", "encounter_date"),
)


def table_flags(tables: Mapping[str, pd.DataFrame]) -> Iterable[Flag]:
    """Flags about the tables as a whole."""
    for child, key, parent in _LINKS:
        keys = tables[child][key].dropna()
        held = set(tables[parent][key])
        lost = ~keys.map(held.__contains__).astype("bool")
        if lost.any():
            detail = f"{lost.mean():.1%} of {key} are not in {parent}"
            yield Flag(rule="unlinked", table=child, file="", column=key, detail=detail)
    for table, column in _ENTERED_BY_HAND:
        days = tables[table][column].dt.date.value_counts()
        if len(days) and days.iloc[0] >= BACKFILL_ROWS and days.iloc[0] > BACKFILL_SHARE * days.sum():
            detail = f"{days.iloc[0]} rows on {days.index[0]}"
            yield Flag(rule="many_on_one_date", table=table, file="", column=column, detail=detail)
