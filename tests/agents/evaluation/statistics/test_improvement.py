from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from agents.evaluation.statistics import paired_improvement, probability_of_improvement

few = st.lists(st.integers(0, 4), min_size=1, max_size=6)


def test_all_pairs_by_hand() -> None:
    # 3 beats 1 and 2 and ties with 3; 4 beats all three.
    assert probability_of_improvement([[3, 4]], [[1, 2, 3]]).mean == pytest.approx(5.5 / 6)
    # Tasks count alike, however many runs they have.
    assert probability_of_improvement([[1], [0, 0, 0]], [[0], [1]]).mean == 0.5


def test_all_pairs_are_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.integers(0, 9, 40), rng.integers(0, 9, 25)
    chance = probability_of_improvement([own], [other], resamples=10).mean
    assert chance == pytest.approx(mannwhitneyu(own, other).statistic / (40 * 25))


def test_normal_scores() -> None:
    # P(X > Y) = Phi(shift / sqrt 2); the standard error of 400 x 400 pairs is below 0.02: three of them.
    rng = np.random.default_rng(1)
    interval = probability_of_improvement([rng.normal(0.5, 1, 400)], [rng.normal(0, 1, 400)], resamples=200)
    assert interval.mean == pytest.approx(norm.cdf(0.5 / np.sqrt(2)), abs=0.06)
    # Variance of the Mann-Whitney statistic near equality, 1 / 12 (1/n + 1/m); tolerance 25 %.
    assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * np.sqrt(2 / (12 * 400)), rel=0.25)


def test_pairs_of_the_same_session() -> None:
    luck = np.random.default_rng(0).normal(0, 100, 500)
    assert paired_improvement([luck + 0.01], [luck]).mean == 1.0
    assert probability_of_improvement([luck + 0.01], [luck], resamples=2).mean == pytest.approx(0.5, abs=0.01)
    assert paired_improvement([[1, 5, 2, 2]], [[0, 6, 2, 1]]).mean == (1 + 0 + 0.5 + 1) / 4


def test_paired_interval_is_the_binomial_one() -> None:
    # 1,000 sessions of which 300 are won: half an interval is 1.96 sqrt(p (1 - p) / n); tolerance 8 %.
    own = (np.arange(1000) < 300).astype(float)
    interval = paired_improvement([own], [np.full(1000, 0.5)], resamples=4000)
    assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * np.sqrt(0.3 * 0.7 / 1000), rel=0.08)


@given(st.lists(st.tuples(few, few), min_size=1, max_size=3))
def test_one_is_better_or_the_other(tasks: list[tuple[list[int], list[int]]]) -> None:
    own, other = ([task[side] for task in tasks] for side in (0, 1))
    there = probability_of_improvement(own, other, resamples=3).mean
    assert there + probability_of_improvement(other, own, resamples=3).mean == pytest.approx(1)
    assert paired_improvement(own, own, resamples=3).mean == pytest.approx(0.5)


def test_seed_decides_the_interval() -> None:
    rng = np.random.default_rng(0)
    own, other = [rng.random(20)], [rng.random(20)]
    for chance in (probability_of_improvement, paired_improvement):
        intervals = [chance(own, other, resamples=5, seed=seed) for seed in (0, 0, 1)]
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
