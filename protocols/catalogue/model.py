"""The catalogue's types. Everything is frozen, unknown keys are refused, and numbers are whole or decimal strings."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

ALL_CELL = "all"
BEYOND = "beyond"
CENSORED = "open "
UNKNOWN = "unknown"
ROLE_STRATUM = "role_group"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Condition(_Frozen):
    """Keep a row if `column` holds one of these codes."""

    column: str
    one_of: tuple[str, ...] = Field(min_length=1)


class DateEntry(_Frozen):
    """A row enters the period in which `column` plus `lag_days` falls; later facts about it are then complete."""

    kind: Literal["date"]
    column: str
    lag_days: int = Field(ge=0)


class OutcomeEntry(_Frozen):
    """A case enters once, when its follow-up ends: at `end` if within `horizon` of `start`, else at the horizon.

    `censor` names the column of the last contact for cases that are still open; without it they are simply beyond.
    """

    kind: Literal["outcome"]
    start: str
    end: str
    horizon: int = Field(gt=0)
    unit: Literal["hours", "days"]
    censor: str | None


Entry = Annotated[DateEntry | OutcomeEntry, Field(discriminator="kind")]


class OneCell(_Frozen):
    """A single count."""

    kind: Literal["one"]

    @property
    def names(self) -> tuple[str, ...]:
        """The cells, in order."""
        return (ALL_CELL,)


class CodeCells(_Frozen):
    """One cell per code of `column`; any other value falls into `other`."""

    kind: Literal["codes"]
    column: str
    codes: tuple[str, ...] = Field(min_length=1)
    other: str

    @property
    def names(self) -> tuple[str, ...]:
        """The cells, in order."""
        return self.codes

    @model_validator(mode="after")
    def _other_is_a_code(self) -> Self:
        if self.other not in self.codes or len(set(self.codes)) != len(self.codes):
            raise ValueError(f"codes must differ and hold the fallback {self.other!r}")
        return self


class DurationCells(_Frozen):
    """Bins between rising edges for what happened; for open cases `beyond`, after censored bins if there are any."""

    kind: Literal["duration"]
    edges: tuple[int, ...] = Field(min_length=2)

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins; a bin holds lower <= t < upper, the last one its upper edge too."""
        return tuple(f"{low}-{high}" for low, high in zip(self.edges, self.edges[1:], strict=False))

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if list(self.edges) != sorted(set(self.edges)) or self.edges[0] != 0:
            raise ValueError("edges must rise from 0")
        return self


Cells = Annotated[OneCell | CodeCells | DurationCells, Field(discriminator="kind")]


class Tally(_Frozen):
    """A vector of whole-number counts over public cells: the only thing that is ever noised and sent.

    `unit` is what the noise protects and `cap` how often one of it may count in a ledger year; `key` is the column
    that identifies it in the `view`.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,40}$")
    title: str
    view: str
    unit: Literal["clinician", "record"]
    key: str
    cap: int = Field(ge=1, le=20)
    where: tuple[Condition, ...]
    entry: Entry
    cells: Cells
    strata: dict[str, tuple[str, ...]]

    @property
    def cell_names(self) -> tuple[str, ...]:
        """The public list of cells, in the order in which they are released."""
        if not isinstance(self.cells, DurationCells):
            return self.cells.names
        open_bins: tuple[str, ...] = ()
        if isinstance(self.entry, OutcomeEntry) and self.entry.censor is not None:
            open_bins = tuple(CENSORED + name for name in self.cells.bins)
        return (*self.cells.bins, *open_bins, BEYOND)

    @model_validator(mode="after")
    def _strata_hold_everything(self) -> Self:
        for name, codes in self.strata.items():
            if codes[-1:] != (UNKNOWN,) or len(set(codes)) != len(codes):
                raise ValueError(f"tally {self.id}: the codes of {name} must differ and end with {UNKNOWN!r}")
        return self

    @model_validator(mode="after")
    def _durations_fit_the_horizon(self) -> Self:
        if isinstance(self.cells, DurationCells) and (
            not isinstance(self.entry, OutcomeEntry) or self.cells.edges[-1] != self.entry.horizon
        ):
            raise ValueError(f"tally {self.id}: duration cells need an outcome entry whose horizon is the last edge")
        return self


class Selection(_Frozen):
    """A sum over some cells of a tally."""

    tally: str
    cells: tuple[str, ...] = Field(min_length=1)


class Rate(_Frozen):
    """`per` x count / exposure."""

    kind: Literal["rate"]
    numerator: Selection
    exposure: Literal["headcount", "staff_years", "patient_days"]
    per: int = Field(gt=0)


class Proportion(_Frozen):
    """Share of some cells in more cells of the same tally, times `per`: a percentage unless it says otherwise."""

    kind: Literal["proportion"]
    numerator: Selection
    denominator: Selection
    per: int = Field(default=100, gt=0)

    @model_validator(mode="after")
    def _part_of_whole(self) -> Self:
        if self.numerator.tally != self.denominator.tally or not set(self.numerator.cells) <= set(
            self.denominator.cells
        ):
            raise ValueError("a proportion's numerator must be part of its denominator")
        return self


class Histogram(_Frozen):
    """Percentage of every cell of a tally, or of every group of cells; each is a row of its own.

    `groups` put several cells under one name; cells of no group count in no row and not in the whole.
    """

    kind: Literal["histogram"]
    tally: str
    groups: dict[str, tuple[str, ...]] | None = None

    @model_validator(mode="after")
    def _groups_are_apart(self) -> Self:
        cells = [cell for group in (self.groups or {}).values() for cell in group]
        if len(set(cells)) != len(cells):
            raise ValueError("a cell belongs to one group at most")
        return self


class Panel(_Frozen):
    """Several proportions that belong together, such as the dimensions of a survey; each is a row of its own."""

    kind: Literal["panel"]
    parts: dict[str, Proportion] = Field(min_length=1)


class WeightedRate(_Frozen):
    """`per` x sum of weight x count / (exposure x days of the period): a mean level over the period.

    `weights` are days per case, one for every cell of the tally.
    """

    kind: Literal["weighted_rate"]
    tally: str
    weights: dict[str, Decimal]
    exposure: Literal["headcount"]
    per: int = Field(gt=0)


class RoleRatio(_Frozen):
    """For each role group: (count / headcount) of the role over (count / headcount) of all; 1 is parity.

    The tally is asked by the stratum role_group, and sites declare their headcount by role.
    """

    kind: Literal["role_ratio"]
    tally: str


class Quantile(_Frozen):
    """The time by which a share `probability` of the cases was over, from the life table of a duration tally."""

    kind: Literal["quantile"]
    tally: str
    probability: Decimal = Field(gt=0, lt=1)


class ReachedBy(_Frozen):
    """Percentage of cases over by `time` (an edge of the tally's bins), from the life table, or its complement."""

    kind: Literal["reached_by"]
    tally: str
    time: int
    not_yet: bool = False


class ShareOfNeed(_Frozen):
    """Percentage of an estimated need: count / (exposure x prevalence), over the band of prevalences."""

    kind: Literal["share_of_need"]
    numerator: Selection
    exposure: Literal["headcount"]
    need_low: Decimal
    need_central: Decimal
    need_high: Decimal


class Context(_Frozen):
    """A public fact that sites declare: its mean over sites, and no noise."""

    kind: Literal["context"]
    exposure: Literal["headcount", "fte", "patient_days"]


Formula = Annotated[
    Rate | Proportion | Histogram | Panel | WeightedRate | RoleRatio | Quantile | ReachedBy | ShareOfNeed | Context,
    Field(discriminator="kind"),
]


class Publish(_Frozen):
    """How and when figures of a measure may be published.

    `modes`: "site" if sites may release it each for itself, else pooled only. `strata`: what it may be split by; empty
    means never with a split. `minimum_sites` raises the gate's minimum; `years`: how many ledger years are pooled.
    """

    modes: tuple[Literal["site", "pooled"], ...] = Field(min_length=1)
    strata: tuple[str, ...] = ()
    minimum_sites: int = Field(default=5, ge=5)
    years: Literal[1, 3] = 1


class Measure(_Frozen):
    """A programme figure: a formula over tallies, with the words and the literature that a reader needs."""

    id: str = Field(pattern=r"^[A-Z][0-9]{1,2}$")
    title: str
    group: str
    numerator_text: str
    denominator_text: str
    unit: str
    direction: Literal["higher_better", "lower_better", "neutral"]
    formula: Formula
    literature: str
    core: bool
    publish: Publish

    @property
    def tallies(self) -> tuple[str, ...]:
        """Ids of the tallies that the formula needs."""
        formula = self.formula
        if isinstance(formula, Panel):
            return tuple(dict.fromkeys(part.numerator.tally for part in formula.parts.values()))
        if isinstance(formula, Context):
            return ()
        if isinstance(formula, Rate | Proportion | ShareOfNeed):
            return (formula.numerator.tally,)
        return (formula.tally,)


class Catalogue(_Frozen):
    """The versioned list of tallies and measures."""

    schema_name: Literal["leadline.catalogue/1"] = Field(alias="schema")
    version: int = Field(ge=1)
    title: str
    ledger_year: Literal["calendar"]
    tallies: tuple[Tally, ...]
    measures: tuple[Measure, ...]

    def tally(self, tally_id: str) -> Tally:
        """The tally with this id; KeyError if there is none."""
        return {tally.id: tally for tally in self.tallies}[tally_id]

    def releasable(self, mode: Literal["site", "pooled"], measure_ids: Collection[str]) -> frozenset[str]:
        """The tallies that some of these measures need and that their `publish` lets sites release in this mode."""
        allowed = (m for m in self.measures if m.id in measure_ids and mode in m.publish.modes)
        return frozenset(tally for measure in allowed for tally in measure.tallies)

    def measure(self, measure_id: str) -> Measure:
        """The measure with this id; KeyError if there is none."""
        return {measure.id: measure for measure in self.measures}[measure_id]

    @model_validator(mode="after")
    def _ids_differ_and_formulas_resolve(self) -> Self:
        cells = {tally.id: set(tally.cell_names) for tally in self.tallies}
        if len(cells) != len(self.tallies) or len({m.id for m in self.measures}) != len(self.measures):
            raise ValueError("ids of tallies and measures must differ")
        for measure in self.measures:
            _check_formula(measure, cells, {tally.id: tally for tally in self.tallies})
        return self


def _check_formula(measure: Measure, cells: dict[str, set[str]], tallies: dict[str, Tally]) -> None:
    for tally_id in measure.tallies:
        if tally_id not in cells:
            raise ValueError(f"measure {measure.id}: there is no tally {tally_id!r}")
        unsplit = set(measure.publish.strata) - set(tallies[tally_id].strata)
        if unsplit:
            raise ValueError(f"measure {measure.id}: {tally_id} has no strata {sorted(unsplit)}")
    for selection in _selections(measure.formula):
        unknown = set(selection.cells) - cells[selection.tally]
        if unknown:
            raise ValueError(f"measure {measure.id}: {selection.tally} has no cells {sorted(unknown)}")
    match measure.formula:
        case WeightedRate(tally=tally_id, weights=weights):
            if set(weights) != cells[tally_id]:
                raise ValueError(f"measure {measure.id}: give one weight for every cell of {tally_id}")
        case RoleRatio(tally=tally_id):
            if ROLE_STRATUM not in tallies[tally_id].strata:
                raise ValueError(f"measure {measure.id}: {tally_id} has no strata [{ROLE_STRATUM!r}]")
        case Quantile(tally=tally_id) | ReachedBy(tally=tally_id):
            _check_life_table(measure, tallies[tally_id])


def _selections(formula: Formula) -> tuple[Selection, ...]:
    """The selections of cells that a formula names."""
    match formula:
        case Panel(parts=parts):
            return tuple(selection for part in parts.values() for selection in _selections(part))
        case Proportion(numerator=numerator, denominator=denominator):
            return (numerator, denominator)
        case Rate(numerator=numerator) | ShareOfNeed(numerator=numerator):
            return (numerator,)
        case Histogram(tally=tally_id, groups=groups) if groups is not None:
            return tuple(Selection(tally=tally_id, cells=cells) for cells in groups.values())
    return ()


def _check_life_table(measure: Measure, tally: Tally) -> None:
    bins = tally.cells
    if not isinstance(bins, DurationCells):
        raise ValueError(f"measure {measure.id}: {tally.id} is no duration tally")
    if isinstance(measure.formula, ReachedBy) and measure.formula.time not in bins.edges:
        raise ValueError(f"measure {measure.id}: {measure.formula.time} is no edge of {tally.id}")
