"""Tables about the site itself: its profile and programme, units, staffing, activity, peer supporters, interventions.

None of them holds a row about a patient or about a clinician in need of support.
"""

from __future__ import annotations

from node.tables.schema.codes import (
    INTERVENTION_KIND,
    MATURITY,
    RESOURCE,
    ROLE_GROUP,
    SCOPE,
    SHIFT,
    UNIT_TYPE,
)
from node.tables.schema.model import Column, Table, table
from protocols.profile import PEER_ATTRIBUTES

_C = Column

MATURITY_ITEMS = (
    "safety_culture",
    "leadership_commitment",
    "executive_champions",
    "education_and_awareness",
    "policies_for_responders",
    "fair_to_all_staff",
    "confidentiality",
    "further_tiers",
    "external_professionals",
    "surveys_as_benchmarks",
    "use_is_measured",
    "effectiveness_is_measured",
)
"""The Joint Commission's twelve components of a programme (Quick Safety, 2018): 0 not there, 1 partly, 2 fully."""

SITE_TABLES: tuple[Table, ...] = (
    table(
        "site_profile",
        ("site_id",),
        _C("site_id", "plain", required=True, max_chars=41),
        *(
            _C(name, "code", required=True, codes=PEER_ATTRIBUTES[name])
            for name in ("type", "bed_band", "teaching", "ownership", "setting")
        ),
        _C("country", "plain", required=True, max_chars=2),
        _C("programme_model", "code", required=True, codes=PEER_ATTRIBUTES["programme_model"]),
        _C("programme_start_date", "date", required=True),
        _C("legal_profile", "plain"),
    ),
    table(
        "programme_profile",
        ("year",),
        _C("year", "count", required=True, limits=(0, 2_100)),
        *(_C(f"maturity_{item}", "code", codes=MATURITY) for item in MATURITY_ITEMS),
        *(_C(f"resource_{resource}", "flag") for resource in RESOURCE),
        _C("eap_only", "flag", required=True),
        _C("on_call_24x7", "flag"),
        _C("resilience_training", "flag"),
        _C("buddy", "flag"),
        _C("involved_staff_invited_to_rca", "flag"),
        _C("trigger_definition", "plain", required=True),
    ),
    table(
        "unit",
        ("unit_key",),
        _C("unit_key", "key", required=True),
        _C("unit_type", "code", required=True, codes=UNIT_TYPE),
        _C("hsloc_code", "plain", max_chars=8),
        _C("beds", "count", limits=(0, 5_000)),
        _C("active_from", "date"),
        _C("active_to", "date", may_lie_ahead=True),
    ),
    table(
        "staffing_period",
        ("period", "role_group", "unit_key"),
        _C("period", "month", required=True),
        _C("role_group", "code", required=True, codes=ROLE_GROUP),
        _C("unit_key", "key"),
        _C("headcount", "number", required=True),
        _C("fte", "number", required=True),
        _C("worked_hours", "number", limits=(0, 10_000_000)),
        _C("vacancy_fte", "number"),
        _C("voluntary_separations", "count"),
    ),
    table(
        "activity_period",
        ("period", "unit_key"),
        _C("period", "month", required=True),
        _C("unit_key", "key"),
        _C("patient_days", "number", required=True),
        _C("admissions", "count"),
        _C("ed_visits", "count"),
        _C("calls_dispatched", "count"),
    ),
    table(
        "shift_staffing",
        ("unit_key", "shift_date", "shift"),
        _C("unit_key", "key", required=True),
        _C("shift_date", "date", required=True),
        _C("shift", "code", required=True, codes=SHIFT),
        _C("patients", "number", required=True, limits=(0, 1_000)),
        _C("rn_count", "number", required=True, limits=(0, 1_000)),
        _C("safe_ratio", "number", required=True, limits=(0, 100)),
        _C("acuity_required_hours", "number", limits=(0, 10_000)),
        _C("worked_hours", "number", limits=(0, 10_000)),
        _C("exception_approved_by_role", "code", codes=ROLE_GROUP),
    ),
    table(
        "peer_supporter",
        ("supporter_key",),
        _C("supporter_key", "key", required=True),
        _C("role_group", "code", required=True, codes=ROLE_GROUP),
        _C("unit_key", "key"),
        _C("trained_date", "date", required=True),
        _C("active_to", "date", may_lie_ahead=True),
        _C("trainer", "flag"),
    ),
    table(
        "intervention",
        ("label", "start_date"),
        _C("label", "plain", required=True, max_chars=40),
        _C("start_date", "date", required=True, may_lie_ahead=True),
        _C("kind", "code", required=True, codes=INTERVENTION_KIND),
        _C("scope", "code", required=True, codes=SCOPE),
    ),
)
