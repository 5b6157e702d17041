"""The catalogue in sentences, for pages and docs: what a formula computes, what noise protects, when a row enters."""

from __future__ import annotations

from protocols.catalogue.model import (
    BEYOND,
    CENSORED,
    Catalogue,
    Context,
    DateEntry,
    DurationCells,
    Histogram,
    Measure,
    OutcomeEntry,
    Panel,
    Proportion,
    Publish,
    Quantile,
    Rate,
    ReachedBy,
    RoleRatio,
    Selection,
    ShareOfNeed,
    Tally,
    WeightedRate,
)

DIRECTIONS = {
    "higher_better": "higher is better",
    "lower_better": "lower is better",
    "neutral": "no better or worse direction",
}
EXPOSURES = {
    "headcount": "average headcount",
    "fte": "average full-time equivalents",
    "staff_years": "staff-years",
    "patient_days": "patient-days",
}
_CELLS = {
    "nurse_midwife": "Nurses and midwives",
    "physician": "Physicians",
    "resident_trainee": "Residents and trainees",
    "advanced_practice": "Advanced practice",
    "allied_health_pharmacy": "Allied health and pharmacy",
    "support_admin_other": "Support, administration, other",
    "violence_aggression": "Violence or aggression",
    "complaint_litigation": "Complaint or litigation",
    "colleague_illness_death": "Illness or death of a colleague",
    "1": "Tier 1",
    "2": "Tier 2",
    "3": "Tier 3",
    "self": "Self",
    "risk_quality_patient_safety": "Risk, quality or patient safety",
    "automatic_trigger": "Automatic trigger",
    "eap_occupational_health": "EAP or occupational health",
    "hotline_external": "External hotline",
    "peer_then_professional": "Peer, then professional",
    "eap_only": "EAP only",
    "professional_self_efficacy": "Professional self-efficacy",
}
_COLUMNS = {"open_days": "{} days"}
_STRATA = {
    "role_group": "role group",
    "unit_type": "type of unit",
    "event_type": "type of event",
    "harm": "harm",
    "shift": "shift",
    "contact_form": "one-to-one or group",
}
_PUBLIC_MINIMUM = 5  # the gate's own, which every cell has to pass


def cell_words(tally: Tally, cell: str) -> str:
    """A cell's name for a reader: `Automatic trigger`, `4 to 12 hours`, `Later than 720 hours, or never`."""
    if isinstance(tally.cells, DurationCells) and isinstance(tally.entry, OutcomeEntry):
        return _duration_words(tally.entry, cell)
    column = getattr(tally.cells, "column", "")
    if column in _COLUMNS:
        return _COLUMNS[column].format(cell.replace("-", " to "))
    return _in_words(cell)


def _in_words(code: str) -> str:
    return _CELLS.get(code, code.replace("_", " ").capitalize())


def stratum_words(catalogue: Catalogue, measure: Measure, stratum: str) -> str:
    """The name of one row of a measure of several: a cell, a group of cells, a part of a panel, a role group."""
    if isinstance(measure.formula, Histogram):
        tally = catalogue.tally(measure.formula.tally)
        if stratum in tally.cell_names:
            return cell_words(tally, stratum)
    return _in_words(stratum)


def _duration_words(entry: OutcomeEntry, cell: str) -> str:
    if cell == BEYOND:
        return f"Later than {entry.horizon:,} {entry.unit}, or never"
    ends = cell.removeprefix(CENSORED).replace("-", " to ")
    open_case = " (still open at the last contact)" if cell.startswith(CENSORED) else ""
    return f"{ends} {entry.unit}{open_case}"


def formula_words(catalogue: Catalogue, measure: Measure) -> str:
    """How the figure is computed from tallies, in one line."""
    titles = [f"“{catalogue.tally(tally_id).title}”" for tally_id in measure.tallies]
    title = titles[0] if titles else ""
    formula = measure.formula
    match formula:
        case Rate():
            words = f"{formula.per:,} × {title} ÷ {EXPOSURES[formula.exposure]}"
        case Proportion():
            parts = quoted_cells(catalogue, formula.numerator)
            words = f"{formula.per:,} × {parts} ÷ {quoted_cells(catalogue, formula.denominator)} of {title}"
        case Histogram(groups=None):
            words = f"100 × each cell ÷ all cells of {title}"
        case Histogram():
            words = f"100 × each group of cells ÷ all groups of {title}: {_groups(catalogue, measure, formula)}"
        case Panel():
            names = ", ".join(f"“{stratum_words(catalogue, measure, part)}”" for part in formula.parts)
            words = f"for each of {names}: {_panel_words(catalogue, formula)}"
        case WeightedRate():
            weights = " + ".join(
                f"{weight} × “{cell_words(catalogue.tally(formula.tally), cell)}”"
                for cell, weight in formula.weights.items()
            )
            words = f"{formula.per:,} × ({weights}) of {title} ÷ ({EXPOSURES[formula.exposure]} × days of the period)"
        case RoleRatio():
            words = f"{title} ÷ headcount of each role group, over the same of all role groups together"
        case Quantile():
            share = f"{formula.probability * 100:.0f} %"
            words = f"the time by which {share} of the cases were over, from the life table of {title}"
        case ReachedBy():
            over = "not over" if formula.not_yet else "over"
            time = f"{formula.time} {_time_unit(catalogue.tally(formula.tally))}"
            words = f"100 × the share of cases {over} within {time}, from the life table of {title}"
        case ShareOfNeed():
            need = f"{formula.need_central * 100:.0f} % of {EXPOSURES[formula.exposure]}"
            band = f"{formula.need_low * 100:.0f} % to {formula.need_high * 100:.0f} %"
            words = f"100 × {title} ÷ ({need}; band {band})"
        case Context():
            words = f"mean over sites of {EXPOSURES[formula.exposure]}"
    return words


def _groups(catalogue: Catalogue, measure: Measure, formula: Histogram) -> str:
    """The groups of cells with what is in them."""
    parts = []
    for group, cells in (formula.groups or {}).items():
        selection = Selection(tally=formula.tally, cells=cells)
        parts.append(
            f"“{stratum_words(catalogue, measure, group)}” is {quoted_cells(catalogue, selection).strip('()')}"
        )
    return "; ".join(parts)


def _panel_words(catalogue: Catalogue, formula: Panel) -> str:
    """What every part of a panel computes; the parts differ only in their tally."""
    part = next(iter(formula.parts.values()))
    denominator = quoted_cells(catalogue, part.denominator)
    return f"{part.per:,} × {quoted_cells(catalogue, part.numerator)} ÷ {denominator} of its tally"


def publish_words(publish: Publish) -> str:
    """How and when figures may be published: `pooled only, from 10 sites; never split`."""
    words = "site or pooled" if "site" in publish.modes else "pooled only"
    if publish.minimum_sites > _PUBLIC_MINIMUM:
        words += f", from {publish.minimum_sites} sites"
    if publish.years > 1:
        words += f", over {publish.years} years"
    split = ", ".join(_STRATA.get(stratum, stratum) for stratum in publish.strata)
    return f"{words}; {f'may be split by {split}' if split else 'never split'}"


def quoted_cells(catalogue: Catalogue, selection: Selection) -> str:
    """The cells of a selection as a sum of quoted names, in brackets if there are several; or `all cells`."""
    tally = catalogue.tally(selection.tally)
    if selection.cells == tally.cell_names:
        return "all cells"
    names = [f"“{cell_words(tally, cell)}”" for cell in selection.cells]
    return names[0] if len(names) == 1 else f"({' + '.join(names)})"


def unit_words(tally: Tally) -> str:
    """What the noise protects, and how often one of it may count in a year."""
    what = "clinician" if tally.unit == "clinician" else tally.key.removesuffix("_key")
    times = "once" if tally.cap == 1 else f"{tally.cap} times"
    return f"one {what}, counted at most {times} a year"


def entry_words(tally: Tally) -> str:
    """When a row enters a period."""
    entry = tally.entry
    match entry:
        case DateEntry():
            delay = f", {entry.lag_days} days later" if entry.lag_days else ""
            return f"in the month of `{entry.column}`{delay}"
        case OutcomeEntry():
            end = f"when `{entry.end}` comes or {entry.horizon} {entry.unit} after `{entry.start}` have passed"
            return f"once, {end}"


def _time_unit(tally: Tally) -> str:
    return tally.entry.unit if isinstance(tally.entry, OutcomeEntry) else "days"
