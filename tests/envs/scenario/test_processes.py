"""Means, variances and autocorrelations of the processes against their closed forms.

Every tolerance is 5 standard errors of the sample mean over N independent environments, or stated.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.scenario.processes import (
    GaussianAR1,
    RandomProcess,
    RayleighFading,
    SessionUniform,
    TwoStateChain,
    Uniform,
    Workload,
)

N = 40_000


def paths(process: RandomProcess, steps: int, seed: int = 0) -> list[NDArray[np.float64]]:
    """Values [..., N] of the requests 0..steps."""
    rng = np.random.default_rng(seed)
    process.reset(N, rng)
    seen = [np.array(process.values, dtype=np.float64)]
    for _ in range(steps):
        process.advance(rng)
        seen.append(np.array(process.values, dtype=np.float64))
    return seen


def close_to_moments(sample: NDArray[np.float64], mean: float, variance: float) -> None:
    assert sample.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / sample.size))
    squares = (sample - mean) ** 2
    assert squares.mean() == pytest.approx(variance, abs=5 * squares.std() / math.sqrt(sample.size) + 1e-12)


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.corrcoef(a, b)[0, 1])


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
def test_gauss_markov(rho: float) -> None:
    process = GaussianAR1(rho, rows=2)
    seen = paths(process, 4)
    for values in (seen[0][0], seen[4][1]):
        close_to_moments(values, 0.0, 1.0)
    for lag in (1, 4):
        assert correlation(seen[0][0], seen[lag][0]) == pytest.approx(rho**lag, abs=5 / math.sqrt(N))
    assert correlation(seen[2][0], seen[2][1]) == pytest.approx(0.0, abs=5 / math.sqrt(N))


def test_uniform_draws_are_new_and_those_of_a_session_stay() -> None:
    fresh, kept = paths(Uniform(2), 3), paths(SessionUniform(), 3)
    for values in (fresh[0][0], fresh[3][1], kept[3]):
        close_to_moments(values, 0.5, 1 / 12)
    assert correlation(fresh[0][0], fresh[1][0]) == pytest.approx(0.0, abs=5 / math.sqrt(N))
    np.testing.assert_array_equal(kept[0], kept[3])


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_rayleigh_fading(rho: float) -> None:
    process, rng = RayleighFading(rho), np.random.default_rng(1)
    process.reset(N, rng)
    first = process.gain
    close_to_moments(first, 1.0, 1.0)
    euler = 0.5772156649015329
    neper_db = 10 / math.log(10)
    close_to_moments(process.gain_db, -neper_db * euler, (neper_db * math.pi) ** 2 / 6)
    for lag in (1, 2, 3):
        process.advance(rng)
        # The product of two gains has a heavier tail than normal variables: 10 standard errors of those.
        assert correlation(first, process.gain) == pytest.approx(rho ** (2 * lag), abs=10 / math.sqrt(N))
    assert np.all(first >= 0.0)


@pytest.mark.parametrize(("share", "duration"), [(0.4, 4.0), (0.1, 2.0), (0.5, 1.0)])
def test_two_state_chain(share: float, duration: float) -> None:
    process = TwoStateChain(share, duration)
    seen = paths(process, 6)
    for values in (seen[0], seen[6]):
        close_to_moments(values, share, share * (1 - share))
    enter, leave = share / (1 - share) / duration, 1 / duration
    for lag in (1, 2, 5):
        eigenvalue = 1 - enter - leave
        assert correlation(seen[0], seen[lag]) == pytest.approx(eigenvalue**lag, abs=5 / math.sqrt(N))
    left = 1 - seen[1][seen[0] == 1].mean()
    assert left == pytest.approx(1 / duration, abs=5 * math.sqrt(0.25 / (share * N)))


def test_a_chain_that_is_never_on_stays_off() -> None:
    assert not any(values.any() for values in paths(TwoStateChain(0.0, 3.0), 3))


@pytest.mark.parametrize(("share", "duration"), [(1.0, 4.0), (-0.1, 2.0), (0.5, 0.5), (0.9, 2.0), (math.nan, 2.0)])
def test_impossible_chains_are_refused(share: float, duration: float) -> None:
    with pytest.raises(ValueError, match="share|requests"):
        TwoStateChain(share, duration)


@pytest.mark.parametrize(("interval_s", "load", "job_s"), [(4.0, 0.2, 2.0), (10.0, 0.9, 1.0), (3.0, 0.0, 5.0)])
def test_workload(interval_s: float, load: float, job_s: float) -> None:
    process = Workload(interval_s, load, job_s)
    seen = paths(process, 2)
    for elapsed_s, work_s in (seen[0], seen[2]):
        close_to_moments(elapsed_s, interval_s, interval_s**2)
        jobs = load * interval_s / job_s
        close_to_moments(work_s, load * interval_s, job_s**2 * (2 * jobs + jobs**2))
    for row in (0, 1) if load else (0,):
        assert correlation(seen[0][row], seen[1][row]) == pytest.approx(0.0, abs=5 / math.sqrt(N))


@pytest.mark.parametrize("bad", [(0.0, 0.5, 1.0), (1.0, 1.5, 1.0), (1.0, 0.5, 0.0), (math.inf, 0.5, 1.0)])
def test_impossible_workloads_are_refused(bad: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Workload(*bad)


@pytest.mark.parametrize(
    "process",
    [GaussianAR1(0.5), Uniform(), SessionUniform(), RayleighFading(0.5), TwoStateChain(0.4, 3.0), Workload(4, 0.5, 1)],
    ids=lambda process: type(process).__name__,
)
def test_seeds_fix_a_process(process: RandomProcess) -> None:
    first, again, other = (paths(process, 2, seed)[-1] for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
