"""Small canonical tables by hand, with the types that an import gives them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from node.tables.columns import missing_column
from node.tables.schema import TABLES

Row = dict[str, Any]
DEFAULTS: dict[str, Row] = {
    "safety_event": {
        "event_date": "2024-02-10",
        "event_class": "incident",
        "event_type": "fall",
        "harm": "no_harm",
        "harm_source_scale": "local",
        "source_system": "a",
        "status": "closed",
    },
    "event_involvement": {"role_group": "nurse_midwife"},
    "jc_review": {"behaviour": "human_error", "response": "console"},
    "rca_action": {"strength": "weak", "due_date": "2024-06-30"},
    "support_activation": {
        "activation_datetime": "2024-02-11 08:30",
        "referral_source": "self",
        "event_reason": "other",
        "role_group": "physician",
    },
    "support_encounter": {"encounter_date": "2024-02-12 10:00", "mode": "one_to_one_phone", "tier": "2"},
    "support_episode": {
        "event_date": "2024-02-10 09:15",
        "event_date_time_known": True,
        "first_contact_datetime_time_known": True,
        "highest_tier": "1",
        "last_contact_date": "2024-02-10",
        "outcome": "open",
    },
    "shift_staffing": {"unit_key": "u1", "shift": "night", "patients": 12.0, "rn_count": 3.0, "safe_ratio": 4.0},
    "debrief": {"debrief_date": "2024-02-12", "participants": 9},
    "survey_wave": {"instrument": "svest_r", "opened": "2024-03-01", "closed": "2024-03-31", "invited": 100},
}


def frame(table: str, *rows: Row) -> pd.DataFrame:
    """A canonical table: what a row does not give is the table's default here, or missing."""
    filled = [DEFAULTS.get(table, {}) | row for row in rows]
    columns: dict[str, pd.Series[Any]] = {}
    for column in TABLES[table].columns:
        dtype = missing_column(column, 0).dtype
        columns[column.name] = pd.Series([row.get(column.name) for row in filled]).astype(dtype)
        if column.kind == "datetime":
            name = f"{column.name}_time_known"
            columns[name] = pd.Series([bool(row.get(name, True)) for row in filled], dtype=bool)
    names = set(columns) | {f"{column.name}_time_known" for column in TABLES[table].columns}
    assert not {name for row in filled for name in row} - names
    return pd.DataFrame(columns)


def tables(**given: list[Row]) -> dict[str, pd.DataFrame]:
    """All canonical tables; those that are not given are empty."""
    return {name: frame(name, *given.get(name, [])) for name in TABLES}
