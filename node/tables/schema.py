"""The canonical tables: what each column is, which are required, and the code lists they draw on.

Kinds of columns and the pandas values they hold after import:

    key       keyed hash of a local identifier, 32 hex digits (str); the identifier itself is gone
    date      Timestamp at midnight, or NaT
    datetime  Timestamp, or NaT; a companion column `<name>_time_known` (bool) says whether the clock time is real
    time      Timedelta since midnight, or NaT
    code      one of `codes` (str), or None
    count     whole number (Int64) clipped to `limits`, or NA
    number    float clipped to `limits`, or NaN
    flag      True, False or NA (boolean)
    month     Timestamp at the first of the month
    plain     a short public code of the site's own (str), never about a person
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["key", "date", "datetime", "time", "code", "count", "number", "flag", "month", "plain"]

EVENT_CLASS = ("incident", "near_miss", "unsafe_condition")
EVENT_TYPE = (
    "blood_or_blood_product",
    "device_or_supply_incl_hit",
    "fall",
    "healthcare_associated_infection",
    "medication_or_other_substance",
    "perinatal",
    "pressure_ulcer",
    "surgery_or_anesthesia",
    "venous_thromboembolism",
    "other",
    "staff_safety",
    "workplace_violence",
)
HARM = ("death", "severe_harm", "moderate_harm", "mild_harm", "no_harm", "unknown")
HARM_SCALE = ("ahrq_v1.2", "ncc_merp", "nrls", "lfpse_physical", "local")
UNIT_TYPE = (
    "icu",
    "nicu_picu",
    "newborn",
    "oncology_transplant",
    "procedural",
    "diagnostic",
    "all_inpatient",
    "all_outpatient",
    "ward_medical_surgical",
    "labour_delivery",
    "emergency",
    "operating_room",
    "ems_prehospital",
    "other",
)
SHIFT = ("day", "evening", "night", "unknown")
ROLE_GROUP = (
    "nurse_midwife",
    "physician",
    "resident_trainee",
    "advanced_practice",
    "allied_health_pharmacy",
    "support_admin_other",
)
INVOLVEMENT = ("direct", "witness", "indirect", "leader")
EVENT_STATUS = ("open", "closed", "void")
BEHAVIOUR = ("human_error", "at_risk", "reckless", "undetermined", "not_reviewed")
RESPONSE = (
    "console",
    "coach",
    "system_fix_only",
    "education",
    "monitoring",
    "discipline",
    "termination",
    "report_to_board",
    "none",
)
STRENGTH = ("strong", "intermediate", "weak")
TRIGGER_KIND = ("event", "sign", "request")
REFERRAL_SOURCE = (
    "self",
    "colleague",
    "manager",
    "risk_quality_patient_safety",
    "automatic_trigger",
    "eap_occupational_health",
    "hotline_external",
    "other",
    "unknown",
)
EVENT_REASON = (
    "patient_death_expected",
    "patient_death_unexpected",
    "paediatric_or_maternal_death",
    "error_harm",
    "error_no_harm",
    "unexpected_outcome",
    "failed_resuscitation",
    "violence_aggression",
    "complaint_litigation",
    "moral_distress",
    "colleague_illness_death",
    "mass_event",
    "other",
)
ANSWER = ("accepted", "declined", "no_reply")
MODE = (
    "one_to_one_in_person",
    "one_to_one_phone",
    "one_to_one_video_text",
    "group_debrief",
    "leader_consult",
    "leaflet_only",
)
TIER = ("1", "2", "3")
RESOURCE = (
    "unit_manager",
    "unit_colleague",
    "peer_supporter",
    "patient_safety_or_risk",
    "chaplain",
    "social_work",
    "eap",
    "psychologist",
    "occupational_medicine",
    "psychiatry",
    "legal_claims_support",
    "external_helpline",
    "medical_board_helpline",
    "other",
)
OUTCOME = (
    "thriving",
    "surviving",
    "dropping_out",
    "transferred_unit",
    "left_organisation",
    "unknown",
    "open",
)


@dataclass(frozen=True)
class Column:
    """One column of a canonical table."""

    name: str
    kind: Kind
    required: bool = False
    codes: tuple[str, ...] = ()
    limits: tuple[float, float] = (0, 1_000_000)


@dataclass(frozen=True)
class Table:
    """A canonical table; rows with the same `identity` are versions of one row."""

    name: str
    identity: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column:
        """The column with this name; KeyError if there is none."""
        return {column.name: column for column in self.columns}[name]


def _table(name: str, identity: tuple[str, ...], *columns: Column) -> Table:
    return Table(name, identity, columns)


_C = Column

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _table(
            "unit",
            ("unit_key",),
            _C("unit_key", "key", required=True),
            _C("unit_type", "code", required=True, codes=UNIT_TYPE),
            _C("beds", "count", limits=(0, 5_000)),
        ),
        _table(
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
        _table(
            "activity_period",
            ("period", "unit_key"),
            _C("period", "month", required=True),
            _C("unit_key", "key"),
            _C("patient_days", "number", required=True),
            _C("admissions", "count"),
            _C("ed_visits", "count"),
            _C("calls_dispatched", "count"),
        ),
        _table(
            "safety_event",
            ("event_key",),
            _C("event_key", "key", required=True),
            _C("event_date", "date", required=True),
            _C("event_time", "time"),
            _C("reported_date", "date"),
            _C("event_class", "code", required=True, codes=EVENT_CLASS),
            _C("event_type", "code", required=True, codes=EVENT_TYPE),
            _C("harm", "code", required=True, codes=HARM),
            _C("harm_source_scale", "code", required=True, codes=HARM_SCALE),
            _C("unit_key", "key"),
            _C("shift", "code", codes=SHIFT),
            _C("jc_review_needed", "flag"),
            _C("trigger", "flag"),
            _C("source_system", "plain", required=True),
            _C("status", "code", required=True, codes=EVENT_STATUS),
            _C("modified_date", "datetime"),
        ),
        _table(
            "event_involvement",
            ("event_key", "person_key"),
            _C("event_key", "key", required=True),
            _C("person_key", "key", required=True),
            _C("role_group", "code", required=True, codes=ROLE_GROUP),
            _C("involvement", "code", codes=INVOLVEMENT),
        ),
        _table(
            "jc_review",
            ("event_key", "person_key"),
            _C("event_key", "key", required=True),
            _C("person_key", "key"),
            _C("role_group", "code", codes=ROLE_GROUP),
            _C("behaviour", "code", required=True, codes=BEHAVIOUR),
            _C("response", "code", required=True, codes=RESPONSE),
            _C("review_date", "date"),
        ),
        _table(
            "rca",
            ("rca_key", "event_key"),
            _C("rca_key", "key", required=True),
            _C("event_key", "key", required=True),
            _C("opened_date", "date"),
            _C("completed_date", "date"),
            _C("involved_staff_invited", "flag"),
        ),
        _table(
            "rca_action",
            ("rca_key", "action_no"),
            _C("rca_key", "key", required=True),
            _C("action_no", "plain", required=True),
            _C("strength", "code", required=True, codes=STRENGTH),
            _C("due_date", "date", required=True),
            _C("completed_date", "date"),
            _C("verified", "flag"),
        ),
        _table(
            "support_activation",
            ("activation_key",),
            _C("activation_key", "key", required=True),
            _C("event_key", "key"),
            _C("trigger_kind", "code", codes=TRIGGER_KIND),
            _C("activation_datetime", "datetime", required=True),
            _C("referral_source", "code", required=True, codes=REFERRAL_SOURCE),
            _C("event_reason", "code", required=True, codes=EVENT_REASON),
            _C("offered", "flag"),
            _C("response", "code", codes=ANSWER),
            _C("unit_key", "key"),
            _C("role_group", "code", required=True, codes=(*ROLE_GROUP, "group")),
        ),
        _table(
            "support_encounter",
            ("encounter_key", "person_key"),
            _C("encounter_key", "key", required=True),
            _C("activation_key", "key", required=True),
            _C("person_key", "key"),
            _C("encounter_date", "datetime", required=True),
            _C("mode", "code", required=True, codes=MODE),
            _C("tier", "code", required=True, codes=TIER),
            _C("support_resource", "code", codes=RESOURCE),
            _C("minutes", "count", limits=(0, 180)),
            _C("persons_in_group", "count", limits=(0, 40)),
            _C("supporter_key", "key"),
            _C("met_needs", "flag"),
            _C("safety_escalation", "flag"),
        ),
        _table(
            "support_episode",
            ("episode_key", "person_key"),
            _C("episode_key", "key", required=True),
            _C("person_key", "key"),
            _C("role_group", "code", codes=ROLE_GROUP),
            _C("unit_key", "key"),
            _C("event_date", "datetime", required=True),
            _C("first_contact_datetime", "datetime"),
            _C("highest_tier", "code", required=True, codes=TIER),
            _C("escalated_date", "date"),
            _C("tier3_first_date", "date"),
            _C("recovered_date", "date"),
            _C("last_contact_date", "date", required=True),
            _C("outcome", "code", required=True, codes=OUTCOME),
            _C("episode_number", "count"),
        ),
    )
}
