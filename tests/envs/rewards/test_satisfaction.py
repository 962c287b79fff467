from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.rewards import Outcome, Satisfaction, satisfaction

LATENCIES = st.floats(0.0, 200.0)


@pytest.mark.parametrize(
    ("latency_s", "score"), [(0.0, 1.0), (6.0, 1.0), (7.5, 0.75), (9.0, 0.5), (12.0, 0.0), (59.0, 0.0), (math.inf, 0.0)]
)
def test_satisfaction_is_equation_24_right_way_up(latency_s: float, score: float) -> None:
    assert satisfaction(latency_s, 6.0, 12.0) == pytest.approx(score, abs=1e-12)


@given(LATENCIES, LATENCIES, st.floats(1.0, 20.0), st.floats(1.1, 3.0))
def test_satisfaction_lies_in_0_1_and_never_grows_with_latency(a: float, b: float, low_s: float, ratio: float) -> None:
    fast, slow = satisfaction(np.sort([a, b]), low_s, ratio * low_s)
    assert 0.0 <= slow <= fast <= 1.0


def test_satisfaction_broadcasts_over_actions() -> None:
    scores = satisfaction(np.array([[1.0, 7.5], [9.0, 20.0]]), np.array([[6.0], [8.0]]), np.array([[12.0], [10.0]]))
    np.testing.assert_allclose(scores, [[1.0, 0.75], [0.5, 0.0]])


def test_failures_earn_nothing() -> None:
    latency_s = np.array([5.0, 5.0, 60.0, 60.001])
    failed = np.array([False, True, False, True])
    outcome = Outcome(latency_s, np.zeros(4), {}, failed, np.array(50.0), np.array(100.0))
    reward = Satisfaction()
    np.testing.assert_allclose(reward.total(reward.terms(outcome)), [1.0, 0.0, 0.8, 0.0])
