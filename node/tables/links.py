"""Flags that need the finished tables: keys that lead nowhere, rows dated on one day, groups, and changing units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from node.tables.quality import Flag

BACKFILL_ROWS = 8
BACKFILL_SHARE = 0.2
NOBODY_SHARE = 0.2
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
    ("survey_response", "wave_key", "survey_wave"),
)
# Lists that many sites do not keep: without any row there is nothing to be missing from.
_LINKS_TO_LISTS = (
    ("safety_event", "unit_key", "unit"),
    ("staffing_period", "unit_key", "unit"),
    ("activity_period", "unit_key", "unit"),
    ("shift_staffing", "unit_key", "unit"),
    ("support_activation", "unit_key", "unit"),
    ("support_encounter", "supporter_key", "peer_supporter"),
)
_ENTERED_BY_HAND = (
    ("support_activation", "activation_datetime"),
    ("support_encounter", "encounter_date"),
)

Tables = Mapping[str, pd.DataFrame]


def table_flags(tables: Tables) -> Iterable[Flag]:
    """Flags about the tables as a whole."""
    yield from _lost_links(tables)
    for table, column in _ENTERED_BY_HAND:
        days = tables[table][column].dt.date.value_counts()
        if len(days) and days.iloc[0] >= BACKFILL_ROWS and days.iloc[0] > BACKFILL_SHARE * days.sum():
            detail = f"{days.iloc[0]} rows on {days.index[0]}"
            yield Flag(rule="many_on_one_date", table=table, file="", column=column, detail=detail)
    yield from _events_without_involvement(tables)
    yield from _groups_by_person(tables)
    yield from _changed_units(tables)


def _lost_links(tables: Tables) -> Iterator[Flag]:
    lists = [link for link in _LINKS_TO_LISTS if len(tables[link[2]])]
    for child, key, parent in (*_LINKS, *lists):
        keys = tables[child][key].dropna()
        held = set(tables[parent][key])
        lost = ~keys.map(held.__contains__).astype("bool")
        if lost.any():
            detail = f"{lost.mean():.1%} of {key} are not in {parent}"
            yield Flag(rule="unlinked", table=child, file="", column=key, detail=detail)


def _events_without_involvement(tables: Tables) -> Iterator[Flag]:
    events, involved = tables["safety_event"], tables["event_involvement"]
    alone = ~events["event_key"].isin(involved["event_key"])
    if len(events) and len(involved) and alone.mean() > NOBODY_SHARE:
        detail = f"{alone.mean():.0%} of events"
        yield Flag(rule="without_involvement", table="safety_event", file="", column="event_key", detail=detail)


def _groups_by_person(tables: Tables) -> Iterator[Flag]:
    encounters = tables["support_encounter"]
    groups = encounters[encounters["mode"].eq("group_debrief")]
    several = groups.duplicated(["activation_key", "encounter_date"], keep=False)
    if several.any():
        detail = f"{int(several.sum())} rows of group contacts share their call and time with another"
        yield Flag(rule="group_by_person", table="support_encounter", file="", column="persons_in_group", detail=detail)


def _changed_units(tables: Tables) -> Iterator[Flag]:
    staffing = tables["staffing_period"].dropna(subset="unit_key")
    months = staffing.groupby("unit_key")["period"].agg(["min", "max"])
    changed = months["min"].gt(months["min"].min()) | months["max"].lt(months["max"].max())
    if changed.any():
        detail = f"{int(changed.sum())} of {len(changed)} units"
        yield Flag(rule="unit_changed", table="staffing_period", file="", column="unit_key", detail=detail)
