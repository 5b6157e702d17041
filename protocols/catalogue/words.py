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
    Proportion,
    Quantile,
    Rate,
    ReachedBy,
    Selection,
    ShareOfNeed,
    Tally,
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
    "self": "Self",
    "risk_quality_patient_safety": "Risk, quality or patient safety",
    "automatic_trigger": "Automatic trigger",
    "eap_occupational_health": "EAP or occupational health",
    "hotline_external": "External hotline",
}
_COLUMNS = {"highest_tier": "Tier {}"}


def cell_words(tally: Tally, cell: str) -> str:
    """A cell's name for a reader: `Tier 2`, `Automatic trigger`, `4 to 12 hours`, `Later than 720 hours, or never`."""
    if isinstance(tally.cells, DurationCells) and isinstance(tally.entry, OutcomeEntry):
        return _duration_words(tally.entry, cell)
    column = getattr(tally.cells, "column", "")
    if column in _COLUMNS:
        return _COLUMNS[column].format(cell)
    return _CELLS.get(cell, cell.replace("_", " ").capitalize())


def stratum_words(catalogue: Catalogue, measure: Measure, stratum: str) -> str:
    """The name of one row of a measure of several: a cell, a group of cells, a part of a panel, a role group."""
    if isinstance(measure.formula, Histogram):
        tally = catalogue.tally(measure.formula.tally)
        if stratum in tally.cell_names:
            return cell_words(tally, stratum)
    return _CELLS.get(stratum, stratum.replace("_", " ").capitalize())


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
            words = f"100 × {parts} ÷ {quoted_cells(catalogue, formula.denominator)} of {title}"
        case Histogram():
            words = f"100 × each cell ÷ all cells of {title}"
        case Quantile():
            share = f"{formula.probability * 100:.0f} %"
            words = f"the time by which {share} of the cases were over, from the life table of {title}"
        case ReachedBy():
            share = f"100 × the share of cases over within {formula.time} {_time_unit(catalogue.tally(formula.tally))}"
            words = f"{share}, from the life table of {title}"
        case ShareOfNeed():
            need = f"{formula.need_central * 100:.0f} % of {EXPOSURES[formula.exposure]}"
            band = f"{formula.need_low * 100:.0f} % to {formula.need_high * 100:.0f} %"
            words = f"100 × {title} ÷ ({need}; band {band})"
        case Context():
            words = f"mean over sites of {EXPOSURES[formula.exposure]}"
    return words


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
