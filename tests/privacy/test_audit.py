"""Does what leaves a node over a whole year keep the guarantee? And would we notice if it did not?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest

from node.measures.cases import cases
from node.measures.counting import Contributions, admit_cases
from privacy.mechanisms import noisy_counts
from protocols.catalogue.model import Tally
from protocols.v1 import leadline_pb2 as pb
from tests.privacy.audit import (
    YEAR,
    Ints,
    Pipeline,
    Year,
    hostile_exports,
    lane_tally,
    mu_lower,
    opendp_noise,
    plan_tables,
    rows,
)

CAP = 2
RHO = 500_000_000  # mu = 1: where a few thousand draws tell a broken mechanism from a sound one


def half_the_noise(counts: Ints, cap: int, rho_nano: int) -> Ints:
    return opendp_noise(counts, cap, 4 * rho_nano)


def sensitivity_one(counts: Ints, _cap: int, rho_nano: int) -> Ints:
    return opendp_noise(counts, 1, rho_nano)


def the_same_in_every_cell(counts: Ints, cap: int, rho_nano: int) -> Ints:
    return counts + opendp_noise(np.zeros(1, dtype=np.int64), cap, rho_nano)[0]


def seeded(counts: Ints, cap: int, rho_nano: int) -> Ints:
    sd = noisy_counts(counts[:0], cap, rho_nano).sigma_1024 / 1024
    return counts + np.rint(np.random.default_rng(7).normal(0, sd, len(counts))).astype(np.int64)


@cache
def _kept_noise(size: int, cap: int, rho_nano: int) -> tuple[int, ...]:
    return tuple(opendp_noise(np.zeros(size, dtype=np.int64), cap, rho_nano).tolist())


def cached(counts: Ints, cap: int, rho_nano: int) -> Ints:
    return counts + np.array(_kept_noise(len(counts), cap, rho_nano), dtype=np.int64)


def without_bound(tally: Tally) -> Tally:
    return tally.model_copy(update={"cap": 10**6})


def one_too_many(tally: Tally) -> Tally:
    return tally.model_copy(update={"cap": tally.cap + 1})


def without_empty_cells(values: Ints) -> Ints:
    return values[values != 0]


SOUND = Pipeline()


# One run, many canaries: each lane has a person of its own who is in the data with probability one half.


@cache
def canaries(lanes: int, cap: int) -> tuple[Year, np.ndarray]:
    present = np.random.default_rng(3).random(lanes) < 0.5
    people = np.flatnonzero(present)
    tables = plan_tables({pb.GRAIN_QUARTER: RHO // 2, pb.GRAIN_YEAR: RHO // 2})
    return Year(lane_tally(lanes, cap), tables, hostile_exports(people, people, cap + 1)), present


def canary_bound(pipeline: Pipeline, lanes: int = 3000, cap: int = CAP) -> float:
    year, present = canaries(lanes, cap)
    exact = year.exact(pipeline)
    scores = year.scores(exact, year.noised(pipeline, exact))
    return mu_lower(scores[~present], scores[present])


def test_one_run_with_3000_canaries_does_not_disprove_the_claim() -> None:
    year, _ = canaries(3000, CAP)
    assert year.claimed_mu == 1.0
    assert 0.2 < canary_bound(SOUND) <= year.claimed_mu  # the attack does find the canaries (0.4 to 0.8 in practice)


@pytest.mark.parametrize(
    "mutant",
    [
        Pipeline(noise=half_the_noise),
        Pipeline(noise=sensitivity_one),
        Pipeline(bounded=without_bound),
        Pipeline(remembers=False),
    ],
    ids=["half the noise", "sensitivity 1", "no bound", "no register"],
)
def test_one_run_disproves_the_claim_of_broken_pipelines(mutant: Pipeline) -> None:
    assert canary_bound(mutant) > 1.0


def test_one_run_disproves_a_cap_that_is_off_by_one() -> None:
    assert canary_bound(Pipeline(bounded=one_too_many), cap=1) > 1.0


# Two worlds: the same site with and without one person, released many times over.


@dataclass(frozen=True)
class Finding:
    """What the audit found; a sound release passes all four."""

    within_claim: bool
    fixed_keys: bool
    fresh: bool
    independent: bool


def worlds() -> tuple[Year, Year]:
    """A site of 30 people, and the same with one more who has rows without end in the first lane."""
    random = np.random.default_rng(5)
    everyday = [
        rows(random.integers(0, 30, 60), random.integers(0, 4, 60), random.integers(1, 13, 60), f"x{quarter}")
        for quarter in range(4)
    ]
    hostile = hostile_exports(np.array([999]), np.array([0]), 40)
    crowded = [pd.concat([base, extra], ignore_index=True) for base, extra in zip(everyday, hostile, strict=True)]
    tables = plan_tables({pb.GRAIN_QUARTER: RHO // 2, pb.GRAIN_YEAR: RHO // 2})
    tally = lane_tally(4, CAP)
    return Year(tally, tables, everyday), Year(tally, tables, crowded)


def audit(pipeline: Pipeline, runs: int = 150, attacks: int = 2000) -> Finding:
    without, with_person = worlds()
    exact = without.exact(pipeline)
    drawn = [without.noised(pipeline, exact) for _ in range(runs)]
    if {len(values) for values in drawn} != {sum(len(counts) for _, counts in exact)}:
        return Finding(within_claim=True, fixed_keys=False, fresh=True, independent=True)
    varied = np.array(drawn, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # noise that never varies has no correlation
        related = np.nan_to_num(np.abs(np.corrcoef(varied, rowvar=False) - np.eye(varied.shape[1])), nan=1.0)
    bound = mu_lower(without.attacked(pipeline, attacks), with_person.attacked(pipeline, attacks))
    return Finding(
        within_claim=bound <= without.claimed_mu,
        fixed_keys=True,
        fresh=len({values.tobytes() for values in drawn}) > 0.99 * runs,
        independent=bool(related.max() < 6.3 / np.sqrt(runs)),  # 190 pairs: false alarm 6e-8
    )


def test_two_worlds_do_not_disprove_the_claim() -> None:
    assert audit(SOUND) == Finding(within_claim=True, fixed_keys=True, fresh=True, independent=True)


@pytest.mark.parametrize(
    ("mutant", "attacks", "flag"),
    [
        (Pipeline(noise=half_the_noise), 1500, "within_claim"),
        (Pipeline(noise=sensitivity_one), 1500, "within_claim"),
        (Pipeline(bounded=without_bound), 300, "within_claim"),
        (Pipeline(remembers=False), 300, "within_claim"),
        (Pipeline(noise=the_same_in_every_cell), 4, "independent"),
        (Pipeline(noise=seeded), 4, "fresh"),
        (Pipeline(noise=cached), 4, "fresh"),
        (Pipeline(shows=without_empty_cells), 4, "fixed_keys"),
    ],
    ids=["half", "sensitivity 1", "no bound", "no register", "same", "seeded", "cached", "keys of the data"],
)
def test_two_worlds_disprove_broken_pipelines(mutant: Pipeline, attacks: int, flag: str) -> None:
    assert not getattr(audit(mutant, runs=60, attacks=attacks), flag)


# The exact difference that one person makes, over the whole year: what all the noise above relies on.


@pytest.mark.parametrize("cap", [1, 2, 5])
def test_whatever_the_exports_do_one_person_moves_a_table_by_at_most_the_cap(cap: int) -> None:
    for seed in range(5):
        random = np.random.default_rng(seed)
        others = [random_export(random, people=6, size=25) for _ in range(4)]
        own = [random_export(random, people=1, size=12).assign(person_key="target") for _ in range(4)]
        both = [pd.concat([a, b]).sample(frac=1, random_state=seed) for a, b in zip(others, own, strict=True)]
        tables = plan_tables(dict.fromkeys((pb.GRAIN_MONTH, pb.GRAIN_QUARTER, pb.GRAIN_YEAR), RHO))
        tally = lane_tally(3, cap)
        moved: dict[int, int] = {}
        without, with_person = (Year(tally, tables, exports).exact(SOUND) for exports in (others, both))
        for (table, before), (_, after) in zip(without, with_person, strict=True):
            assert (after >= before).all()  # nobody else's case gives way to this person's
            moved[table.grain] = moved.get(table.grain, 0) + int(np.abs(after - before).sum())
        assert set(moved.values()) == {min(cap, max(moved.values()))}


def random_export(random: np.random.Generator, people: int, size: int) -> pd.DataFrame:
    """Rows whose keys come again and again, on other days and in other lanes."""
    export = rows(random.integers(0, people, size), random.integers(0, 3, size), random.integers(1, 13, size), "unused")
    return export.assign(row_key=[f"r{number}" for number in random.integers(0, 15, size)])


def test_admission_has_no_randomness_of_its_own() -> None:
    export = random_export(np.random.default_rng(1), 6, 80)
    tally = lane_tally(3, CAP)
    admitted = [
        admit_cases(
            tally, cases(tally, export.sample(frac=1, random_state=shuffle)), Contributions.none(tally), YEAR, [1, 2, 3]
        )
        for shuffle in (1, 2)
    ]
    first, second = (set(map(tuple, found.frame[["unit_key", "row_key", "month"]].to_numpy())) for found in admitted)
    assert first == second
