from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
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
from protocols.catalogue.model import (
    BEYOND,
    UNKNOWN,
    DateEntry,
    DurationCells,
    Formula,
    Histogram,
    OutcomeEntry,
    WeightedRate,
)
from protocols.plan import ROLE_GROUPS
from tests.protocols.extended import NEW_MEASURES, extended, measure, shipped, tally

CATALOGUE, DIGEST = current_catalogue()
# A change of this digest is a new catalogue: sites hold plans to it, so it takes a new version and a new file.
GOLDEN_DIGEST = "0a063dd843d62841ce3cafb259c5efde07bf9a70609a117cf0cc6e3c3136f420"

TALLIES_OF_MEASURES = {
    "A1": ("reported_events",),
    "A2": ("serious_events",),
    "A4": ("exposed",),
    "A5": ("repeat_exposure",),
    "A6": ("open_days",),
    "B1": ("activations",),
    "B2": ("trigger_offers",),
    "B3": ("activations",),
    "B5": ("activation_reasons",),
    "C1": ("supported",),
    "C2": ("supported",),
    "C3": ("supported",),
    "C6": ("debriefs",),
    "C7": ("awareness",),
    "D1": ("contact_time",),
    "D2": ("contact_time",),
    "E1": ("episode_path",),
    "E2": ("episode_path",),
    "E4": ("episode_path",),
    "E5": ("reinforced_care",),
    "F1": ("recovery",),
    "F2": ("recovery",),
    "F3": ("recovery",),
    "F4": ("trajectories",),
    "F6": ("departures",),
    "F7": ("needs_met",),
    "G1": ("reviews_held",),
    "G2": ("responses",),
    "G3": ("punitive_responses",),
    "G4": ("system_fixes",),
    "H1": ("action_strength",),
    "H2": ("rca_strength",),
    "H3": ("actions_on_time",),
    "H5": ("staffing_cited",),
    "H6": ("shifts",),
    "H7": ("fixes_after_support",),
    "H8": ("lessons_shared",),
    "I1": (
        "svest_psychological_distress",
        "svest_physical_distress",
        "svest_colleague_support",
        "svest_supervisor_support",
        "svest_institutional_support",
        "svest_professional_self_efficacy",
        "svest_resilience",
        "svest_turnover_intentions",
        "svest_absenteeism",
    ),
    "I2": ("second_victims",),
    "J1": (),
}
CORE = ["A2", "A4", "B1", "B2", "B3", "C1", "C2", "D1", "D2", "E1", "F1", "F2", "G2", "H2", "H3", "H7", "J1"]
ROLES = ("role_group",)
UNITS = ("unit_type",)
EVERYWHERE = ("site", "pooled")
# Modes, strata, minimum of sites and years of the measures whose figures the data model calls small or sensitive.
HELD_BACK = {
    "E5": (("pooled",), (), 10, 1),
    "F3": (EVERYWHERE, (), 5, 3),
    "F4": (("pooled",), ROLES, 5, 1),
    "F6": (EVERYWHERE, ROLES, 5, 3),
    "G3": (EVERYWHERE, (), 10, 1),
}
STRATA = {
    "A1": ("unit_type", "event_type", "harm"),
    "A5": ("role_group", "unit_type"),
    "F7": ("contact_form",),
    "H1": ("event_type",),
    "H5": ("unit_type", "shift"),
    "H6": ("unit_type", "shift"),
    **dict.fromkeys(("C6", "G1", "G4", "H8"), UNITS),
    **dict.fromkeys(("A2", "B2", "E5", "F3", "G3", "H2", "H3", "H7", "J1"), ()),
}
CAPS = {"actions_on_time": 3, "action_strength": 3, "needs_met": 2, "punitive_responses": 2, "system_fixes": 2}
KEYS = {
    "clinician": {"person_key", "respondent_key"},
    "record": {"event_key", "activation_key", "debrief_key", "shift_key"},
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


def test_the_forty_measures_stand_on_their_tallies() -> None:
    assert len(CATALOGUE.measures) == 40
    assert {m.id: m.tallies for m in CATALOGUE.measures} == TALLIES_OF_MEASURES
    assert {t.id for t in CATALOGUE.tallies} == {name for names in TALLIES_OF_MEASURES.values() for name in names}
    assert [m.id for m in CATALOGUE.measures if m.core] == CORE


@pytest.mark.parametrize("measure_id", [m.id for m in CATALOGUE.measures])
def test_every_measure_says_how_it_may_be_published(measure_id: str) -> None:
    publish = CATALOGUE.measure(measure_id).publish
    strata = STRATA.get(measure_id, ROLES)
    found = (publish.modes, publish.strata, publish.minimum_sites, publish.years)
    assert found == HELD_BACK.get(measure_id, (EVERYWHERE, strata, 5, 1))


def test_a_figure_that_is_never_split_rests_on_a_tally_that_cannot_be_split() -> None:
    for measure_id in ("E5", "G3"):
        assert [CATALOGUE.tally(name).strata for name in TALLIES_OF_MEASURES[measure_id]] == [{}]


def test_what_is_pooled_only_cannot_be_asked_of_single_sites() -> None:
    every = set(TALLIES_OF_MEASURES)
    pooled, single = (CATALOGUE.releasable(mode, every) for mode in ("pooled", "site"))
    assert pooled == {tally.id for tally in CATALOGUE.tallies}
    assert pooled - single == {"reinforced_care", "trajectories"}
    assert CATALOGUE.releasable("site", {"E5", "C1"}) == {"supported"}
    assert CATALOGUE.releasable("site", set()) == frozenset()


@pytest.mark.parametrize("tally_id", [t.id for t in CATALOGUE.tallies])
def test_each_tally_protects_the_unit_that_it_is_keyed_by(tally_id: str) -> None:
    found = CATALOGUE.tally(tally_id)
    assert found.key in KEYS[found.unit]
    assert (found.key == "respondent_key") == (found.view == "answers")
    assert len(set(found.cell_names)) == len(found.cell_names)
    assert all(codes[-1] == UNKNOWN for codes in found.strata.values())
    assert found.cap == CAPS.get(tally_id, 1)


def test_the_role_groups_are_those_of_the_headcounts_by_role() -> None:
    listed = {t.strata["role_group"] for t in CATALOGUE.tallies if "role_group" in t.strata}
    assert listed == {(*ROLE_GROUPS, UNKNOWN)}


def test_waits_are_those_of_the_design() -> None:
    lags = {t.id: t.entry.lag_days for t in CATALOGUE.tallies if isinstance(t.entry, DateEntry) and t.entry.lag_days}
    assert lags == {
        "trigger_offers": 30,
        "lessons_shared": 14,
        "repeat_exposure": 90,
        "reviews_held": 90,
        "system_fixes": 90,
        "staffing_cited": 90,
        "episode_path": 90,
        "trajectories": 30,
        "departures": 365,
    }


def test_survey_answers_and_days_of_load_enter_once_at_the_end_of_their_year() -> None:
    entries = {t.id: t.entry.column for t in CATALOGUE.tallies if isinstance(t.entry, DateEntry)}
    at_the_end = {tally_id for tally_id, column in entries.items() if column == "year_end"}
    survey = {name for measure_id in ("C7", "I1", "I2") for name in TALLIES_OF_MEASURES[measure_id]}
    assert at_the_end == survey | {"open_days"}


def test_the_weights_of_the_load_are_the_middles_of_its_bins() -> None:
    formula = CATALOGUE.measure("A6").formula
    assert isinstance(formula, WeightedRate)
    for name, weight in formula.weights.items():
        first, last = map(int, name.split("-"))
        assert weight == Decimal(first + last) / 2


def test_the_tiers_of_e1_hold_every_path_once() -> None:
    formula = CATALOGUE.measure("E1").formula
    assert isinstance(formula, Histogram)
    assert formula.groups == {
        "1": ("local",),
        "2": ("peer",),
        "3": ("peer_then_professional", "professional_only", "eap_only"),
    }
    assert sum(formula.groups.values(), ()) == CATALOGUE.tally("episode_path").cell_names


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


def of_publish(measure_id: str, **changes: object) -> Callable[[dict[str, Any]], None]:
    def change(raw: dict[str, Any]) -> None:
        next(m for m in raw["measures"] if m["id"] == measure_id)["publish"].update(changes)

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
    "a group of unknown cells": (
        of_formula("E1", groups={"1": ["local", "global"]}),
        r"measure E1: episode_path has no cells \['global'\]",
    ),
    "a cell in two groups": (of_formula("E1", groups={"1": ["local"], "2": ["local"]}), "one group at most"),
    "a panel of unknown cells": (
        with_measure(
            kind="panel",
            parts={
                "x": {
                    "kind": "proportion",
                    "numerator": {"tally": "awareness", "cells": ["yes"]},
                    "denominator": {"tally": "awareness", "cells": ["yes", "perhaps"]},
                }
            },
        ),
        r"measure Z8: awareness has no cells \['perhaps'\]",
    ),
    "a panel of nothing": (with_measure(kind="panel", parts={}), "at least 1 item"),
    "a cell without a weight": (of_formula("A6", weights={"1-30": "15.5"}), "one weight for every cell of open_days"),
    "roles of a tally without roles": (
        with_measure(kind="role_ratio", tally="debriefs"),
        r"measure Z8: debriefs has no strata \['role_group'\]",
    ),
    "a split that the tally does not know": (
        of_publish("G3", strata=["role_group"]),
        r"measure G3: punitive_responses has no strata \['role_group'\]",
    ),
    "no way to publish": (of_publish("A2", modes=[]), "at least 1 item"),
    "fewer sites than the gate's five": (of_publish("A2", minimum_sites=4), "greater than or equal to 5"),
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
