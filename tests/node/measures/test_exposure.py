from __future__ import annotations

from node.measures.exposure import monthly_exposures
from protocols.plan import HEADCOUNT_BY_ROLE
from tests.node.measures.canonical import tables


def staffing(month: str, role: str, headcount: float, fte: float) -> dict[str, object]:
    return {"period": f"2024-{month}-01", "role_group": role, "headcount": headcount, "fte": fte}


def test_exposures_are_sums_of_each_month_rounded_to_ten() -> None:
    site = tables(
        staffing_period=[
            staffing("04", "physician", 101, 88.2),
            staffing("04", "nurse_midwife", 306, 250.1),
            staffing("06", "physician", 96, 94.9),
            staffing("07", "physician", 500, 400),
        ],
        activity_period=[
            {"period": "2024-05-01", "unit_key": "u1", "patient_days": 4004.0},
            {"period": "2024-05-01", "unit_key": "u2", "patient_days": 1003.0},
            {"period": "2023-05-01", "unit_key": "u1", "patient_days": 9999.0},
        ],
    )
    nobody = dict.fromkeys(HEADCOUNT_BY_ROLE, (0, 0, 0))
    by_role = {"headcount_nurse_midwife": (310, 0, 0), "headcount_physician": (100, 0, 100)}
    assert monthly_exposures(site, 2024, 2) == nobody | by_role | {
        "headcount": (410, 0, 100),
        "fte": (340, 0, 90),
        "patient_days": (0, 5010, 0),
    }
    later = monthly_exposures(site, 2024, 3)
    assert later["headcount"] == later["headcount_physician"] == (500, 0, 0)
    totals = dict.fromkeys(("headcount", "fte", "patient_days"), (0, 0, 0))
    assert monthly_exposures(tables(), 2024, 1) == nobody | totals


def test_titles_and_units_of_one_role_are_added_before_they_are_rounded() -> None:
    rows = [staffing("01", "physician", 14, 12) | {"unit_key": unit} for unit in ("u1", "u2", "u3")]
    declared = monthly_exposures(tables(staffing_period=rows), 2024, 1)
    assert declared["headcount_physician"] == declared["headcount"] == (40, 0, 0)
