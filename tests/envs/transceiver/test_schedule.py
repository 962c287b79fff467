"""The schedule: hand-over by index, fractional timesteps, the matching timestep."""

from __future__ import annotations

import numpy as np
import pytest
from diffusers import DDIMScheduler
from hypothesis import given
from hypothesis import strategies as st

from envs.transceiver.receivers import rematch_grid
from envs.transceiver.schedule import Schedule

from .conftest import SCHEDULER


def schedule(steps: int = 20) -> Schedule:
    return Schedule.from_scheduler(DDIMScheduler(**SCHEDULER), steps)


def test_timesteps_are_the_schedulers() -> None:
    plan = schedule()
    assert plan.timesteps.tolist() == list(range(951, 0, -50))
    assert plan.final_alpha_bar == plan.alphas_cumprod[0]


def test_alpha_bar_is_exact_at_integers_and_between_its_neighbours_elsewhere() -> None:
    plan = schedule()
    assert np.array_equal(plan.alpha_bar(np.arange(1000)), plan.alphas_cumprod)
    middle = plan.alpha_bar(100.5)
    assert plan.alphas_cumprod[101] < middle < plan.alphas_cumprod[100]


@given(st.floats(0, 999))
def test_timestep_of_inverts_alpha_bar(t: float) -> None:
    plan = schedule()
    assert plan.timestep_of(plan.alpha_bar(t)) == pytest.approx(t, abs=1e-6)


@given(st.integers(1, 19), st.floats(0, 100))
def test_the_matched_timestep_lies_on_the_process_or_at_its_end(split: int, variance: float) -> None:
    plan = schedule()
    t_star = plan.matched_timestep(split, np.array([variance]))[0]
    wanted = plan.alpha_bar(plan.timesteps[split]) / (1 + variance)
    assert t_star >= plan.timesteps[split]
    if wanted > plan.alphas_cumprod[-1]:
        assert plan.alpha_bar(t_star) == pytest.approx(wanted, rel=1e-9)
    else:
        assert t_star == 999


@given(st.integers(0, 19), st.floats(0, 1000))
def test_the_rematched_grid_starts_at_the_match_falls_and_is_plain_without_noise(split: int, variance: float) -> None:
    plan = schedule()
    grid = rematch_grid(plan, split, np.array([variance, 0.0]))
    assert grid.shape == (2, 20 - split)
    assert grid[0, 0] == pytest.approx(plan.matched_timestep(split, np.array([variance]))[0])
    assert np.all(np.diff(grid, axis=1) < 0)
    assert np.array_equal(grid[1], plan.timesteps[split:])


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_impossible_numbers_of_steps_are_refused(steps: int) -> None:
    with pytest.raises(ValueError, match=f"1..1000, got {steps}"):
        schedule(steps)
