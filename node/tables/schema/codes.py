"""The code lists of the canonical tables, by the words of the published lists where there are any."""

from __future__ import annotations

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
DUTY_ADJUSTMENT = ("none", "lighter_duties", "other_unit", "temporary_leave", "unknown")
CONTRIBUTING_FACTOR = (
    "staffing_ratio",
    "workload",
    "time_pressure_productivity",
    "fatigue_hours",
    "skill_mix",
    "communication_handoff",
    "equipment_design",
    "look_alike_packaging",
    "it_usability",
    "environment",
    "policy_absent_or_unworkable",
    "training",
    "supervision",
    "patient_factor",
    "other",
)
CLINICIAN_PRESENT = ("yes", "offered", "no")
INSTRUMENT = ("svest", "svest_r", "sops_2", "site")
SCORE = ("1", "2", "3", "4", "5")
MATURITY = ("0", "1", "2")
INTERVENTION_KIND = ("training", "staffing", "policy", "launch", "other")
SCOPE = ("site", "units", "roles")
