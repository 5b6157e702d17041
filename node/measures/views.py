"""Views: the canonical tables joined into the rows that tallies count, with a fixed vocabulary of columns.

Every view has `row_key` (stable identity of a row, for admission) and `recorded_date` (the day on which the site came
to know of it, the day that counts for late entries). Yes/no columns hold "yes" or "no", and nothing where the question
does not arise. A catalogue may use any column named here or in `node/tables/schema` for the view's table.

    events        safety_event, not void: + serious, trigger, offered, supported, fix_date, needs_review, reviewed,
                  factors_coded, staffing_cited, lesson_shared_in_time, unit_type
    involvements  event_involvement of those events: + trigger, serious, harm, event_type, unit_type, repeat
    reviews       jc_review: + matched, punitive, system_fix, and the event's harm, event_type and unit_type
    rcas          completed rca: + best_strength, event_type
    actions       rca_action of those events: + event_key, on_time
    debriefs      debrief: + unit_type of the event
    activations   support_activation: + reason, unit_type
    encounters    support_encounter, support only: + needs_met, reinforced, contact_form, and role_group, unit_type,
                  event_reason, referral_source of the activation
    episodes      support_episode: + event_datetime, contact_timed, path, closed_date, trajectory, left, unit_type
    open_years    one row per clinician and calendar year inside a support_episode: open_days, year_end, role_group
    shifts        shift_staffing: + shift_key, over_line, unit_type
    answers       survey_response of closed waves: + year_end, knows_programme, second_victim, agrees_<dimension>
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from node.measures.events import (
    actions_view,
    debriefs_view,
    events_view,
    involvements_view,
    rcas_view,
    reviews_view,
)
from node.measures.joins import Frame, Tables
from node.measures.staffing import shifts_view
from node.measures.support import activations_view, encounters_view, episodes_view, open_years_view
from node.measures.surveys import answers_view

# What a site must export for a view, and for columns of it that come from other tables.
TABLES_BEHIND_VIEW: Mapping[str, frozenset[str]] = {
    "events": frozenset({"safety_event"}),
    "involvements": frozenset({"safety_event", "event_involvement"}),
    "reviews": frozenset({"safety_event", "jc_review"}),
    "rcas": frozenset({"safety_event", "rca"}),
    "actions": frozenset({"safety_event", "rca", "rca_action"}),
    "debriefs": frozenset({"debrief"}),
    "activations": frozenset({"support_activation"}),
    "encounters": frozenset({"support_encounter"}),
    "episodes": frozenset({"support_episode"}),
    "open_years": frozenset({"support_episode"}),
    "shifts": frozenset({"shift_staffing"}),
    "answers": frozenset({"survey_wave", "survey_response"}),
}
TABLES_BEHIND_COLUMN: Mapping[str, frozenset[str]] = {
    "offered": frozenset({"support_activation"}),
    "supported": frozenset({"support_activation", "support_encounter"}),
    "fix_date": frozenset({"rca", "rca_action"}),
    "reviewed": frozenset({"jc_review"}),
    "factors_coded": frozenset({"contributing_factor"}),
    "staffing_cited": frozenset({"contributing_factor"}),
    "lesson_shared_in_time": frozenset({"debrief"}),
    "system_fix": frozenset({"rca", "rca_action"}),
    "best_strength": frozenset({"rca_action"}),
    "path": frozenset({"support_encounter"}),
    "unit_type": frozenset({"unit"}),
}
ONLY_EXPORTED: frozenset[str] = frozenset({"recovered_date", "closed_date", "trajectory", "left", "open_days"})
"""Columns of episodes that mean nothing where the episodes were derived: then nobody is known to have recovered."""


def build_views(tables: Tables) -> dict[str, Frame]:
    """All views over one site's canonical tables."""
    events = events_view(tables)
    builders: dict[str, Callable[[Tables, Frame], Frame]] = {
        "involvements": involvements_view,
        "reviews": reviews_view,
        "rcas": rcas_view,
        "actions": actions_view,
        "debriefs": debriefs_view,
        "activations": activations_view,
        "encounters": encounters_view,
        "episodes": episodes_view,
        "open_years": open_years_view,
        "shifts": shifts_view,
        "answers": answers_view,
    }
    return {"events": events} | {name: build(tables, events) for name, build in builders.items()}
