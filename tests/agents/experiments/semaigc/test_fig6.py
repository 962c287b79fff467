from __future__ import annotations

import numpy as np

from agents.experiments.semaigc.fig6 import converged_at


def test_from_when_on_a_curve_stays_near_its_end() -> None:
    episodes = np.arange(0, 100, 10)
    rewards = np.array([0.1, 0.4, 0.99, 0.5, 0.96, 0.95, 1.0, 1.0, 1.0, 1.0])
    assert converged_at(episodes, rewards) == (40, 1.0)  # the early peak does not count


def test_a_curve_that_starts_at_its_end() -> None:
    assert converged_at(np.array([0, 10, 20]), np.ones(3)) == (0, 1.0)


def test_a_curve_that_rises_at_its_end_says_its_last_point() -> None:
    assert converged_at(np.array([0, 10, 20, 30]), np.array([0.1, 0.9, 0.2, 1.0])) == (30, 1.0)
