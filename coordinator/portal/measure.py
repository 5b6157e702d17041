"""The page of one measure: its figure in a year, how the sites spread, years, trend and peer groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from protocols.catalogue.model import Catalogue, Context, Histogram, Measure, Panel, Rate, ShareOfNeed
from protocols.catalogue.words import DIRECTIONS, formula_words, stratum_words, unit_words
from protocols.look import drawings
from protocols.look.drawings import Drawing
from protocols.look.numbers import Figure, figure, narrower_without_noise, number
from protocols.publication.change import change
from protocols.publication.gate import GateRules
from protocols.publication.index import EVERYBODY, Rows, only
from protocols.publication.rows import BenchmarkRow, Status
from protocols.publication.words import (
    READING_NOTES,
    StatusWords,
    change_words,
    peer_group_words,
    percentile_words,
    period_words,
    sites_words,
    status_words,
)


@dataclass(frozen=True)
class Estimate:
    """A row of a table: a figure, or the words for why there is none."""

    label: str
    figure: Figure | None
    noise_sd: str
    sites: str
    held_back: StatusWords | None


@dataclass(frozen=True)
class Section:
    """A chart with the table that holds the same figures; without a drawing nothing in it is published."""

    title: str
    first_column: str
    drawing: Drawing | None
    estimates: tuple[Estimate, ...]
    caption: str
    note: str = ""
    long: bool = False
    interval_column: str = "95 % interval"


@dataclass(frozen=True)
class Matrix:
    """Cells of a histogram (rows) by years or peer groups (columns); columns without any figure are `held_back`."""

    title: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Estimate, ...]], ...]
    held_back: tuple[tuple[str, StatusWords], ...]


@dataclass(frozen=True)
class Definition:
    """What a measure is, in words. A `declared` measure is a public fact without noise; it `protects` nobody."""

    measure: Measure
    direction: str
    computed: str
    protects: tuple[str, ...]
    reading: str
    declared: bool


@dataclass(frozen=True)
class MeasurePage:
    """Everything that the page of a measure shows for `year`."""

    definition: Definition
    year: int
    years: tuple[int, ...]
    headline: Estimate | None
    change: str
    noise_share: str
    sections: tuple[Section, ...]
    matrices: tuple[Matrix, ...]


def definition(catalogue: Catalogue, measure: Measure) -> Definition:
    """The words of the catalogue about a measure."""
    return Definition(
        measure,
        DIRECTIONS[measure.direction],
        formula_words(catalogue, measure),
        tuple(unit_words(catalogue.tally(tally_id)) for tally_id in measure.tallies),
        READING_NOTES.get(measure.group, ""),
        isinstance(measure.formula, Context),
    )


def measure_page(rows: Rows, catalogue: Catalogue, measure: Measure, year: int) -> MeasurePage:
    """The page of a measure for `year`, one of the years of the publication."""
    told = definition(catalogue, measure)
    if isinstance(measure.formula, Histogram | Panel):
        return _parts_page(rows, told, catalogue, year)
    row = only(rows.year(measure.id, year))
    before = only(rows.year(measure.id, year - 1))
    gate = rows.publication.gate
    sections: list[Section | None] = [_years(rows, measure), _trend(rows, measure), _groups(rows, measure, year)]
    if told.declared:
        sections = [section and replace(section, interval_column="Rounding leaves") for section in sections]
    else:
        sections.insert(0, _peers(row, gate))
    return MeasurePage(
        definition=told,
        year=year,
        years=rows.years,
        headline=_estimate(f"{year}", row, gate),
        change="" if row is None or row.value is None else change_words(change(row, before), year - 1),
        noise_share=_noise_share(row, measure),
        sections=tuple(section for section in sections if section is not None),
        matrices=(),
    )


def _parts_page(rows: Rows, told: Definition, catalogue: Catalogue, year: int) -> MeasurePage:
    measure = told.measure
    found = rows.year(measure.id, year)
    gate = rows.publication.gate
    labels = [stratum_words(catalogue, measure, row.stratum) for row in found]
    places = drawings.places_of(found)
    estimates = tuple(_estimate(label, row, gate, places) for label, row in zip(labels, found, strict=True))
    shown = any(row.value is not None for row in found)
    shares = Section(
        f"Shares in {year}",
        "Share",
        drawings.cells(found, labels) if shown else None,
        estimates or (_estimate(f"{year}", None, gate),),
        f"{measure.title}, {year}: share of each cell in {measure.unit}, all sites",
    )
    parts = dict(zip((row.stratum for row in found), labels, strict=True))
    by_year = {f"{item}": rows.year(measure.id, item) for item in rows.years}
    by_group = {peer_group_words(group): rows.year(measure.id, year, group) for group in rows.groups(measure.id, year)}
    return MeasurePage(
        definition=told,
        year=year,
        years=rows.years,
        headline=None,
        change="",
        noise_share="",
        sections=(shares,),
        matrices=(
            _matrix("Years side by side", f"{measure.title} by year, {measure.unit}, all sites", parts, by_year, gate),
            _matrix("Peer groups", f"{measure.title} by peer group, {measure.unit}, {year}", parts, by_group, gate),
        ),
    )


def _peers(row: BenchmarkRow | None, gate: GateRules) -> Section | None:
    if row is None or row.value is None:
        return None
    if not row.percentiles:
        return Section("How the sites are spread", "", None, (), "", _spread_note(row, gate))
    places = drawings.places_of([row])
    estimates = [_estimate("All sites pooled", row, gate)]
    for item in sorted(row.percentiles, key=lambda percentile: percentile.level):
        shown = figure(item.value, item.lower, item.upper, row.unit, places)
        estimates.append(Estimate(percentile_words(item.level), shown, "", "", None))
    return Section(
        "How the sites are spread",
        "Estimate",
        drawings.peers(row),
        tuple(estimates),
        f"Pooled value and percentiles of the sites’ underlying values, {row.unit}",
        _spread_note(row, gate),
    )


def _spread_note(row: BenchmarkRow, gate: GateRules) -> str:
    words = []
    if not row.percentiles:
        words.append(
            f"Percentiles need at least {gate.percentile_sites} sites whose own figure stands out from the noise; "
            "here there are fewer."
        )
    if row.spread is not None:
        unit = "percentage points" if row.unit == "%" else row.unit
        sd = figure(row.spread.tau, row.spread.lower, row.spread.upper, unit)
        words.append(
            f"The sites differ by a standard deviation of {sd.sentence}, after chance and privacy noise have been "
            "taken out."
            if row.spread.tau > 0
            else f"The sites differ no more than chance and privacy noise would make them; a standard deviation "
            f"of {sd.interval} {unit} fits the figures."
        )
    return " ".join(words)


def _years(rows: Rows, measure: Measure) -> Section | None:
    series = rows.series(measure.id, "year")
    if not series:
        return None
    return Section(
        "Years side by side",
        "Year",
        drawings.years(series) if any(row.value is not None for row in series) else None,
        _estimates(series, rows.publication.gate),
        f"{measure.title} by year, {measure.unit}, all sites",
        "Which sites took part can differ between years, and with them the figures.",
    )


def _trend(rows: Rows, measure: Measure) -> Section | None:
    series = rows.trend(measure.id)
    if not series:
        return None
    return Section(
        f"{series[0].grain.capitalize()}s",
        series[0].grain.capitalize(),
        drawings.trend(series),
        _estimates(series, rows.publication.gate),
        f"{measure.title} by {series[0].grain}, {measure.unit}, all sites",
        _trend_note(measure, series[0].grain),
        long=True,
    )


def _trend_note(measure: Measure, grain: str) -> str:
    words = "The band is the 95 % interval of each period. The line is broken where nothing is published."
    if isinstance(measure.formula, Rate) and measure.formula.exposure == "headcount":
        words += f" A {grain} counts what happened in that {grain} and is not scaled up to a year."
    return words


def _groups(rows: Rows, measure: Measure, year: int) -> Section | None:
    gate = rows.publication.gate
    found = [only(rows.year(measure.id, year, group)) for group in rows.groups(measure.id, year)]
    groups = [row for row in found if row is not None]
    if not any(row.peer_group != EVERYBODY for row in groups):
        return None
    return Section(
        f"Peer groups in {year}",
        "Peer group",
        drawings.groups(groups) if any(row.value is not None for row in groups) else None,
        tuple(_estimate(peer_group_words(row.peer_group), row, gate, drawings.places_of(groups)) for row in groups),
        f"{measure.title} by peer group, {measure.unit}, {year}",
    )


def _estimates(series: Sequence[BenchmarkRow], gate: GateRules) -> tuple[Estimate, ...]:
    places = drawings.places_of(series)
    return tuple(_estimate(period_words(row), row, gate, places) for row in series)


def _estimate(label: str, row: BenchmarkRow | None, gate: GateRules, places: int | None = None) -> Estimate:
    if row is None:
        return Estimate(label, None, "", "", status_words(Status.NOT_RUN, gate))
    if row.value is None:
        return Estimate(label, None, "", sites_words(row.n_sites), status_words(row.status, gate))
    shown = drawings.figure_of(row, places)
    noise = number(row.noise_sd, places + 1 if places else 1) if row.noise_sd else "none"
    return Estimate(label, shown, noise, sites_words(row.n_sites), None)


def _matrix(
    title: str,
    caption: str,
    parts: Mapping[str, str],
    columns: dict[str, tuple[BenchmarkRow, ...]],
    gate: GateRules,
) -> Matrix:
    shown = {name: rows for name, rows in columns.items() if any(row.value is not None for row in rows)}
    held_back = [
        (name, status_words(rows[0].status if rows else Status.NOT_RUN, gate))
        for name, rows in columns.items()
        if name not in shown
    ]
    places = drawings.places_of([row for rows in shown.values() for row in rows])
    lines = []
    for stratum, label in parts.items():
        found = [next((row for row in rows if row.stratum == stratum), None) for rows in shown.values()]
        lines.append((label, tuple(_estimate("", row, gate, places) for row in found)))
    return Matrix(title, caption, tuple(shown), tuple(lines), tuple(held_back))


def _noise_share(row: BenchmarkRow | None, measure: Measure) -> str:
    """What the noise costs, in words; nothing where the interval also spans a band of assumptions."""
    if row is None or isinstance(measure.formula, ShareOfNeed):
        return ""
    if row.lower is None or row.upper is None or not row.noise_sd:
        return ""
    share = narrower_without_noise(row.lower, row.upper, row.noise_sd)
    return f"Without the privacy noise the interval would be about {share * 100:.0f} % narrower."
