from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from envs.observation import OBSERVATION_BOUNDS, OBSERVATION_NAMES, ObservationScale, observation_to_state
from envs.scenario import PROCESSES, Scenario, ScenarioParams, Spent, resolve_scenario

PAPER = ScenarioParams()
NOTHING = Spent(*np.zeros((4, 1)))


def started(num_envs: int, seed: int = 0, params: ScenarioParams = PAPER) -> tuple[Scenario, np.random.Generator]:
    scenario, rng = Scenario(params, num_requests=8, num_draws=6, max_attempts=3), np.random.default_rng(seed)
    scenario.reset(num_envs, rng)
    return scenario, rng


def uniforms(scenario: Scenario, name: str) -> np.ndarray:
    """The quantity mapped back to [0, 1] by its range."""
    low, high = getattr(scenario.params, name)
    values = getattr(scenario.state, name)
    if name == "bandwidth_hz":
        low, high, values = math.log(low), math.log(high), np.log(values)
    return np.asarray((values - low) / (high - low))


@pytest.mark.parametrize("steps", [0, 5])
@pytest.mark.parametrize("name", [*PROCESSES, "latency_low_s"])
def test_marginals_are_uniform_and_log_uniform_at_every_step(name: str, steps: int) -> None:
    scenario, rng = started(20_000, seed=3)
    for _ in range(steps):
        scenario.advance(rng, NOTHING)
    assert stats.kstest(uniforms(scenario, name), "uniform").pvalue > 1e-3


def test_correlation_of_the_gaussian_processes_is_rho() -> None:
    scenario, rng = started(50_000, seed=1)
    before = {name: stats.norm.ppf(uniforms(scenario, name)) for name in PROCESSES}
    low_s = scenario.state.latency_low_s
    scenario.advance(rng, NOTHING)
    for name in PROCESSES:
        after = stats.norm.ppf(uniforms(scenario, name))
        assert np.corrcoef(before[name], after)[0, 1] == pytest.approx(PAPER.correlation, abs=0.005)
    assert abs(np.corrcoef(low_s, scenario.state.latency_low_s)[0, 1]) < 0.02


def test_requests_are_uniform_and_draws_are_in_random_order_without_repeat() -> None:
    scenario, _ = started(48_000)
    state = scenario.state
    assert state.draws.shape == (3, 48_000)
    assert all(np.all(state.draws[i] != state.draws[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    for values, size in ((state.request, 8), (state.draws[0], 6), (state.draws[2], 6)):
        assert stats.chisquare(np.bincount(values, minlength=size)).pvalue > 1e-3
    np.testing.assert_allclose(state.latency_high_s, 2.0 * state.latency_low_s)


def test_a_seed_fixes_the_trajectory_and_old_states_are_kept() -> None:
    (a, rng_a), (b, rng_b) = started(4, seed=7), started(4, seed=7)
    first, copy = a.state, a.state.snr_db.copy()
    a.advance(rng_a, NOTHING)
    b.advance(rng_b, NOTHING)
    np.testing.assert_array_equal(a.state.snr_db, b.state.snr_db)
    np.testing.assert_array_equal(first.snr_db, copy)


def test_a_number_is_a_constant() -> None:
    scenario, rng = started(5, params=replace(PAPER, snr_db=0.0, bandwidth_hz=2e7))  # type: ignore[arg-type]
    scenario.advance(rng, NOTHING)
    np.testing.assert_array_equal(scenario.state.snr_db, 0.0)
    np.testing.assert_allclose(scenario.state.bandwidth_hz, 2e7)


@pytest.mark.parametrize(
    "bad",
    [
        {"snr_db": (math.nan, 3.0)},
        {"snr_db": (0.0, math.inf)},
        {"snr_db": (3.0, 1.0)},
        {"snr_db": (-30.0, 1.0)},
        {"snr_db": (1.0, 2.0, 3.0)},
        {"snr_db": "loud"},
        {"snr_db": None},
        {"bandwidth_hz": (0.0, 1e6)},
        {"bandwidth_hz": -1e6},
        {"edge_availability": (0.0, 1.0)},
        {"user_availability": (0.5, 1.1)},
        {"density_factor": 0.0},
        {"latency_low_s": (-1.0, 5.0)},
        {"latency_high_ratio": 1.0},
        {"latency_high_ratio": math.nan},
        {"correlation": 1.5},
        {"correlation": math.nan},
        {"snr": 3.0},
    ],
)
def test_impossible_parameters_are_refused(bad: dict[str, Any]) -> None:
    (key,) = bad
    with pytest.raises(ValueError, match=key):
        resolve_scenario(bad)


def test_scenarios_by_name_by_parameters_and_by_difference() -> None:
    assert resolve_scenario("paper") == PAPER
    assert resolve_scenario({"name": "paper", "correlation": 0.5}) == replace(PAPER, correlation=0.5)
    assert resolve_scenario(PAPER) is PAPER
    assert resolve_scenario({"snr_db": [-3, 3]}) == replace(PAPER, snr_db=(-3.0, 3.0))
    with pytest.raises(ValueError, match="'city'; allowed: paper"):
        resolve_scenario("city")


@pytest.mark.parametrize("attempts", [0, 7])
def test_attempts_must_not_exceed_the_draws(attempts: int) -> None:
    with pytest.raises(ValueError, match=r"1\.\.6"):
        Scenario(PAPER, num_requests=8, num_draws=6, max_attempts=attempts)


@given(st.lists(st.floats(0.0, 1.0, width=32), min_size=7, max_size=7))
def test_the_observation_is_invertible(entries: list[float]) -> None:
    obs = np.array(entries, dtype=np.float32)
    state = observation_to_state(obs)
    assert tuple(state) == OBSERVATION_NAMES
    for name, (low, high) in OBSERVATION_BOUNDS.items():
        assert low * (1 - 1e-12) - 1e-9 <= state[name] <= high * (1 + 1e-12)
    again = ObservationScale().to_observation([np.atleast_1d(value) for value in state.values()])
    np.testing.assert_allclose(again[0], obs, atol=1e-6)


def test_an_observation_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\[\.\.\., 7\], got \[2, 6\]"):
        observation_to_state(np.zeros((2, 6)))
