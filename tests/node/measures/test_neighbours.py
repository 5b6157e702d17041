"""What one clinician or one event can change in any tally of the catalogue: the bound on which all noise rests."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from node.measures.views import build_views
from node.tables.schema import TABLES, Column
from protocols.catalogue.model import Tally
from tests.node.measures.canonical import Row, tables
from tests.node.measures.counted import CATALOGUE, YEAR, admitted

PEOPLE, EVENTS, WAVES = ("p", "q", "r", None), ("e0", "e1", "e2", "e3"), ("w0", "w1", "w2")
SHARED_KEYS: dict[str, tuple[str | None, ...]] = {
    "person_key": PEOPLE,
    "event_key": EVENTS,
    "activation_key": ("a0", "a1", "a2"),
    "rca_key": ("r0", "r1"),
    "unit_key": ("u0", None),
    "wave_key": WAVES,
}
ROWS = {
    "safety_event": 4,
    "event_involvement": 8,
    "contributing_factor": 4,
    "jc_review": 8,
    "rca": 2,
    "rca_action": 8,
    "debrief": 3,
    "support_activation": 3,
    "support_encounter": 10,
    "support_episode": 8,
    "shift_staffing": 4,
    "survey_wave": 3,
    "survey_response": 9,
}
OF_PERSON = ("event_involvement", "jc_review", "support_encounter", "support_episode")
OF_EVENT = ("safety_event", "event_involvement", "contributing_factor", "jc_review", "rca", "debrief")


def any_value(column: Column, table: str, number: int, rng: np.random.Generator) -> object:
    """A value of a column; keys of other tables lead somewhere, and a table's own key numbers its rows."""
    shared = SHARED_KEYS.get(column.name)
    if shared is not None:
        return shared[number if TABLES[table].identity == (column.name,) else rng.integers(len(shared))]
    if not column.required and rng.random() < 0.3:
        return None
    return _any_plain(column, number, rng)


def _any_plain(column: Column, number: int, rng: np.random.Generator) -> object:
    match column.kind:
        case "code":
            return column.codes[rng.integers(len(column.codes))]
        case "flag":
            return bool(rng.random() < 0.6)
        case "date" | "datetime":
            return pd.Timestamp(YEAR - 1, 10, 1) + pd.Timedelta(days=int(rng.integers(600)))
        case "count" | "number":
            return int(rng.integers(1, 9))
        case _:
            return f"{column.name}-{number}"


def any_site(seed: int) -> dict[str, list[Row]]:
    """A small site of invented rows; `w<n>-0` is the survey key of clinician p in wave n."""
    rng = np.random.default_rng(seed)
    site: dict[str, list[Row]] = {}
    for table, count in ROWS.items():
        columns = [column for column in TABLES[table].columns if column.kind != "time"]
        rows = [{c.name: any_value(c, table, n, rng) for c in columns} for n in range(count)]
        site[table] = list({tuple(row[name] for name in TABLES[table].identity): row for row in rows}.values())
    for number, answer in enumerate(site["survey_response"]):
        answer["wave_key"], answer["respondent_key"] = WAVES[number // 3], f"w{number // 3}-{number % 3}"
    return site


def without(site: dict[str, list[Row]], of: tuple[str, ...], key: str, value: str) -> dict[str, list[Row]]:
    return {table: [r for r in rows if table not in of or r.get(key) != value] for table, rows in site.items()}


def rows_of(tally: Tally, views: dict[str, pd.DataFrame]) -> set[tuple[object, ...]]:
    frame = admitted(tally, views)
    assert not frame.duplicated(["unit_key", "row_key"]).any(), "a row counts in one cell at most"
    assert frame.groupby("unit_key").size().le(tally.cap).all()
    return set(frame.itertuples(index=False, name=None))


@settings(max_examples=4, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1))
def test_a_clinician_changes_a_tally_by_the_cap_at_most_and_nobody_elses_counts(seed: int) -> None:
    site = any_site(seed)
    fewer = without(site, OF_PERSON, "person_key", "p")
    fewer["survey_response"] = [row for row in site["survey_response"] if not row["respondent_key"].endswith("-0")]
    views, views_without = build_views(tables(**site)), build_views(tables(**fewer))
    for tally in CATALOGUE.tallies:
        if tally.unit != "clinician":
            continue
        with_p, without_p = rows_of(tally, views), rows_of(tally, views_without)
        own = {row for row in with_p if row[0] == "p" or str(row[0]).endswith("-0")}
        assert with_p - own == without_p, tally.id
        assert len(own) <= tally.cap, tally.id


@settings(max_examples=4, deadline=None, database=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(EVENTS))
def test_an_event_changes_a_tally_by_the_cap_at_most_and_no_other_events_counts(seed: int, event: str) -> None:
    site = any_site(seed)
    views = build_views(tables(**site))
    views_without = build_views(tables(**without(site, OF_EVENT, "event_key", event)))
    for tally in CATALOGUE.tallies:
        if tally.unit != "record" or tally.key != "event_key":
            continue
        whole, fewer = rows_of(tally, views), rows_of(tally, views_without)
        own = {row for row in whole if row[0] == event}
        assert whole - own == fewer, tally.id
        assert len(own) <= tally.cap, tally.id


def test_the_invented_sites_reach_every_tally() -> None:
    reached: set[str] = set()
    for seed in range(5):
        views = build_views(tables(**any_site(seed)))
        reached |= {tally.id for tally in CATALOGUE.tallies if len(admitted(tally, views))}
    assert reached == {tally.id for tally in CATALOGUE.tallies}
