from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from protocols.catalogue import (
    CatalogueError,
    canonical_json,
    current_catalogue,
    load_catalogue_file,
    parse_catalogue,
)
from protocols.catalogue.model import BEYOND, UNKNOWN, DurationCells, Formula, OutcomeEntry
from tests.protocols.extended import NEW_MEASURES, extended, measure, shipped, tally

CATALOGUE, DIGEST = current_catalogue()
# A change of this digest is a new catalogue: sites hold plans to it, so it takes a new version and a new file.
GOLDEN_DIGEST = "e54a9c0644168f2b7ea0257fd3f3df882f9d57fdaf1d070b6def8b02d9c75919"

TALLIES_OF_MEASURES = {
    "A2": ("serious_events",),
    "A4": ("exposed",),
    "B1": ("activations",),
    "B2": ("trigger_offers",),
    "B3": ("activations",),
    "C1": ("supported",),
    "C2": ("supported",),
    "D1": ("contact_time",),
    "D2": ("contact_time",),
    "E1": ("episode_tier",),
    "F1": ("recovery",),
    "F2": ("recovery",),
    "G2": ("responses",),
    "H2": ("rca_strength",),
    "H3": ("actions_on_time",),
    "H7": ("fixes_after_support",),
    "J1": (),
}


def test_the_digest_is_golden() -> None:
    assert DIGEST.hex() == GOLDEN_DIGEST
    by_hand = json.dumps(shipped(), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(by_hand).digest() == DIGEST


def test_the_digest_is_of_the_meaning_not_of_the_layout() -> None:
    raw = shipped()
    assert parse_catalogue(json.dumps(dict(reversed(raw.items())), indent=7))[1] == DIGEST
    raw["tallies"][0]["cap"] = 2
    assert parse_catalogue(json.dumps(raw))[1] != DIGEST


def test_canonical_json_is_sorted_bare_and_utf8() -> None:
    assert canonical_json({"b": [1, "é"], "a": None}) == '{"a":null,"b":[1,"é"]}'.encode()
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"x": float("nan")})


def test_the_seventeen_measures_stand_on_their_tallies() -> None:
    assert {m.id: m.tallies for m in CATALOGUE.measures} == TALLIES_OF_MEASURES
    assert {t.id for t in CATALOGUE.tallies} == {name for names in TALLIES_OF_MEASURES.values() for name in names}


@pytest.mark.parametrize("tally_id", [t.id for t in CATALOGUE.tallies])
def test_each_tally_protects_the_unit_that_it_is_keyed_by(tally_id: str) -> None:
    found = CATALOGUE.tally(tally_id)
    assert found.key == "person_key" if found.unit == "clinician" else found.key in ("event_key", "activation_key")
    assert len(set(found.cell_names)) == len(found.cell_names)
    assert all(codes[-1] == UNKNOWN for codes in found.strata.values())
    assert found.cap == (3 if tally_id == "actions_on_time" else 1)


def test_the_follow_ups_of_the_design() -> None:
    horizons = {
        t.id: (t.entry.horizon, t.entry.unit, t.entry.censor)
        for t in CATALOGUE.tallies
        if isinstance(t.entry, OutcomeEntry)
    }
    assert horizons == {
        "contact_time": (720, "hours", None),
        "recovery": (365, "days", "last_contact_date"),
        "fixes_after_support": (180, "days", None),
    }
    assert CATALOGUE.tally("contact_time").cell_names == ("0-1", "1-4", "4-12", "12-24", "24-72", "72-720", BEYOND)
    bins = ("0-7", "7-14", "14-30", "30-90", "90-365")
    assert CATALOGUE.tally("recovery").cell_names == (*bins, *(f"open {name}" for name in bins), BEYOND)


def test_measures_and_tallies_are_found_by_id() -> None:
    assert CATALOGUE.measure("D2").formula.kind == "proportion"
    with pytest.raises(KeyError):
        CATALOGUE.measure("Z9")
    with pytest.raises(KeyError):
        CATALOGUE.tally("nothing")


def test_nothing_in_a_catalogue_can_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        CATALOGUE.tallies[0].cap = 20  # type: ignore[misc]


def test_new_measures_of_every_kind_are_pure_data(tmp_path: Path) -> None:
    path = tmp_path / "v2.json"
    path.write_text(json.dumps(extended()), encoding="utf-8")
    catalogue, digest = load_catalogue_file(path)
    assert digest != DIGEST
    assert catalogue.version == CATALOGUE.version + 1
    kinds = {option.model_fields["kind"].annotation for option in get_args(get_args(Formula)[0])}
    assert {f"typing.Literal['{m['formula']['kind']}']" for m in NEW_MEASURES} == {str(kind) for kind in kinds}
    assert isinstance(catalogue.tally("night_fixes").cells, DurationCells)
    assert catalogue.measure("Z2").tallies == ("night_offers",)


def of_tally(tally_id: str, **changes: object) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        next(t for t in raw["tallies"] if t["id"] == tally_id).update(changes)

    return change


def of_formula(measure_id: str, **changes: object) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        next(m for m in raw["measures"] if m["id"] == measure_id)["formula"].update(changes)

    return change


def with_measure(**formula: object) -> Callable[[dict[str, Any]], None]:
    return lambda raw: raw["measures"].append(measure("Z8", **formula))


SPOILED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "an unknown key": (lambda raw: raw.update(code="print()"), "code"),
    "another schema": (lambda raw: raw.update(schema="leadline.catalogue/2"), "leadline.catalogue/1"),
    "no version": (lambda raw: raw.pop("version"), "version"),
    "a tally twice": (lambda raw: raw["tallies"].append(raw["tallies"][0]), "ids of tallies and measures must differ"),
    "a measure twice": (lambda raw: raw["measures"].append(raw["measures"][0]), "must differ"),
    "a measure without its tally": (
        lambda raw: raw["tallies"].pop(0),
        "measure A2: there is no tally 'serious_events'",
    ),
    "a cap of zero": (of_tally("exposed", cap=0), "greater than or equal to 1"),
    "a cap beyond reason": (of_tally("exposed", cap=21), "less than or equal to 20"),
    "an unknown unit": (of_tally("exposed", unit="hospital"), "'clinician' or 'record'"),
    "an id that is no name": (of_tally("exposed", id="Exposed; drop"), "String should match pattern"),
    "strata that forget the unknown": (of_tally("exposed", strata={"role_group": ["a", "b"]}), "end with 'unknown'"),
    "strata with a code twice": (of_tally("exposed", strata={"x": ["a", "a", "unknown"]}), "must differ"),
    "a fallback that is no code": (
        of_tally("responses", cells={"kind": "codes", "column": "matched", "codes": ["yes"], "other": "no"}),
        "hold the fallback 'no'",
    ),
    "edges that fall": (of_tally("recovery", cells={"kind": "duration", "edges": [0, 9, 5, 365]}), "edges must rise"),
    "edges from one": (of_tally("recovery", cells={"kind": "duration", "edges": [1, 365]}), "edges must rise from 0"),
    "a horizon that is no edge": (
        of_tally("recovery", cells={"kind": "duration", "edges": [0, 364]}),
        "tally recovery: duration cells need an outcome entry whose horizon is the last edge",
    ),
    "durations of a date": (
        lambda raw: raw["tallies"].append(tally("odd", cells={"kind": "duration", "edges": [0, 5]})),
        "tally odd: duration cells need an outcome entry",
    ),
    "a negative lag": (
        of_tally("exposed", entry={"kind": "date", "column": "recorded_date", "lag_days": -1}),
        "greater than or equal to 0",
    ),
    "an unknown cell": (
        of_formula("A2", numerator={"tally": "serious_events", "cells": ["most"]}),
        r"serious_events has no cells \['most'\]",
    ),
    "a part that is not in the whole": (
        of_formula("G2", denominator={"tally": "responses", "cells": ["no"]}),
        "part of its denominator",
    ),
    "a proportion of two tallies": (
        of_formula("G2", denominator={"tally": "exposed", "cells": ["all"]}),
        "part of its denominator",
    ),
    "a quantile of a plain count": (
        with_measure(kind="quantile", tally="exposed", probability="0.5"),
        "measure Z8: exposed is no duration tally",
    ),
    "a quantile of one": (of_formula("D1", probability="1"), "less than 1"),
    "a time between edges": (of_formula("F2", time=31), "measure F2: 31 is no edge of recovery"),
    "an unknown formula": (with_measure(kind="sql", query="select *"), "sql"),
    "an unknown exposure": (of_formula("J1", exposure="salaries"), "headcount"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_an_invalid_catalogue_is_refused_with_what_is_wrong(name: str) -> None:
    change, words = SPOILED[name]
    raw = shipped()
    change(raw)
    with pytest.raises(CatalogueError, match=words) as caught:
        parse_catalogue(json.dumps(raw))
    assert str(caught.value).startswith("the catalogue is not valid")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": NaN}'])
def test_what_is_no_catalogue_is_refused(text: str) -> None:
    with pytest.raises(CatalogueError, match="not valid"):
        parse_catalogue(text)
