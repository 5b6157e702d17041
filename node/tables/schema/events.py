"""Tables about safety events: who was involved, why it happened, how it was judged, and what was done about it."""

from __future__ import annotations

from node.tables.schema.codes import (
    BEHAVIOUR,
    CLINICIAN_PRESENT,
    CONTRIBUTING_FACTOR,
    EVENT_CLASS,
    EVENT_STATUS,
    EVENT_TYPE,
    HARM,
    HARM_SCALE,
    INVOLVEMENT,
    RESPONSE,
    ROLE_GROUP,
    SHIFT,
    STRENGTH,
)
from node.tables.schema.model import Column, Table, table

_C = Column

EVENT_TABLES: tuple[Table, ...] = (
    table(
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
    table(
        "event_involvement",
        ("event_key", "person_key"),
        _C("event_key", "key", required=True),
        _C("person_key", "key", required=True),
        _C("role_group", "code", required=True, codes=ROLE_GROUP),
        _C("involvement", "code", codes=INVOLVEMENT),
    ),
    table(
        "contributing_factor",
        ("event_key", "factor"),
        _C("event_key", "key", required=True),
        _C("factor", "code", required=True, codes=CONTRIBUTING_FACTOR),
    ),
    table(
        "jc_review",
        ("event_key", "person_key"),
        _C("event_key", "key", required=True),
        _C("person_key", "key"),
        _C("role_group", "code", codes=ROLE_GROUP),
        _C("behaviour", "code", required=True, codes=BEHAVIOUR),
        _C("response", "code", required=True, codes=RESPONSE),
        _C("review_date", "date"),
    ),
    table(
        "rca",
        ("rca_key", "event_key"),
        _C("rca_key", "key", required=True),
        _C("event_key", "key", required=True),
        _C("opened_date", "date"),
        _C("completed_date", "date"),
        _C("involved_staff_invited", "flag"),
    ),
    table(
        "rca_action",
        ("rca_key", "action_no"),
        _C("rca_key", "key", required=True),
        _C("action_no", "plain", required=True, max_chars=12),
        # A mapping may name a column of action types instead: each type of the RCA2 hierarchy has one strength.
        _C("strength", "code", required=True, codes=STRENGTH),
        _C("due_date", "date", required=True, may_lie_ahead=True),
        _C("completed_date", "date"),
        _C("verified", "flag"),
    ),
    table(
        "debrief",
        ("debrief_key",),
        _C("debrief_key", "key", required=True),
        _C("debrief_date", "date", required=True),
        _C("event_key", "key"),
        _C("participants", "count", required=True, limits=(0, 40)),
        _C("minutes", "count", limits=(0, 480)),
        _C("lesson_shared", "flag"),
    ),
    table(
        "disclosure",
        ("event_key", "disclosure_date"),
        _C("event_key", "key", required=True),
        _C("disclosure_date", "date", required=True),
        _C("clinician_present", "code", required=True, codes=CLINICIAN_PRESENT),
    ),
)
