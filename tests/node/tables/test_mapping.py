"""The mapping file: what it may say, and that an error names the place and the way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from node.tables.mapping import Mapping, MappingError, load_mapping
from tests.node.tables.site import EVENTS, STAFFING

ACTIONS = """
[[source]]
table = "rca_action"
file = "a.csv"
[source.columns]
rca_key = "Rca"
action_no = "No"
due_date = "Due"
"""


def load(tmp_path: Path, text: str) -> Mapping:
    path = tmp_path / "mapping.toml"
    path.write_text(text, encoding="utf-8")
    return load_mapping(path)


def test_all_forms_of_an_origin(tmp_path: Path) -> None:
    text = EVENTS.replace('table = "safety_event"', 'table = "safety_event"\ndate_order = "month_first"').replace(
        'harm = "Harm"', 'harm = { column = "Harm", codes = { 1 = "death" } }'
    )
    source = load(tmp_path, "version = 1\n" + text).sources[0]
    assert source.columns["event_key"].column == "Ref"
    assert source.columns["harm"].codes == {"1": "death"}
    assert source.columns["source_system"].constant == "test"
    assert source.date_order == "month_first"


def test_columns_of_required_values_and_filters_are_needed_and_the_others_optional(tmp_path: Path) -> None:
    text = EVENTS.replace('file = "events*.csv"', 'file = "e.csv"\nwhere = { Kind = ["a", "b"] }')
    wanted = load(tmp_path, "version = 1\n" + text).sources[0].wanted
    assert wanted.needed == ("Kind", "Ref", "Date", "Class", "Type", "Harm", "State")
    assert wanted.optional == ("Reported", "Changed")


def test_an_action_type_stands_for_its_strength(tmp_path: Path) -> None:
    source = load(tmp_path, "version = 1\n" + ACTIONS + 'action_type = "Type"\n').sources[0]
    assert source.columns["strength"].column == "Type"


DATABASE = "version = 1\n" + EVENTS.replace(
    'file = "events*.csv"', 'database = { url_env = "DB", view = "quality.events" }'
)
VALID = "version = 1\n" + EVENTS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = ", "mapping.toml: this is not valid TOML"),
        ("version = 2\n" + EVENTS, "version: Input should be 1"),
        ("version = 1\n", "'source' is missing"),
        (VALID.replace("version = 1", "version = 1\nsources = 1"), "unknown key 'sources' (did you mean 'source'?)"),
        (
            VALID.replace("table =", "tabel ="),
            "source 1 (events*.csv), tabel: unknown key 'tabel' (did you mean 'table'?)",
        ),
        (VALID.replace('"safety_event"', '"safety_events"'), "no table 'safety_events' (did you mean 'safety_event'?)"),
        (
            VALID.replace("event_key =", "evnt_key ="),
            "source 1 (events*.csv): table safety_event has no column 'evnt_key' (did you mean 'event_key'?)",
        ),
        (VALID.replace('status = "State"', ""), "table safety_event requires status; map each to a column"),
        (
            VALID.replace('harm = "Harm"', 'harm = { column = "Harm", codes = { Bad = "severe" } }'),
            "column 'harm' has no code 'severe' (did you mean 'severe_harm'?); it has death, severe_harm",
        ),
        (VALID.replace('"nrls"', '"nrl"'), "column 'harm_source_scale' has no code 'nrl' (did you mean 'nrls'?)"),
        (
            VALID.replace('harm = "Harm"', 'harm = { column = "Harm", code = { Bad = "death" } }'),
            "columns.harm.code: unknown key 'code' (did you mean 'codes'?); known are column, columns",
        ),
        (VALID.replace('harm = "Harm"', "harm = {}"), "columns.harm: give exactly one of `column`"),
        (
            VALID.replace('harm = "Harm"', 'harm = { column = "Harm", constant = "death" }'),
            "columns.harm: give exactly one of `column`",
        ),
        (
            VALID.replace('event_date = "Date"', 'event_date = { column = "Date", time = "T" }'),
            "column 'event_date' takes no `time`",
        ),
        (
            VALID.replace('event_date = "Date"', 'event_date = { column = "Date", codes = { a = "b" } }'),
            "column 'event_date' is a date; codes go with codes and flags",
        ),
        (
            VALID.replace('harm = "Harm"', 'harm = { columns = ["Harm", "Level"] }'),
            "column 'harm' is no key; only a key is made of several `columns`",
        ),
        (VALID.replace("events*.csv", "../other/*.csv"), "must be a file name or glob inside the exports folder"),
        (VALID.replace("events*.csv", "/etc/*.csv"), "must be a file name or glob inside the exports folder"),
        (
            VALID.replace('file = "events*.csv"', 'file = "e.csv"\ndate_order = "dmy"'),
            "source 1 (e.csv), date_order: Input should be 'day_first', 'month_first' or 'year_first'",
        ),
        (
            VALID.replace('file = "events*.csv"', 'file = "e.csv"\ndecimal = ";"'),
            "source 1 (e.csv), decimal: Input should be ',' or '.'",
        ),
        (
            VALID.replace('file = "events*.csv"', 'file = "e.csv"\nexplode = { columns = ["A"], sep = ";" }'),
            "explode.sep: unknown key 'sep' (did you mean 'separator'?)",
        ),
        (
            "version = 1\n" + ACTIONS + 'action_type = "Type"\nstrength = "Strength"\n',
            "give only one of 'action_type' and 'strength'",
        ),
        ("version = 1\n" + STAFFING + "[source.explode]\ncolumns = []\n", "explode.columns"),
        ("version = 1\nsource = [3]\n", "source 1"),
        (VALID.replace('file = "events*.csv"', ""), "source 1 (no file): give exactly one of `file` and `database`"),
        (DATABASE.replace("[source.columns]", 'file = "e.csv"\n[source.columns]'), "give exactly one of `file` and"),
        (DATABASE.replace("[source.columns]", 'sheet = "1"\n[source.columns]'), "a `sheet` goes with a `file`"),
        (DATABASE.replace('url_env = "DB", ', ""), "exactly one of `url_file` and `url_env`"),
        (DATABASE.replace("url_env", 'url_file = "u", url_env'), "exactly one of `url_file` and `url_env`"),
        (
            DATABASE.replace("url_env", "url"),
            "source 1 (quality.events), database.url: unknown key 'url' (did you mean 'url_env'?)",
        ),
        *(
            (DATABASE.replace("quality.events", view), "is no name of a view")
            for view in ("events; DROP TABLE x", "SELECT 1", "a.b.c", "1e", "(x)", "e--", "", "e\\u0000")
        ),
    ],
)
def test_errors_name_the_place_and_the_nearest_known(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MappingError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_database_is_named_by_view_and_where_its_address_is(tmp_path: Path) -> None:
    mapping = load(tmp_path, DATABASE.replace('url_env = "DB"', 'url_file = "secrets/db.url"'))
    database = mapping.sources[0].database
    assert database is not None
    assert (database.view, database.url_file) == ("quality.events", tmp_path / "secrets" / "db.url")
    assert mapping.has_database
    assert not load(tmp_path, VALID).has_database


def test_a_missing_mapping_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="it cannot be read"):
        load_mapping(tmp_path / "mapping.toml")
