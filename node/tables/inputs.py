"""How complete the columns are on which measures stand: links to events, people, roles, clock times and outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from node.tables.draft import Draft
from node.tables.quality import InputKind, InputQuality

_INPUTS: tuple[tuple[InputKind, str, str], ...] = (
    ("event_link", "event_involvement", "event_key"),
    ("event_link", "support_activation", "event_key"),
    ("event_link", "support_encounter", "activation_key"),
    ("event_link", "rca", "event_key"),
    ("person", "support_encounter", "person_key"),
    ("person", "support_episode", "person_key"),
    ("role", "event_involvement", "role_group"),
    ("role", "jc_review", "role_group"),
    ("role", "support_activation", "role_group"),
    ("role", "support_episode", "role_group"),
    ("role", "survey_response", "role_group"),
    ("time", "safety_event", "event_time"),
    ("time", "support_activation", "activation_datetime"),
    ("time", "support_encounter", "encounter_date"),
    ("outcome", "support_encounter", "met_needs"),
    ("outcome", "support_episode", "outcome"),
)
_PARENTS = {"event_key": "safety_event", "activation_key": "support_activation"}


def input_qualities(tables: Mapping[str, pd.DataFrame], drafts: Sequence[Draft]) -> tuple[InputQuality, ...]:
    """The share of rows, in percent, whose value is really there, for every input whose table has rows."""
    made_up = {
        (draft.table.name, column): int(rows.sum())
        for draft in drafts
        for (rule, column), rows in draft.repairs()
        if rule == "code_fallback"
    }
    return tuple(
        InputQuality(
            input=kind,
            table=table,
            column=column,
            rows=len(tables[table]),
            percent=_percent(tables, table, column, made_up.get((table, column), 0)),
        )
        for kind, table, column in _INPUTS
        if len(tables[table])
    )


def _percent(tables: Mapping[str, pd.DataFrame], table: str, column: str, made_up: int) -> float:
    frame = tables[table]
    parent = _PARENTS.get(column)
    if f"{column}_time_known" in frame:
        real = frame[f"{column}_time_known"]
    elif parent is not None and len(tables[parent]):
        real = frame[column].isin(tables[parent][column])
    elif column == "outcome":
        real = frame[column].ne("unknown")  # what a fallback makes as well
        made_up = 0
    else:
        real = frame[column].notna()
    return round(100 * max(0, int(real.sum()) - made_up) / len(frame), 1)
