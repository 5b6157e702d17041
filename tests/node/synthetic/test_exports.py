"""The files really have the shapes and errors that they claim to have."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from node.synthetic.damage import damaged
from node.synthetic.exports import write_exports
from node.synthetic.network import SyntheticSite
from node.synthetic.style import DAY_FORMATS, Style, draw_style
from node.synthetic.text import as_text

Network = tuple[SyntheticSite, ...]


def _rows(path: Path, encoding: str, delimiter: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_text(encoding=encoding)), delimiter=delimiter))


def _records(path: Path) -> list[dict[str, str]]:
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "cp1252")
    delimiter = ";" if text.splitlines()[0].count(";") > text.splitlines()[0].count(",") else ","
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def _styles(shape: str = "views") -> list[Style]:
    return [draw_style(shape, "nrls", np.random.default_rng(seed)) for seed in range(400)]


def test_the_same_site_gives_the_same_bytes(network: Network, exports: dict[str, Path], tmp_path: Path) -> None:
    write_exports(network[3], tmp_path)
    first = {path.name: path.read_bytes() for path in exports["site-04"].iterdir()}
    assert first == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_the_incident_system_joins_staff_in_one_row_per_event(exports: dict[str, Path]) -> None:
    folder = exports["site-01"]
    rows = _records(folder / "incidents.csv")
    listed = [row for row in rows if ";" in row["Staff ids"]]
    assert listed
    for row in listed:
        assert row["Staff ids"].count(";") == row["Staff roles"].count(";") == row["Staff involvement"].count(";")
    assert {row["Severity"].strip().casefold() for row in rows} & {"no harm", "c", "0 - none"}
    assert {"RCA No", "Incident Ref", "Strength", "Due"} <= set(_records(folder / "rca_actions.csv")[0])
    assert {"Case", "Referred at", "Contact at", "Staff id"} <= set(_records(folder / "peer_support_log.csv")[0])


def test_redcap_is_flat_with_blanks_and_checkboxes(exports: dict[str, Path]) -> None:
    path = exports["site-02"] / "redcap_export.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = _records(path)
    assert list(rows[0])[:4] == [
        "record_id",
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
    ]
    by_instrument = {row["redcap_repeat_instrument"]: row for row in rows}
    assert set(by_instrument) == {"", "contact", "followup"}
    assert by_instrument["contact"]["ref_referral_source"] == ""
    assert by_instrument[""]["con_tier"] == by_instrument[""]["resource___1"] == ""
    contacts = [row for row in rows if row["redcap_repeat_instrument"] == "contact"]
    assert {row["resource___3"] for row in contacts} == {"0", "1"}
    assert any(row["resource___3"] == row["resource___14"] == "1" for row in contacts)
    assert max(int(row["redcap_repeat_instance"]) for row in contacts) > 1


def test_the_tracker_is_a_spreadsheet_per_year(exports: dict[str, Path]) -> None:
    folder = exports["site-03"]
    paths = sorted(folder.glob("peer_support_tracker_*.csv"))
    assert [path.stem[-4:] for path in paths] == ["2022", "2023"]
    raw = paths[0].read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    rows = _rows(paths[0], "cp1252", ";")
    assert rows[0][0].startswith("Peer Support Team – ")
    assert set(rows[0][1:]) == {""}
    assert rows[1][0].endswith("équipe de soutien")
    assert rows[3][0] == "Case no."
    assert rows[-1][:2] == ["Total", str(len(rows) - 5)]
    entered = pd.Series([row[-1] for row in rows[4:-1]])
    assert entered.value_counts().max() >= 8


def test_views_have_names_of_their_own_and_some_are_parquet(network: Network, exports: dict[str, Path]) -> None:
    headers = set()
    for site in network:
        if site.shape == "views":
            folder = exports[site.site_id]
            assert len(list(folder.glob("v_*"))) == len(site.tables)
            headers.add((folder / "v_safety_event.csv").read_bytes().decode("cp1252").splitlines()[0])
    assert len(headers) > 1
    parquet = [path for folder in exports.values() for path in folder.glob("*.parquet")]
    assert parquet
    assert all(pq.read_table(path).num_rows > 0 for path in parquet)


def test_every_error_of_the_recipe_is_drawn_about_as_often_as_it_says() -> None:
    styles = _styles()
    shares = {
        "two date formats": (0.20, [style.second_format is not None for style in styles]),
        "spreadsheet day numbers": (0.10, [style.serials > 0 for style in styles]),
        "totals row": (0.25, [style.layout.totals for style in styles]),
        "Windows-1252": (0.25, [style.layout.encoding == "cp1252" for style in styles]),
        "semicolons": (0.15, [style.layout.delimiter == ";" for style in styles]),
        "leading zeros lost": (0.15, [style.bare_ids > 0 for style in styles]),
        "EAP as tier 2": (0.15, [style.eap_as_tier2 for style in styles]),
    }
    for name, (expected, drawn) in shares.items():
        assert abs(np.mean(drawn) - expected) < 0.07, name
    assert all(0.01 <= style.duplicates <= 0.03 for style in styles)
    assert {style.day_format for style in styles} == set(DAY_FORMATS)


def test_damage_adds_versions_and_void_rows_and_little_that_cannot_be_mended(network: Network) -> None:
    tables = network[4].tables
    hurt = damaged(tables, _styles()[0], np.random.default_rng(1))
    events, true_events = hurt["safety_event"], tables["safety_event"]
    again = events["event_key"].duplicated(keep=False)
    assert 0.005 < again.mean() / 2 < 0.04
    versions = events[again].sort_values("modified_date").groupby("event_key")["harm"].agg(["first", "last"])
    assert (versions["first"] == "no_harm").all()
    truth = true_events.set_index("event_key")["harm"]
    assert (versions["last"] == truth[versions.index]).all()
    assert events["status"].eq("void").sum() >= 2
    assert 0 < events["event_date"].isna().mean() < 0.01
    early = hurt["support_episode"]["recovered_date"] < hurt["support_episode"]["event_date"].dt.normalize()
    assert early.mean() < 0.02


def test_text_shows_the_styles_errors(network: Network) -> None:
    frame = network[4].tables["support_encounter"]
    rng = np.random.default_rng(3)
    serial = next(style for style in _styles() if style.serials > 0)
    text = as_text("support_encounter", frame, serial, rng)
    assert text["encounter_date"].str.fullmatch(r"4\d{4}(\.\d+)?").mean() > 0.1
    bare = next(style for style in _styles() if style.bare_ids > 0)
    ids = as_text("support_encounter", frame, bare, rng)["person_key"]
    assert ids.str.startswith("0").any()
    assert (ids.str.len().between(1, 5)).any()
    roles = as_text("support_activation", network[4].tables["support_activation"], bare, rng)["role_group"]
    assert {"RN", "Staff Nurse II"} <= set(roles)
    missing = next(style for style in _styles() if not style.date_only and style.serials == 0)
    stamps = as_text("support_encounter", frame, missing, rng)["encounter_date"]
    assert stamps.str.endswith("00:00").mean() > 0.02
