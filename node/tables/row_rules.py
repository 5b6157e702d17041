"""Rules that look at one row of a table at a time, after its columns were read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from node.tables.codes import CLASS_MARK
from node.tables.distinct import by_distinct
from node.tables.draft import Draft

SWAP_WITHIN_DAYS = 31  # most reports are made within a month, so a longer delay does not speak for a swap

TIER_OF_RESOURCE = {
    "unit_manager": "1",
    "unit_colleague": "1",
    "peer_supporter": "2",
    "patient_safety_or_risk": "2",
    "chaplain": "3",
    "social_work": "3",
    "eap": "3",
    "psychologist": "3",
    "occupational_medicine": "3",
    "psychiatry": "3",
}
"""Tier by resource; helplines and legal support belong to no tier by themselves."""

_PROFESSIONAL = tuple(resource for resource, tier in TIER_OF_RESOURCE.items() if tier == "3")


def apply_row_rules(draft: Draft, today: date) -> None:
    """Apply the rules of the draft's table, in a fixed order."""
    for rule in _RULES_OF_TABLE.get(draft.table.name, ()):
        rule(draft)
    if draft.table.name == "safety_event":
        # Last, because an exchange of day and month may have explained a date that seemed to lie ahead.
        draft.apply("future_date", draft.frame["event_date"] > pd.Timestamp(today), "event_date")


def _harm_that_is_class(draft: Draft) -> None:
    harm = draft.frame["harm"]
    named = harm.str.startswith(CLASS_MARK).fillna(False).astype(bool)
    if not named.any():
        return
    draft.apply("harm_is_class", named, "harm")
    draft.frame["event_class"] = draft.frame["event_class"].mask(named, harm.str.removeprefix(CLASS_MARK))
    draft.frame["harm"] = harm.mask(named, "no_harm")


def _event_not_after_report(draft: Draft) -> None:
    event, report = draft.frame["event_date"], draft.frame["reported_date"]
    late = event > report
    if not late.any():
        return
    swapped = exchange_day_and_month(event)
    delay_days = (report - swapped).dt.days
    explained = late & delay_days.between(0, SWAP_WITHIN_DAYS)
    draft.apply("event_day_month_swapped", explained, "event_date")
    draft.frame["event_date"] = event.mask(explained, swapped)
    draft.apply("event_after_report", late & ~explained, "event_date")


def exchange_day_and_month(dates: pd.Series[pd.Timestamp]) -> pd.Series[pd.Timestamp]:
    """2024-12-05 for 2024-05-12; missing where the day is no month."""
    parts = {"year": dates.dt.year, "month": dates.dt.day, "day": dates.dt.month}
    swapped = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
    return swapped.astype(dates.dtype)


def _no_leaflets(draft: Draft) -> None:
    draft.apply("leaflet_only", draft.frame["mode"].eq("leaflet_only"), "mode")


def _tier_of_professionals(draft: Draft) -> None:
    tier, resource = draft.frame["tier"], draft.frame["support_resource"]
    derived = by_distinct(resource, TIER_OF_RESOURCE.get)
    supplied = tier.isna() & derived.notna()
    draft.apply("tier_from_resource", supplied, "tier")
    raised = resource.isin(_PROFESSIONAL) & tier.notna() & tier.ne("3")
    draft.apply("professional_is_tier_3", raised, "tier")
    draft.frame["tier"] = tier.mask(supplied, derived).mask(raised, "3")


def _recovery_not_before_event(draft: Draft) -> None:
    event = draft.frame["event_date"].dt.normalize()
    early = draft.frame["recovered_date"] < event
    draft.apply("recovered_before_event", early, "recovered_date")
    draft.frame["recovered_date"] = draft.frame["recovered_date"].mask(early)


_RULES_OF_TABLE: dict[str, tuple[Callable[[Draft], None], ...]] = {
    "safety_event": (_harm_that_is_class, _event_not_after_report),
    "support_encounter": (_no_leaflets, _tier_of_professionals),
    "support_episode": (_recovery_not_before_event,),
}


def require_values(draft: Draft) -> None:
    """Quarantine the rows that still lack a required value, once all other rules had their turn."""
    draft.settle_doubts()
    for column in draft.table.columns:
        if column.required:
            draft.apply("required_missing", np.asarray(draft.frame[column.name].isna()), column.name)
