"""Tables about support: activations, encounters and episodes; and the surveys of staff."""

from __future__ import annotations

from node.tables.schema.codes import (
    ANSWER,
    DUTY_ADJUSTMENT,
    EVENT_REASON,
    INSTRUMENT,
    MODE,
    OUTCOME,
    REFERRAL_SOURCE,
    RESOURCE,
    ROLE_GROUP,
    SCORE,
    TIER,
    TRIGGER_KIND,
)
from node.tables.schema.model import Column, Table, table

_C = Column

SURVEY_ITEMS = tuple(f"item_{number:02}" for number in range(1, 36))
"""The 35 items of the SVEST-R, in the order of the instrument; 1 strongly disagree to 5 strongly agree."""

SUPPORT_TABLES: tuple[Table, ...] = (
    table(
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
    table(
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
    table(
        "support_episode",
        ("episode_key", "person_key"),
        _C("episode_key", "key", required=True),
        _C("person_key", "key"),
        _C("activation_key", "key"),
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
        _C("duty_adjustment", "code", codes=DUTY_ADJUSTMENT),
        _C("episode_number", "count"),
    ),
    table(
        "survey_wave",
        ("wave_key",),
        _C("wave_key", "key", required=True),
        _C("instrument", "code", required=True, codes=INSTRUMENT),
        _C("opened", "date", required=True),
        _C("closed", "date", required=True, may_lie_ahead=True),
        _C("invited", "count", required=True),
    ),
    table(
        "survey_response",
        ("wave_key", "respondent_key"),
        _C("wave_key", "key", required=True),
        _C("respondent_key", "key", required=True),
        _C("role_group", "code", codes=ROLE_GROUP),
        *(_C(item, "code", codes=SCORE) for item in SURVEY_ITEMS),
        _C("aware", "flag"),
        _C("sv_12m", "flag"),
        _C("sv_career", "flag"),
    ),
)
