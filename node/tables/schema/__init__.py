"""The canonical tables: what each column is, which are required, and the code lists they draw on."""

from __future__ import annotations

from node.tables.schema.codes import (
    ANSWER,
    BEHAVIOUR,
    CLINICIAN_PRESENT,
    CONTRIBUTING_FACTOR,
    DUTY_ADJUSTMENT,
    EVENT_CLASS,
    EVENT_REASON,
    EVENT_STATUS,
    EVENT_TYPE,
    HARM,
    HARM_SCALE,
    INSTRUMENT,
    INTERVENTION_KIND,
    INVOLVEMENT,
    MATURITY,
    MODE,
    OUTCOME,
    REFERRAL_SOURCE,
    RESOURCE,
    RESPONSE,
    ROLE_GROUP,
    SCOPE,
    SCORE,
    SHIFT,
    STRENGTH,
    TIER,
    TRIGGER_KIND,
    UNIT_TYPE,
)
from node.tables.schema.events import EVENT_TABLES
from node.tables.schema.model import Column, Kind, Table
from node.tables.schema.site import MATURITY_ITEMS, SITE_TABLES
from node.tables.schema.support import SUPPORT_TABLES, SURVEY_ITEMS

__all__ = [
    "ANSWER",
    "BEHAVIOUR",
    "CLINICIAN_PRESENT",
    "CONTRIBUTING_FACTOR",
    "DUTY_ADJUSTMENT",
    "EVENT_CLASS",
    "EVENT_REASON",
    "EVENT_STATUS",
    "EVENT_TYPE",
    "HARM",
    "HARM_SCALE",
    "INSTRUMENT",
    "INTERVENTION_KIND",
    "INVOLVEMENT",
    "MATURITY",
    "MATURITY_ITEMS",
    "MODE",
    "OUTCOME",
    "REFERRAL_SOURCE",
    "RESOURCE",
    "RESPONSE",
    "ROLE_GROUP",
    "SCOPE",
    "SCORE",
    "SHIFT",
    "STRENGTH",
    "SURVEY_ITEMS",
    "TABLES",
    "TIER",
    "TRIGGER_KIND",
    "UNIT_TYPE",
    "Column",
    "Kind",
    "Table",
]

TABLES: dict[str, Table] = {table.name: table for table in (*SITE_TABLES, *EVENT_TABLES, *SUPPORT_TABLES)}
"""Every canonical table by name, in the order in which an import fills them."""
