from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, trim_mean

from agents.evaluation.statistics import interquartile_mean, iqm_interval
from agents.evaluation.statistics.aggregate import trimmed_means
from agents.evaluation.statistics.resampling import weight_chunks


def test_by_hand() -> None:
    assert interquartile_mean([[0, 1, 2, 3, 4, 5, 6, 100]]) == 3.5
    assert interquartile_mean([[0, 100, 3], [2, 4]]) == 3.0  # of five, one is left out at either end
    assert interquartile_mean([[5.0], [1.0], [3.0]]) == 3.0  # of three, none


def test_resamples_are_those_that_would_be_built_and_sorted() -> None:
    values = np.sort(np.random.default_rng(0).standard_normal(37))
    (counts,) = weight_chunks((37,), 50, 0)
    built = [trim_mean(np.repeat(values, row.astype(int)), 0.25) for row in counts]
    np.testing.assert_allclose(trimmed_means(values, counts), built, rtol=1e-12)


def test_interval_of_normal_scores() -> None:
    # Asymptotic variance of the trimmed mean (Huber, "Robust Statistics", 1981, section 3.3); tolerance 8 %.
    scores = np.random.default_rng(0).standard_normal(2000)
    quantile = norm.ppf(0.75)
    inside = 0.5 - 2 * quantile * norm.pdf(quantile)  # the integral of x^2 over the middle half
    half = 1.96 * np.sqrt((inside + 2 * 0.25 * quantile**2) / 0.5**2 / 2000)
    interval = iqm_interval([scores], resamples=4000)
    assert interval.mean == pytest.approx(0, abs=3 * half)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.08)


def test_tasks_are_strata() -> None:
    # Nothing varies within a task, so that no resample differs; a bootstrap over all scores together would.
    interval = iqm_interval([[0.0] * 5, [0.4] * 5, [1.0] * 5])
    assert interval.low == interval.high == interval.mean == pytest.approx(0.4 * 5 / 9 + 2 / 9)


def test_single_runs_have_no_interval() -> None:
    interval = iqm_interval([[0.3], [0.5]])
    assert interval.mean == 0.4
    assert np.isnan([interval.low, interval.high]).all()


def test_seed_decides_the_interval() -> None:
    scores = [np.random.default_rng(0).random(30)]
    intervals = [iqm_interval(scores, seed=seed) for seed in (0, 0, 1)]
    assert intervals[0] == intervals[1] != intervals[2]


@given(st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=12), min_size=1, max_size=3))
def test_outliers_do_not_move_it_beyond_the_middle(scores: list[list[float]]) -> None:
    flat = np.sort(np.concatenate(scores))
    cut = len(flat) // 4
    slack = 1e-9 * (1 + np.abs(flat).max())
    assert flat[cut] - slack <= interquartile_mean(scores) <= flat[len(flat) - 1 - cut] + slack


@pytest.mark.parametrize("scores", [[], [[]], [[0.1], []], [[np.nan]], [[[0.1]]]])
def test_no_scores(scores: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="scores must be"):
        iqm_interval(scores)


@pytest.mark.parametrize(("given_", "said"), [({"confidence": 0.0}, "confidence"), ({"resamples": 0}, "resamples")])
def test_bad_bootstrap(given_: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        iqm_interval([[0.1, 0.2]], **given_)  # type: ignore[arg-type]
