from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from agents.evaluation.statistics import rank_trend, student_interval

POINTS = [-6.0, -3.0, 0.0, 3.0, 6.0, 10.0]


@pytest.mark.parametrize("course", [[1, 2, 3, 4, 5, 6], [3, 1, 2, 6, 4, 5], [1, 1, 2, 2, 2, 3], [6, 5, 4, 3, 1, 2]])
def test_correlation_and_test_are_those_of_the_library(course: list[float]) -> None:
    found = rank_trend(POINTS, np.array([course, course], dtype=float))
    expected = kendalltau(POINTS, course)
    assert found.interval.mean == pytest.approx(expected.statistic)
    if len(set(course)) == len(course):  # otherwise the library's test is an approximation
        assert found.p_value == pytest.approx(kendalltau(POINTS, course, method="exact").pvalue)


def test_the_interval_is_over_rows() -> None:
    rng = np.random.default_rng(0)
    noisy = np.arange(6.0) + rng.normal(0, 6, (30, 6))
    found = rank_trend(POINTS, noisy)
    assert found.interval.low < found.interval.mean <= found.interval.high <= 1.0
    assert rank_trend(POINTS, np.tile(noisy.mean(axis=0), (30, 1))).interval.half == 0.0


@pytest.mark.parametrize("values", [np.zeros((3, 5)), np.zeros((0, 6)), np.zeros(6), np.full((2, 6), np.nan)])
def test_bad_values_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="values"):
        rank_trend(POINTS, values)


def test_few_agents_have_students_interval() -> None:
    found = student_interval([1.0, 2.0, 3.0])
    assert (found.mean, found.half) == pytest.approx((2.0, 4.3027 / 3**0.5), abs=1e-3)
    assert student_interval([2.0]).low == -np.inf
