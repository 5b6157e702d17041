"""The shipped catalogue with new measures of every kind of formula, as a site would get them: data and no code."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

UNKNOWN = "unknown"


def shipped() -> dict[str, Any]:
    """The catalogue of this release as plain data."""
    return dict(json.loads(resources.files("protocols.catalogue").joinpath("v1.json").read_text(encoding="utf-8")))


def tally(tally_id: str, **changes: object) -> dict[str, object]:
    """A count of events by record, changed."""
    return {
        "id": tally_id,
        "title": tally_id.replace("_", " "),
        "view": "events",
        "unit": "record",
        "key": "event_key",
        "cap": 1,
        "where": [],
        "entry": {"kind": "date", "column": "recorded_date", "lag_days": 0},
        "cells": {"kind": "one"},
        "strata": {},
    } | changes


def measure(measure_id: str, **formula: object) -> dict[str, object]:
    return {
        "id": measure_id,
        "title": f"Measure {measure_id}",
        "group": "Z",
        "numerator_text": "what is counted",
        "denominator_text": "in what",
        "unit": "%",
        "direction": "neutral",
        "formula": formula,
        "literature": "none",
        "core": True,
        "publish": {"modes": ["site"]},
    }


def cells(tally_id: str, *names: str) -> dict[str, object]:
    return {"tally": tally_id, "cells": list(names)}


NIGHT = {"column": "shift", "one_of": ["night"]}
NEW_TALLIES = [
    tally(
        "night_offers",
        where=[NIGHT],
        cells={"kind": "codes", "column": "offered", "codes": ["yes", "no"], "other": "no"},
        strata={"unit_type": ["icu", "emergency", UNKNOWN]},
    ),
    tally("night_events", where=[NIGHT]),
    tally(
        "helped",
        view="encounters",
        unit="clinician",
        key="person_key",
        cap=2,
        strata={"role_group": ["nurse_midwife", "physician", UNKNOWN]},
    ),
    tally(
        "night_fixes",
        where=[NIGHT],
        entry={
            "kind": "outcome",
            "start": "event_date",
            "end": "fix_date",
            "horizon": 60,
            "unit": "days",
            "censor": None,
        },
        cells={"kind": "duration", "edges": [0, 30, 60]},
    ),
]
NEW_MEASURES = [
    measure("Z1", kind="rate", numerator=cells("night_events", "all"), exposure="patient_days", per=10000),
    measure(
        "Z2", kind="proportion", numerator=cells("night_offers", "yes"), denominator=cells("night_offers", "yes", "no")
    ),
    measure("Z3", kind="histogram", tally="night_offers"),
    measure("Z4", kind="quantile", tally="night_fixes", probability="0.25"),
    measure("Z5", kind="reached_by", tally="night_fixes", time=30),
    measure(
        "Z6",
        kind="share_of_need",
        numerator=cells("helped", "all"),
        exposure="headcount",
        need_low="0.1",
        need_central="0.2",
        need_high="0.3",
    ),
    measure("Z7", kind="context", exposure="fte"),
    measure(
        "Z10",
        kind="panel",
        parts={
            "offers": {
                "kind": "proportion",
                "numerator": cells("night_offers", "yes"),
                "denominator": cells("night_offers", "yes", "no"),
            },
            "fixes": {
                "kind": "proportion",
                "numerator": cells("night_fixes", "0-30"),
                "denominator": cells("night_fixes", "0-30", "30-60", "beyond"),
            },
        },
    ),
    measure(
        "Z11",
        kind="weighted_rate",
        tally="night_fixes",
        weights={"0-30": "15", "30-60": "45", "beyond": "60"},
        exposure="headcount",
        per=1000,
    ),
    measure("Z12", kind="role_ratio", tally="helped"),
]


def extended() -> dict[str, Any]:
    """The shipped catalogue, as its next version."""
    raw = shipped()
    raw["version"] += 1
    raw["tallies"] += NEW_TALLIES
    raw["measures"] += NEW_MEASURES
    return raw
