"""Every measure against a site small enough to count on one's fingers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from node.synthetic.frames import canonical
from node.synthetic.network import SyntheticSite
from node.synthetic.truth import COLUMNS, survival, truth_table
from protocols.catalogue import current_catalogue

D = pd.Timestamp


def _table(name: str, *rows: dict[str, Any]) -> pd.DataFrame:
    columns = {column: pd.DataFrame(list(rows))[column] for row in rows for column in row}
    return canonical(name, columns)


def _event(key: str, day: str, reported: str | None, harm: str, **other: Any) -> dict[str, Any]:
    known = {"event_class": "incident", "event_type": "fall", "status": "closed"}
    return (
        {"event_key": key, "event_date": D(day), "reported_date": D(reported) if reported else pd.NaT, "harm": harm}
        | known
        | other
    )


def _episode(person: str | None, event: str, contact: str | None, tier: str, **other: Any) -> dict[str, Any]:
    dates = {
        "event_date": D(event),
        "first_contact_datetime": D(contact) if contact else pd.NaT,
        "event_date_time_known": True,
    }
    return {"episode_key": f"ep {event}", "person_key": person, "highest_tier": tier, "outcome": "open"} | dates | other


def _encounter(key: str, person: str | None, activation: str, when: str, tier: str) -> dict[str, Any]:
    row = {"encounter_key": key, "activation_key": activation, "person_key": person, "mode": "one_to_one_in_person"}
    return row | {"encounter_date": D(when), "tier": tier}


def tiny_site(fixed: str = "2023-07-30", site_id: str = "tiny") -> SyntheticSite:
    months = pd.date_range("2023-01-01", periods=12, freq="MS")
    tables = {
        "unit": canonical("unit", {}),
        "staffing_period": canonical(
            "staffing_period",
            {"period": months, "role_group": ["nurse_midwife"] * 12, "headcount": [100] * 12, "fte": [80] * 12},
        ),
        "activity_period": canonical("activity_period", {"period": months, "patient_days": [1000] * 12}),
        "safety_event": _table(
            "safety_event",
            _event("E0", "2022-12-15", "2022-12-15", "severe_harm"),
            _event("E1", "2023-02-01", "2023-02-03", "death"),
            _event("E2", "2023-12-20", "2024-01-05", "severe_harm"),
            _event("E3", "2023-06-01", None, "no_harm", event_type="workplace_violence"),
            _event("E4", "2023-03-01", "2023-03-01", "death", status="void"),
            _event("E5", "2023-03-01", "2023-03-01", "moderate_harm"),
        ),
        "event_involvement": _table(
            "event_involvement",
            {"event_key": "E1", "person_key": "p1"},
            {"event_key": "E1", "person_key": "p2"},
            {"event_key": "E3", "person_key": "p1"},
            {"event_key": "E2", "person_key": "p3"},
            {"event_key": "E4", "person_key": "p4"},
            {"event_key": "E5", "person_key": "p5"},
        ),
        "support_activation": _table(
            "support_activation",
            {
                "activation_key": "A1",
                "event_key": "E1",
                "activation_datetime": D("2023-02-02 10:00"),
                "referral_source": "self",
            },
            {"activation_key": "A2", "activation_datetime": D("2023-12-31 23:30"), "referral_source": "manager"},
            {"activation_key": "A3", "activation_datetime": D("2024-01-01 00:30"), "referral_source": "manager"},
        ),
        "support_encounter": _table(
            "support_encounter",
            _encounter("C1", "p1", "A1", "2023-02-03 09:00", "2"),
            _encounter("C2", "p1", "A1", "2023-05-01 09:00", "3"),
            _encounter("C3", "p2", "A2", "2023-12-31 23:45", "1"),
            _encounter("C4", None, "A2", "2023-07-01 09:00", "2"),
        ),
        "support_episode": _table(
            "support_episode",
            _episode("p1", "2023-02-01 08:00", "2023-02-03 09:00", "3", recovered_date=D("2023-02-20")),
            _episode("p2", "2023-12-30 10:00", "2023-12-30 20:00", "2", last_contact_date=D("2024-01-10")),
            _episode("p3", "2023-03-01 12:00", None, "1", recovered_date=D("2023-04-10")),
            _episode(
                "p4",
                "2022-01-15",
                "2022-01-16 10:00",
                "2",
                last_contact_date=D("2022-01-25"),
                event_date_time_known=False,
            ),
            _episode("p5", "2023-05-01 09:00", "2023-05-01 12:00", "2", recovered_date=D("2023-05-11")),
            _episode(None, "2023-05-02 09:00", "2023-05-02 09:10", "2", recovered_date=D("2023-05-12")),
        ),
        "jc_review": _table(
            "jc_review",
            {
                "event_key": "E1",
                "person_key": "p1",
                "behaviour": "human_error",
                "response": "console",
                "review_date": D("2023-03-01"),
            },
            {"event_key": "E1", "person_key": "p2", "behaviour": "at_risk", "response": "discipline"},
            {"event_key": "E3", "person_key": "p1", "behaviour": "undetermined", "response": "none"},
        ),
        "rca": _table(
            "rca",
            {"rca_key": "R1", "event_key": "E1", "completed_date": D("2023-03-15")},
            {"rca_key": "R2", "event_key": "E2", "completed_date": D("2023-12-31")},
            {"rca_key": "R3", "event_key": "E0"},
        ),
        "rca_action": _table(
            "rca_action",
            {
                "rca_key": "R1",
                "action_no": "1",
                "strength": "weak",
                "due_date": D("2023-06-01"),
                "completed_date": D("2023-06-01"),
            },
            {
                "rca_key": "R1",
                "action_no": "2",
                "strength": "intermediate",
                "due_date": D("2023-07-01"),
                "completed_date": D(fixed),
            },
            {"rca_key": "R2", "action_no": "1", "strength": "weak", "due_date": D("2024-01-05")},
        ),
    }
    distress = pd.DataFrame(
        {
            "person": ["p1", "p2", "p2", "p5", "p7"],
            "onset": pd.to_datetime(["2023-02-01", "2023-02-01", "2023-12-30", "2023-05-01", "2022-05-01"]),
            "recovery_days": 1.0,
        }
    )
    return SyntheticSite(site_id, {}, "views", tables, distress, None, np.random.SeedSequence(0))


def _value(
    table: pd.DataFrame, measure: str, stratum: str = "all", start: str = "2023-01-01", months: int = 12
) -> float:
    end = (D(start) + pd.DateOffset(months=months) - pd.Timedelta(days=1)).date()
    chosen = (table["period_start"] == D(start).date()) & (table["period_end"] == end)
    (value,) = table.loc[chosen & (table["measure"] == measure) & (table["stratum"] == stratum), "value"]
    return float(value)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        ("A2", 10_000 * 1 / 12_000),  # E1; E0 was reported before, E2 after the year, E4 is void
        ("A4", 1000 * 2 / 100),  # p1 and p2; p1 twice, p5's event is no trigger
        ("B1", 1000 * 2 / 80),
        ("B2", 100 * 1 / 3),  # E0 (30 days end in January), E1 (offered), E3
        ("C1", 1000 * 1 / 80),  # p1; p2 only at tier 1, C4 has no person
        ("C2", 100 * 1 / 3),  # of p1, p2, p5
        ("D1", (10 + 49) / 2),  # 3, 10, 49 hours, and never; p4's clock time is not known
        ("D2", 50.0),
        ("F1", 19.0),  # S = 3/4 on day 10, 3/8 on day 19, 0 on day 40; p4 censored on day 10
        ("F2", 62.5),
        ("G2", 50.0),
        ("H2", 50.0),
        ("H3", 50.0),
        ("H7", 100.0),
        ("J1", 100.0),
    ],
)
def test_a_year_counted_by_hand(measure: str, expected: float) -> None:
    assert _value(truth_table([tiny_site()], [2023]), measure) == pytest.approx(expected)


def test_histograms_counted_by_hand() -> None:
    table = truth_table([tiny_site()], [2023])
    assert _value(table, "B3", "self") == _value(table, "B3", "manager") == 50.0
    assert _value(table, "B3", "unknown") == 0.0
    tiers = [_value(table, "E1", tier) for tier in "123"]
    assert tiers == pytest.approx([100 / 3] * 3)  # p3, p5, p1; the others' 90 days end in other years


def test_a_clinician_counts_in_the_quarter_of_the_first_support() -> None:
    table = truth_table([tiny_site()], [2023])
    starts = ["2023-01-01", "2023-04-01", "2023-07-01", "2023-10-01"]
    assert [_value(table, "C1", start=start, months=3) for start in starts] == [1000 / 20, 0, 0, 0]
    assert [_value(table, "B1", start=start, months=3) for start in starts] == [1000 / 20, 0, 0, 1000 / 20]
    assert [_value(table, "A2", start=start, months=3) for start in starts] == pytest.approx([10_000 / 3000, 0, 0, 0])


def test_a_fix_after_180_days_is_none() -> None:
    assert _value(truth_table([tiny_site(fixed="2023-07-31")], [2023]), "H7") == 100.0
    assert _value(truth_table([tiny_site(fixed="2023-08-01")], [2023]), "H7") == 0.0


def test_sites_are_pooled_and_people_of_two_sites_stay_two() -> None:
    table = truth_table([tiny_site(), tiny_site(site_id="twin")], [2023])
    assert _value(table, "C1") == pytest.approx(1000 * 2 / 160)
    assert _value(table, "J1") == 100.0
    assert _value(table, "D1") == pytest.approx(29.5)


def test_years_without_a_case_have_no_value() -> None:
    table = truth_table([tiny_site()], [2023])
    assert list(table.columns) == COLUMNS
    quiet = truth_table([tiny_site()], [2025])
    assert np.isnan(_value(quiet, "H2", start="2025-01-01"))
    assert np.isnan(_value(quiet, "F1", start="2025-01-01"))


def test_every_core_measure_of_the_catalogue_has_a_truth() -> None:
    table = truth_table([tiny_site()], [2023])
    catalogue, _ = current_catalogue()
    assert set(table["measure"]) == {measure.id for measure in catalogue.measures if measure.core}


def test_kaplan_meier_of_a_textbook() -> None:
    """Remission times in weeks of the 6-MP group of Freireich et al. 1963, Blood 21:699; curve as in textbooks."""
    relapsed = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    weeks = pd.Series(relapsed + censored, dtype="float64")
    curve = survival(weeks, pd.Series([True] * len(relapsed) + [False] * len(censored)))
    assert curve.round(3).to_dict() == {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
