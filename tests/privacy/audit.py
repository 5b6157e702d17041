"""An empirical privacy audit of a whole ledger year: exports, admission, counting, noise, as a node runs them.

A lower bound on the Gaussian-DP parameter mu is read off the scores of an attacker who knows everything but whether
one person is in the data. rho-zCDP by Gaussian noise is mu-GDP with mu = sqrt(2 rho) (Dong, Roth and Su 2022), so a
bound above that disproves the claim. Every check raises a false alarm at most once in a million runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta, norm

from node.measures.cases import cases
from node.measures.counting import Contributions, admit_cases, count_slice
from privacy.mechanisms import noisy_counts
from protocols.catalogue.model import CodeCells, DateEntry, Tally
from protocols.v1 import leadline_pb2 as pb

YEAR = 2024
FALSE_ALARM = 1e-6
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Noise = Callable[[Ints, int, int], Ints]
Exports = Sequence[pd.DataFrame]


def opendp_noise(counts: Ints, cap: int, rho_nano: int) -> Ints:
    return noisy_counts(counts, cap, rho_nano).values


@dataclass(frozen=True)
class Pipeline:
    """The production path. The defaults are what a node runs; a mutant replaces one of them."""

    noise: Noise = opendp_noise
    bounded: Callable[[Tally], Tally] = lambda tally: tally
    remembers: bool = True
    shows: Callable[[Ints], Ints] = lambda values: values


@dataclass(frozen=True)
class Year:
    """The view over each quarter's export, and the plan's tables for one tally."""

    tally: Tally
    tables: tuple[pb.Table, ...]
    exports: Exports

    @property
    def rho_nano(self) -> int:
        return sum(table.rho_nano for table in self.tables)

    @property
    def claimed_mu(self) -> float:
        return math.sqrt(2 * self.rho_nano / 10**9)

    def exact(self, pipeline: Pipeline) -> list[tuple[pb.Table, Ints]]:
        """Exact values of every table of every slice, in the sequence of their release (no randomness so far)."""
        released = []
        tally, nothing = pipeline.bounded(self.tally), Contributions.none(self.tally)
        counted = nothing
        for quarter, export in enumerate(self.exports, start=1):
            months = range(3 * quarter - 2, 3 * quarter + 1)
            before = counted if pipeline.remembers else nothing
            counted = counted.joined(admit_cases(tally, cases(tally, export), before, YEAR, months))
            for table in self.tables:
                values = count_slice(tally, table, counted, quarter)
                if values.size:
                    released.append((table, values))
        return released

    def noised(self, pipeline: Pipeline, exact: list[tuple[pb.Table, Ints]]) -> Ints:
        """One year of releases, end to end."""
        parts = [pipeline.shows(pipeline.noise(values, self.tally.cap, table.rho_nano)) for table, values in exact]
        return np.concatenate(parts)

    def attacked(self, pipeline: Pipeline, runs: int) -> Floats:
        """Scores of the first lane over so many years of releases, drawn as one long vector per slice for speed."""
        exact = [(table, np.tile(counts, runs)) for table, counts in self.exact(pipeline)]
        values = self.noised(pipeline, exact)
        ends = np.cumsum([len(counts) for _, counts in exact])[:-1]
        by_run = np.hstack([part.reshape(runs, -1) for part in np.split(values, ends)])
        one_run = [(table, counts[: len(counts) // runs]) for table, counts in exact]
        return np.array([self.scores(one_run, run)[0] for run in by_run])

    def scores(self, exact: list[tuple[pb.Table, Ints]], values: Ints) -> Floats:
        """For each lane, the best attack on a person whose cases are all of February: a matched filter."""
        total, at = np.zeros(len(self.tally.cell_names)), 0
        seen: list[pb.Table] = []
        for table, counts in exact:
            if table not in seen:  # the slice in which the period closes that holds February
                periods = values[at : at + len(counts)].reshape(-1, len(total))
                total += table.rho_nano / self.rho_nano * periods[1 if table.grain == pb.GRAIN_MONTH else 0]
                seen.append(table)
            at += len(counts)
        return total


def lane_tally(cells: int, cap: int) -> Tally:
    """Rows of the view by `lane`: as many public cells as one likes."""
    codes = tuple(f"lane {number}" for number in range(cells))
    return Tally(
        id="lanes",
        title="Rows by lane",
        view="rows",
        unit="clinician",
        key="person_key",
        cap=cap,
        where=(),
        entry=DateEntry(kind="date", column="recorded_date", lag_days=0),
        cells=CodeCells(kind="codes", column="lane", codes=codes, other=codes[-1]),
        strata={},
    )


def plan_tables(shares: Mapping[int, int]) -> tuple[pb.Table, ...]:
    """Tables by cell, with the nano-rho of each grain."""
    return tuple(pb.Table(grain=grain, by_cell=True, rho_nano=rho) for grain, rho in shares.items())


def rows(people: NDArray[np.int64], lanes: NDArray[np.int64], months: NDArray[np.int64], label: str) -> pd.DataFrame:
    """A view: one row per entry, each on its own day of its month."""
    names = np.char.mod(f"{label}-%d", np.arange(len(people)))
    dates = pd.to_datetime({"year": YEAR, "month": months, "day": 1 + np.arange(len(people)) % 28})
    return pd.DataFrame(
        {
            "person_key": pd.Series(np.char.mod("p%d", people), dtype=object),
            "lane": pd.Series(np.char.mod("lane %d", lanes), dtype=object),
            "recorded_date": dates,
            "row_key": pd.Series(names, dtype=object),
        }
    )


def hostile_exports(people: Ints, lanes: Ints, per_quarter: int) -> list[pd.DataFrame]:
    """What four exports may hold of people who are to count too often.

    The first quarter's rows come again in every later export: as they were, relabelled with new keys, reversed,
    repeated, moved to later months.
    """

    def block(month: int, label: str) -> pd.DataFrame:
        everyone, cells = np.repeat(people, per_quarter), np.repeat(lanes, per_quarter)
        return rows(everyone, cells, np.full(len(everyone), month), label)

    first = block(2, "a")
    moved = first.assign(recorded_date=first["recorded_date"] + pd.DateOffset(months=6))
    return [
        first,
        pd.concat([block(5, "b"), first.iloc[::-1]], ignore_index=True),
        pd.concat([moved, moved, block(9, "c"), block(2, "late")], ignore_index=True),
        pd.concat([block(11, "d").iloc[::-1], block(12, "e"), first], ignore_index=True),
    ]


def upper(successes: int, trials: int, alarm: float) -> float:
    """Clopper-Pearson upper limit of a probability."""
    return 1.0 if successes == trials else float(beta.ppf(1 - alarm, successes + 1, trials - successes))


def mu_lower(without: Floats, with_person: Floats, alarm: float = FALSE_ALARM) -> float:
    """Lower confidence limit of mu: threshold chosen on the first halves of the scores, judged on the second."""
    half = min(len(without), len(with_person)) // 2
    candidates = np.quantile(np.r_[without[:half], with_person[:half]], np.linspace(0.05, 0.95, 37))
    false_positive = np.mean(without[:half, None] > candidates, axis=0)
    false_negative = np.mean(with_person[:half, None] <= candidates, axis=0)
    spread = (false_positive * (1 - false_positive) + false_negative * (1 - false_negative)) / half
    threshold = candidates[np.argmax(1 - false_positive - false_negative - 2 * np.sqrt(spread + 1e-9))]
    rest, rest_with = without[half:], with_person[half:]
    worst_positive = upper(int((rest > threshold).sum()), len(rest), alarm / 2)
    worst_negative = upper(int((rest_with <= threshold).sum()), len(rest_with), alarm / 2)
    if worst_positive >= 1 or worst_negative >= 1:
        return 0.0
    return max(0.0, float(norm.ppf(1 - worst_positive) - norm.ppf(worst_negative)))
