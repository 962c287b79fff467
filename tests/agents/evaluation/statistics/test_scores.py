from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm, trim_mean

from agents.evaluation.statistics import (
    Bootstrap,
    interquartile_mean,
    iqm_interval,
    paired_improvement,
    performance_profile,
    probability_of_improvement,
)
from agents.evaluation.statistics.scores import trimmed_means

few = st.lists(st.integers(0, 4), min_size=1, max_size=6)


def test_interquartile_mean_by_hand() -> None:
    assert interquartile_mean([[0, 1, 2, 3, 4, 5, 6, 100]]) == 3.5
    assert interquartile_mean([[0, 100, 3], [2, 4]]) == 3.0  # of five, one is left out at either end
    assert interquartile_mean([[5.0], [1.0], [3.0]]) == 3.0  # of three, none


def test_resamples_are_those_that_would_be_built_and_sorted() -> None:
    values = np.sort(np.random.default_rng(0).standard_normal(37))
    (counts,) = Bootstrap(resamples=50).counts((37,))
    built = [trim_mean(np.repeat(values, row.astype(int)), 0.25) for row in counts]
    np.testing.assert_allclose(trimmed_means(values, counts), built, rtol=1e-12)


def test_interval_of_normal_scores() -> None:
    # Asymptotic variance of the trimmed mean (Huber, "Robust Statistics", 1981, section 3.3); tolerance 8 %.
    scores = np.random.default_rng(0).standard_normal(2000)
    quantile = norm.ppf(0.75)
    inside = 0.5 - 2 * quantile * norm.pdf(quantile)  # the integral of x^2 over the middle half
    half = 1.96 * np.sqrt((inside + 2 * 0.25 * quantile**2) / 0.5**2 / 2000)
    interval = iqm_interval([scores], Bootstrap(resamples=4000))
    assert interval.mean == pytest.approx(0, abs=3 * half)
    assert (interval.high - interval.low) / 2 == pytest.approx(half, rel=0.08)


def test_tasks_are_strata() -> None:
    # Nothing varies within a task, so that no resample differs; a bootstrap over all scores together would.
    interval = iqm_interval([[0.0] * 5, [0.4] * 5, [1.0] * 5])
    assert interval.low == interval.high == interval.mean == pytest.approx(0.4 * 5 / 9 + 2 / 9)


def test_the_mean_of_single_runs_has_no_interval() -> None:
    interval = iqm_interval([[0.3], [0.5]])
    assert interval.mean == 0.4
    assert np.isnan([interval.low, interval.high]).all()


def test_seed_decides_the_interval_of_the_mean() -> None:
    scores = [np.random.default_rng(0).random(30)]
    intervals = [iqm_interval(scores, Bootstrap(seed=seed)) for seed in (0, 0, 1)]
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


def test_all_pairs_by_hand() -> None:
    # 3 beats 1 and 2 and ties with 3; 4 beats all three.
    assert probability_of_improvement([[3, 4]], [[1, 2, 3]]).mean == pytest.approx(5.5 / 6)
    # Tasks count alike, however many runs they have.
    assert probability_of_improvement([[1], [0, 0, 0]], [[0], [1]]).mean == 0.5


def test_all_pairs_are_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.integers(0, 9, 40), rng.integers(0, 9, 25)
    chance = probability_of_improvement([own], [other], Bootstrap(resamples=10)).mean
    assert chance == pytest.approx(mannwhitneyu(own, other).statistic / (40 * 25))


def test_normal_scores() -> None:
    # P(X > Y) = Phi(shift / sqrt 2); the standard error of 400 x 400 pairs is below 0.02: three of them.
    rng = np.random.default_rng(1)
    interval = probability_of_improvement([rng.normal(0.5, 1, 400)], [rng.normal(0, 1, 400)], Bootstrap(resamples=200))
    assert interval.mean == pytest.approx(norm.cdf(0.5 / np.sqrt(2)), abs=0.06)
    # Variance of the Mann-Whitney statistic near equality, 1 / 12 (1/n + 1/m); tolerance 25 %.
    assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * np.sqrt(2 / (12 * 400)), rel=0.25)


def test_pairs_of_the_same_session() -> None:
    luck = np.random.default_rng(0).normal(0, 100, 500)
    assert paired_improvement([luck + 0.01], [luck]).mean == 1.0
    assert probability_of_improvement([luck + 0.01], [luck], Bootstrap(resamples=2)).mean == pytest.approx(
        0.5, abs=0.01
    )
    assert paired_improvement([[1, 5, 2, 2]], [[0, 6, 2, 1]]).mean == (1 + 0 + 0.5 + 1) / 4


def test_paired_interval_is_the_binomial_one() -> None:
    # 1,000 sessions of which 300 are won: half an interval is 1.96 sqrt(p (1 - p) / n); tolerance 8 %.
    own = (np.arange(1000) < 300).astype(float)
    interval = paired_improvement([own], [np.full(1000, 0.5)], Bootstrap(resamples=4000))
    assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * np.sqrt(0.3 * 0.7 / 1000), rel=0.08)


@given(st.lists(st.tuples(few, few), min_size=1, max_size=3))
def test_one_is_better_or_the_other(tasks: list[tuple[list[int], list[int]]]) -> None:
    own, other = ([task[side] for task in tasks] for side in (0, 1))
    there = probability_of_improvement(own, other, Bootstrap(resamples=3)).mean
    assert there + probability_of_improvement(other, own, Bootstrap(resamples=3)).mean == pytest.approx(1)
    assert paired_improvement(own, own, Bootstrap(resamples=3)).mean == pytest.approx(0.5)


def test_seed_decides_the_interval_of_a_chance() -> None:
    rng = np.random.default_rng(0)
    own, other = [rng.random(20)], [rng.random(20)]
    for chance in (probability_of_improvement, paired_improvement):
        intervals = [chance(own, other, Bootstrap(resamples=5, seed=seed)) for seed in (0, 0, 1)]
        assert intervals[0] == intervals[1] != intervals[2]


def test_single_runs_have_no_interval() -> None:
    assert np.isnan(probability_of_improvement([[0.5]], [[0.4]]).low)
    assert np.isnan(paired_improvement([[0.5]], [[0.4]]).high)
    assert np.isfinite(probability_of_improvement([[0.5]], [[0.4, 0.6]]).low)


def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="same tasks, got 1 and 2"):
        probability_of_improvement([[0.5]], [[0.4], [0.4]])
    with pytest.raises(ValueError, match=r"same sessions, got \(1,\) and \(2,\)"):
        paired_improvement([[0.5]], [[0.4, 0.6]])


def test_profile_by_hand() -> None:
    profile = performance_profile([[0.1, 0.5, 0.9], [0.5]], [0.0, 0.5, 0.6])
    # The share is a mean over tasks, and a score at the threshold is not above it.
    np.testing.assert_allclose(profile.share, [1.0, 1 / 6, 1 / 6])
    assert (profile.low <= profile.share + 1e-12).all()
    assert (profile.share <= profile.high + 1e-12).all()


def test_uniform_scores() -> None:
    # The share above t is 1 - t with a standard error of sqrt(t (1 - t) / n): four of them; the band within 10 %.
    scores = np.random.default_rng(0).random(2000)
    points = np.array([0.25, 0.5, 0.75])
    profile = performance_profile([scores], points, Bootstrap(resamples=4000))
    error = np.sqrt(points * (1 - points) / 2000)
    assert (np.abs(profile.share - (1 - points)) < 4 * error).all()
    np.testing.assert_allclose((profile.high - profile.low) / 2, 1.96 * error, rtol=0.1)


def test_area_below_is_the_mean() -> None:
    scores = np.random.default_rng(1).random(50)
    points = np.linspace(0, 1, 2001)
    area = performance_profile([scores], points, Bootstrap(resamples=2)).share[:-1].sum() / 2000
    assert area == pytest.approx(scores.mean(), abs=1 / 2000)


def test_seed_decides_the_band() -> None:
    scores = [np.random.default_rng(0).random(30)]
    bands = [
        performance_profile(scores, [0.3, 0.5], Bootstrap(resamples=5, seed=seed)).low.tolist() for seed in (0, 0, 5)
    ]
    assert bands[0] == bands[1] != bands[2]


def test_the_profile_of_single_runs_has_no_band() -> None:
    assert np.isnan(performance_profile([[0.5]], [0.2]).low).all()


@pytest.mark.parametrize("points", [[], [np.nan], [[0.1]]])
def test_bad_thresholds(points: list[float]) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        performance_profile([[0.5]], points)
