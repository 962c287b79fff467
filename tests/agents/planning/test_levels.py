from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from agents.planning.levels import Levels, levels_of
from envs import SplitVectorEnv
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)


def levels(scenario: Any, **changes: Any) -> Levels:
    model = SplitVectorEnv(1, profile=PROFILE, scenario=scenario, **changes).model
    return levels_of(model, backlog_step_s=0.5, battery_step_j=100.0)


def test_levels_are_rounded_to_the_better_side() -> None:
    queue, battery = levels("queue"), levels("battery")
    assert queue.values[queue.index(np.array([0.0, 0.6, 59.9, 60.0]))].tolist() == [0.0, 0.5, 59.5, 60.0]
    assert battery.values[battery.index(np.array([0.0, 101.0, 200.0, 24e3]))].tolist() == [0.0, 200.0, 200.0, 24e3]


def test_decisions_move_levels_to_the_worse_side_and_not_below_nothing() -> None:
    queue, battery = levels("queue"), levels("battery")
    index, taken = np.array([3, 3]), np.array([0, 5])
    assert queue.after(index, taken).tolist() == [3, 8]
    assert battery.after(index, taken).tolist() == [3, 0]


def test_the_next_backlog_is_a_distribution_and_grows_with_the_last() -> None:
    queue = levels("queue")
    assert queue.drift is not None
    assert queue.drift.shape == (queue.num_after, queue.num)
    assert (queue.drift >= 0.0).all()
    np.testing.assert_allclose(queue.drift.sum(axis=1), 1.0)
    means = queue.outlook(queue.values)
    assert (np.diff(means) >= -1e-12).all()


def test_the_mean_next_backlog_is_lindleys_less_at_most_a_step() -> None:
    """From 20 s on the queue hardly empties or overflows: mean work 0.8 s less 4 s of time, to the grid's 0.5 s."""
    queue = levels({"name": "queue", "interval_s": 1.0})
    middle = 80
    drop = queue.outlook(queue.values)[middle] - queue.values[middle]
    assert -0.8 - 0.5 <= drop <= -0.8


@pytest.mark.parametrize(
    ("scenario", "changes", "said"),
    [
        ("paper", {}, "queue and battery, got paper"),
        ("queue", {"observation_window": 3}, "observation_window=1"),
        ("queue", {"reward": "qoe"}, "reward=satisfaction"),
    ],
)
def test_what_cannot_be_planned_is_refused(scenario: str, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        levels(scenario, **changes)


def test_a_grid_too_fine_for_the_memory_is_refused() -> None:
    model = SplitVectorEnv(1, profile=PROFILE, scenario="queue").model
    with pytest.raises(ValueError, match=r"backlog_step_s must leave at most 5000 levels, got 0\.001: 60,001"):
        levels_of(model, 0.001, 100.0)
