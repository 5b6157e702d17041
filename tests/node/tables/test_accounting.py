"""However messy the exports, every row of every file is accounted for, and what comes in fits the schema."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import tempfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from node.sources.refused import FileRefused
from node.tables.importer import Imported, empty_table
from node.tables.quality import FileQuality, QualityReport
from node.tables.schema import TABLES, Column
from tests.node.tables.site import ENCOUNTER_HEADER, ENCOUNTERS, EVENT_HEADER, EVENTS, STAFFING, STAFFING_HEADER, run

STAMP = st.sampled_from(
    (
        "2025-03-04 10:15",
        "2025-03-04 00:00",
        "13/01/2025",
        "01/13/2025",
        "2/3/25",
        "45720.25",
        "1900-01-01",
        "",
        "soon",
        "2031-01-01",
        "4 Mar 2025 3pm",
        "31/02/2025",
    )
)
KEY = st.sampled_from(["1", "001", "1.0", "A7", "a7 ", "", "unknown", "1.2E+09", "Jo", "9"])
WORD = st.sampled_from(
    ["incident", "near miss", "fall", "gossip", "", "Low", "A", "B", "F", "3", "death", "closed", "void"]
)
JUNK = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
EVENT = st.tuples(KEY, STAMP, STAMP, st.one_of(st.just("incident"), WORD), WORD, WORD, st.just("closed"), STAMP)
ENCOUNTER = st.tuples(
    KEY,
    KEY,
    KEY,
    STAMP,
    st.sampled_from(["phone", "1:1", "group", "leaflet", "smoke signals"]),
    st.sampled_from(["1", "2", "Tier 3", "", "x"]),
    st.sampled_from(["peer", "EAP", "chaplain", "", "cat"]),
    st.sampled_from(["30", "-1", "4000", "200", "1h", "?"]),
    st.sampled_from(["", "5", "60", "-2"]),
)
MONTH = st.sampled_from(["2025-01", "2025-02", "Apr-25", "03/2025", "2025-05-01", "total", ""])
LINE = st.tuples(
    MONTH, st.sampled_from(["RN", "Nurse", "MD", "", "Zauberer"]), *[st.sampled_from(["10", "12,5", "", "-1", "x"])] * 2
)


def text(header: str, rows: list[tuple[str, ...]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header.split(","), *rows])
    return buffer.getvalue()


def fits(values: pd.Series, column: Column) -> bool:
    present = values.dropna()
    if column.required and len(present) < len(values):
        return False
    if column.kind == "code":
        return set(present) <= set(column.codes)
    if column.kind == "key":
        return bool(present.str.fullmatch("[0-9a-f]{32}").all())
    if column.kind in ("count", "number"):
        return bool(present.between(*column.limits).all())
    if column.kind in ("date", "month"):
        return bool((present.dt.normalize() == present).all())
    return True


def check(imported: Imported) -> None:
    for table in TABLES.values():
        frame = imported.tables[table.name]
        assert list(frame.columns) == list(empty_table(table).columns)
        assert frame.dtypes.to_dict() == empty_table(table).dtypes.to_dict(), table.name
        assert not frame.duplicated(list(table.identity)).any()
        assert all(fits(frame[column.name], column) for column in table.columns)
    kept: dict[str, int] = {}
    for file in imported.quality.files:
        kept[file.table] = kept.get(file.table, 0) + file.accepted + file.repaired
    for name, rows in kept.items():
        if name != "staffing_period":  # there, titles are added up and months filled
            assert len(imported.tables[name]) == rows
    assert QualityReport.from_json(imported.quality.to_json()) == imported.quality
    assert imported.quality.to_text()


def import_or_refuse(mapping: str, files: dict[str, str | bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            check(run(Path(folder), mapping, files))
        except FileRefused:
            return


@settings(max_examples=15, deadline=None)
@given(
    events=st.lists(EVENT, max_size=25), encounters=st.lists(ENCOUNTER, max_size=25), lines=st.lists(LINE, max_size=12)
)
def test_messy_exports(
    events: list[tuple[str, ...]], encounters: list[tuple[str, ...]], lines: list[tuple[str, ...]]
) -> None:
    files: dict[str, str | bytes] = {
        "events.csv": text(EVENT_HEADER, events),
        "encounters.csv": text(ENCOUNTER_HEADER, encounters),
        "staffing.csv": text(STAFFING_HEADER, lines),
    }
    # One by one as well, since one refused file ends the whole import.
    import_or_refuse(EVENTS, files)
    import_or_refuse(ENCOUNTERS, files)
    import_or_refuse(STAFFING, files)


SOUND = ("E{}", "2025-03-04 10:15", "2025-03-05", "incident", "fall", "Low", "closed", "")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(JUNK, max_size=10), max_size=9))
def test_junk_between_sound_rows(junk: list[list[str]]) -> None:
    # A line end inside a row that is too long as well cannot be told from a stray quote, so it may make two rows.
    junk = [[" ".join(cell.splitlines()) for cell in row] for row in junk]
    sound = [tuple(cell.format(n) for cell in SOUND) for n in range(40)]
    with tempfile.TemporaryDirectory() as folder:
        imported = run(Path(folder), EVENTS, {"events.csv": text(EVENT_HEADER, [*map(tuple, junk), *sound])})
    check(imported)
    (file,) = imported.quality.files
    assert file.accepted >= 30
    assert file.read == len(sound) + len(junk)


FORMS = ("csv", "workbook", "parquet", "database", "ndjson")
FHIR_OF = {"Date": "date", "Reported": "recordedDate", "Class": "actuality", "Type": "category"}


def as_form(folder: Path, form: str, rows: list[tuple[str, ...]]) -> str:
    """Write the same events in one of the forms; give the mapping that reads them."""
    header = EVENT_HEADER.split(",")
    place = folder / "events.csv"
    if form == "csv":
        place.write_text(text(EVENT_HEADER, rows), encoding="utf-8")
    elif form == "workbook":
        book = openpyxl.Workbook()
        for row in (header, *rows):
            book.worksheets[0].append(list(row))
        book.save(place)
    elif form == "parquet":
        pd.DataFrame(rows, columns=header, dtype="str").to_parquet(place)
    elif form == "database":
        with sqlite3.connect(folder / "q.db") as made:
            made.execute(f"CREATE TABLE events ({', '.join(header)})")
            made.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        made.close()
        (folder / "url").write_text(f"sqlite:///{folder / 'q.db'}")
        (folder / "url").chmod(0o600)
        return EVENTS.replace('file = "events*.csv"', 'database = { url_file = "url", view = "events" }')
    else:
        found = [dict(zip(header, row, strict=True)) for row in rows]
        resources = [
            {"resourceType": "AdverseEvent", **{FHIR_OF[n]: row[n] for n in FHIR_OF}, "id": row["Ref"]} for row in found
        ]
        place.write_text("\n".join(map(json.dumps, [*resources, {"resourceType": "Patient"}])))
        mapping = (
            EVENTS.replace('"Ref"', '"identifier"')
            .replace('"Harm"', '"harm"')
            .replace('"State"', '{ constant = "closed" }')
        )
        for name, element in FHIR_OF.items():
            mapping = mapping.replace(f'"{name}"', f'"{element}"')
        return mapping.replace('"Changed"', '"lastUpdated"')
    return EVENTS


@settings(max_examples=10, deadline=None)
@given(form=st.sampled_from(FORMS), rows=st.lists(EVENT, max_size=12))
def test_in_every_form_every_row_is_accounted_for(form: str, rows: list[tuple[str, ...]]) -> None:
    sound = [tuple(cell.format(n) for cell in SOUND) for n in range(60)]
    with tempfile.TemporaryDirectory() as folder:
        imported = run(Path(folder), as_form(Path(folder), form, [*rows, *sound]), {})
    check(imported)
    (file,) = imported.quality.files
    assert file.read == len(rows) + len(sound) + (form == "ndjson")
    out = file.accepted + file.repaired + file.rows_quarantined + file.rows_dropped
    assert (file.added, out) == (0, file.read)


def test_a_file_that_two_sources_read_alike_is_refused(tmp_path: Path) -> None:
    files = {"events.csv": text(EVENT_HEADER, [SOUND])}
    with pytest.raises(FileRefused, match=r"events\.csv: two sources of safety_event take the same rows of it"):
        run(tmp_path, EVENTS + EVENTS.replace("events*", "*"), files)
    other = EVENTS.replace('file = "events*.csv"', 'file = "*.csv"\nwhere = { Type = ["fall"] }')
    assert run(tmp_path, EVENTS + other, files).quality.files[0].rows_dropped == 1


def test_a_report_that_loses_a_row_cannot_be_made() -> None:
    sound = {
        "file": "e.csv",
        "table": "safety_event",
        "encoding": "utf-8",
        "delimiter": ",",
        "header_row": 1,
        "read": 3,
        "added": 0,
        "accepted": 2,
        "repaired": 1,
        "repairs": (),
        "quarantined": (),
        "dropped": (),
    }
    assert FileQuality.model_validate(sound).read == 3
    with pytest.raises(ValidationError, match="3 \\+ 0 rows came in and 2 are accounted for"):
        FileQuality.model_validate({**sound, "accepted": 1})
