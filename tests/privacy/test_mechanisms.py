from __future__ import annotations

import multiprocessing

import numpy as np
import pytest
from numpy.typing import NDArray

from privacy import mechanisms
from privacy.accountant import MAX_RHO_NANO
from privacy.mechanisms import (
    COUNT_LIMIT,
    MechanismError,
    chi_square_z,
    discrete_gaussian_pmf,
    noisy_counts,
    sampler_is_sound,
)

ALARM = 5.0  # one-sided: a sound sampler passes all but once in 3.5 million
HALF = 500_000_000  # rho 0.5: noise SD = cap
Draws = NDArray[np.int64]


def our_draws(size: int, sigma: int) -> Draws:
    noisy = noisy_counts(np.zeros(size, dtype=np.int64), sigma, HALF)
    assert noisy.sigma_1024 == 1024 * sigma
    return noisy.values


def exact_draws(size: int, sigma: float, seed: int) -> Draws:
    reach = int(12 * sigma)
    pmf = discrete_gaussian_pmf(sigma, reach)
    return np.random.default_rng(seed).choice(np.arange(-reach, reach + 1), size, p=pmf)


def test_our_noise_is_the_discrete_gaussian() -> None:
    for sigma in (1, 3, 8):
        assert chi_square_z(our_draws(20_000, sigma), sigma) < ALARM


def rounded_normal(size: int, sigma: float, seed: int) -> Draws:
    return np.rint(np.random.default_rng(seed).normal(0, sigma, size)).astype(np.int64)


def discrete_laplace(size: int, seed: int) -> Draws:
    """Of variance 9, as the discrete Gaussian of sigma 3 has."""
    random = np.random.default_rng(seed)
    share = 1 - np.exp(-np.sqrt(2) / 3)
    return random.geometric(share, size) - random.geometric(share, size)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("name", "size"),
    [("too small", 20_000), ("too large", 20_000), ("laplace", 20_000), ("rounded normal", 100_000), ("cut", 20_000)],
)
def test_the_chi_square_flags_other_noise(name: str, size: int, seed: int) -> None:
    draws = {
        "too small": lambda: exact_draws(size, 2.7, seed),
        "too large": lambda: exact_draws(size, 3.3, seed),
        "laplace": lambda: discrete_laplace(size, seed),
        "rounded normal": lambda: rounded_normal(size, 3.15, seed),
        "cut": lambda: np.clip(exact_draws(size, 3.0, seed), -8, 8),
    }[name]()
    assert chi_square_z(draws, 3.0) > ALARM


def test_the_chi_square_is_a_normal_deviate_for_the_right_noise() -> None:
    deviates = np.array([chi_square_z(exact_draws(4_000, 3.0, seed), 3.0) for seed in range(300)])
    assert abs(deviates.mean()) < 0.3
    assert 0.8 < deviates.std() < 1.2


def test_the_pmf_is_the_definition() -> None:
    pmf = discrete_gaussian_pmf(1.5, 20)
    assert pmf.sum() == pytest.approx(1)
    assert pmf[20 + 3] / pmf[20] == pytest.approx(np.exp(-9 / (2 * 1.5**2)))
    assert np.array_equal(pmf, pmf[::-1])


def test_the_start_up_check_passes_and_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sampler_is_sound()
    sound = mechanisms._draw
    for factor in (0.9, 1.1):
        monkeypatch.setattr(mechanisms, "_draw", lambda counts, scale, *_, f=factor: sound(counts, f * scale, 1.0, 9.0))
        assert not sampler_is_sound()


def test_with_a_boundless_budget_the_counts_come_back() -> None:
    counts = np.array([0, 1, -7, 12, COUNT_LIMIT - 1, 1 - COUNT_LIMIT], dtype=np.int64)
    noisy = noisy_counts(counts, 1, MAX_RHO_NANO)  # SD 0.071: noise other than 0 has probability 1e-43
    assert noisy.values.tolist() == counts.tolist()
    assert noisy.values.dtype == np.int64


def test_values_are_signed_and_the_input_is_left_alone() -> None:
    counts = np.arange(2_000, dtype=np.int64)[::-2] * 0
    noisy = noisy_counts(counts, 2, HALF)
    assert noisy.values.min() < 0 < noisy.values.max()
    assert not counts.any()


def test_no_cells_no_draw() -> None:
    noisy = noisy_counts(np.zeros(0, dtype=np.int64), 3, HALF)
    assert noisy.values.size == 0
    assert noisy.sigma_1024 == 3 * 1024


@pytest.mark.parametrize(
    "counts",
    [
        np.zeros(3, dtype=np.int32),
        np.zeros(3, dtype=np.uint64),
        np.zeros(3, dtype=np.float64),
        np.zeros(3, dtype=bool),
        np.zeros(3, dtype=">i8"),
        np.zeros((3, 1), dtype=np.int64),
        np.int64(4) * np.ones((), dtype=np.int64),
        np.array([0, COUNT_LIMIT], dtype=np.int64),
        np.array([-COUNT_LIMIT, 0], dtype=np.int64),
        np.array([np.iinfo(np.int64).min], dtype=np.int64),
    ],
    ids=str,
)
def test_other_vectors_are_refused(counts: NDArray[np.int64]) -> None:
    with pytest.raises(MechanismError):
        noisy_counts(counts, 1, HALF)


@pytest.mark.parametrize(("cap", "rho_nano"), [(0, HALF), (1, 0), (1, -1), (1, MAX_RHO_NANO + 1)])
def test_budgets_without_meaning_are_refused(cap: int, rho_nano: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        noisy_counts(np.zeros(2, dtype=np.int64), cap, rho_nano)


def test_a_price_above_the_budget_is_refused() -> None:
    counts = np.zeros(2, dtype=np.int64)
    assert mechanisms._draw(counts, 2.0, 2.0, 0.5).shape == (2,)
    for scale, sensitivity, rho in ((1.999, 2.0, 0.5), (2.0, 2.001, 0.5), (2.0, 2.0, 0.499), (0.0, 2.0, 0.5)):
        with pytest.raises(MechanismError, match="above its budget"):
            mechanisms._draw(counts, scale, sensitivity, rho)


def test_opendp_s_own_price_guards_our_calibration(monkeypatch: pytest.MonkeyPatch) -> None:
    for cap in (1, 3):
        short = mechanisms.sigma_1024(cap, HALF) - 1
        monkeypatch.setattr(mechanisms, "sigma_1024", lambda *_, sigma=short: sigma)
        with pytest.raises(MechanismError, match="above its budget"):
            noisy_counts(np.zeros(2, dtype=np.int64), cap, HALF)
        monkeypatch.undo()


class ShortAnswer:
    """A library that returns fewer values than it was given."""

    def __rrshift__(self, _space: object) -> ShortAnswer:
        return self

    def map(self, _distance: float) -> float:
        return 0.0

    def __call__(self, counts: Draws) -> list[int]:
        return counts[1:].tolist()


def test_an_answer_of_another_length_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mechanisms.dp.m, "then_gaussian", lambda _scale: ShortAnswer())
    with pytest.raises(MechanismError, match="another length"):
        noisy_counts(np.zeros(3, dtype=np.int64), 1, HALF)


def _draw_in_child(connection: multiprocessing.connection.Connection) -> None:
    connection.send(our_draws(64, 20).tolist())


def test_forked_processes_draw_different_noise() -> None:
    our_draws(1, 20)  # whatever the library keeps is set up before the fork
    context = multiprocessing.get_context("fork")
    drawn = []
    for _ in range(2):
        ours, theirs = context.Pipe(duplex=False)
        child = context.Process(target=_draw_in_child, args=(theirs,))
        child.start()
        assert ours.poll(20)
        drawn.append(tuple(ours.recv()))
        child.join(20)
    drawn.append(tuple(our_draws(64, 20).tolist()))
    assert len(set(drawn)) == 3
