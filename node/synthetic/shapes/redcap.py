"""A flat REDCap export: a row per record, repeat instrument and instance, blank in other instruments' fields."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from node.synthetic.files import Origin, Source, named, write_csv
from node.synthetic.style import Style
from node.synthetic.text import as_text
from node.tables.schema import RESOURCE, TABLES

ADMIN = ["record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"]
CHECKBOXES = {f"resource___{number}": code for number, code in enumerate(RESOURCE, start=1)}
FILE = "redcap_export.csv"
# A second box ticked further down the form, in one contact of twenty; the first one counts.
SECOND_TICK = 0.05
_PREFIX = {"support_activation": "ref_", "support_encounter": "con_", "support_episode": "fu_"}
_INSTRUMENT = {"support_activation": "", "support_encounter": "contact", "support_episode": "followup"}


def write(tables: dict[str, pd.DataFrame], style: Style, folder: Path, rng: np.random.Generator) -> list[Source]:
    """Write redcap_export.csv; give the sources of activations, encounters and episodes."""
    parts = [_instrument(table, tables[table], style, rng) for table in _PREFIX]
    sheet = pd.concat(parts, ignore_index=True)
    fields = [column for column in sheet if column not in ADMIN]
    sheet = sheet.sort_values(["record_id", "redcap_event_name"], kind="stable").fillna("")
    write_csv(folder / FILE, sheet[ADMIN + fields], style.layout)
    return [_source(table, style) for table in _PREFIX]


def _fields(table: str) -> dict[str, str]:
    """Canonical columns and their REDCap fields; an activation is the record itself."""
    names = {column.name: _PREFIX[table] + column.name for column in TABLES[table].columns}
    if table != "support_episode":
        names["activation_key"] = "record_id"
    if table == "support_encounter":
        del names["support_resource"]
    return names


def _instrument(table: str, frame: pd.DataFrame, style: Style, rng: np.random.Generator) -> pd.DataFrame:
    """The rows of one instrument under REDCap's names, with its own `_complete` field."""
    text = as_text(table, frame, style, rng)
    rows = text.rename(columns=_fields(table))
    if table == "support_episode":
        rows["record_id"] = text["episode_key"].str.replace("E", "A")
    instrument = _INSTRUMENT[table]
    rows["redcap_event_name"] = "support_arm_1" if instrument else "referral_arm_1"
    rows["redcap_repeat_instrument"] = instrument
    rows["redcap_repeat_instance"] = (rows.groupby("record_id").cumcount() + 1).astype("str") if instrument else ""
    if table == "support_encounter":
        rows = _with_checkboxes(rows.drop(columns="support_resource"), frame["support_resource"], rng)
    return rows.assign(**{f"{instrument or 'referral'}_complete": "2"})


def _with_checkboxes(rows: pd.DataFrame, resource: pd.Series[str], rng: np.random.Generator) -> pd.DataFrame:
    ticked = pd.DataFrame({field: resource.eq(code) for field, code in CHECKBOXES.items()})
    ticked[list(CHECKBOXES)[-1]] |= rng.random(len(rows)) < SECOND_TICK
    return rows.join(ticked.astype("int").astype("str"))


def _source(table: str, style: Style) -> Source:
    columns: dict[str, Origin] = named(table, _fields(table), style)
    if table == "support_encounter":
        columns["support_resource"] = {"checkbox": CHECKBOXES}
    instrument = _INSTRUMENT[table]
    where = {"redcap_repeat_instrument": [instrument]} if instrument else {"redcap_event_name": ["referral_arm_1"]}
    return Source(table, FILE, columns, where=where)
