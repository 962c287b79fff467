from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import performance_profile


def test_by_hand() -> None:
    profile = performance_profile([[0.1, 0.5, 0.9], [0.5]], [0.0, 0.5, 0.6])
    # The share is a mean over tasks, and a score at the threshold is not above it.
    np.testing.assert_allclose(profile.share, [1.0, 1 / 6, 1 / 6])
    assert (profile.low <= profile.share + 1e-12).all()
    assert (profile.share <= profile.high + 1e-12).all()


def test_uniform_scores() -> None:
    # The share above t is 1 - t with a standard error of sqrt(t (1 - t) / n): four of them; the band within 10 %.
    scores = np.random.default_rng(0).random(2000)
    points = np.array([0.25, 0.5, 0.75])
    profile = performance_profile([scores], points, resamples=4000)
    error = np.sqrt(points * (1 - points) / 2000)
    assert (np.abs(profile.share - (1 - points)) < 4 * error).all()
    np.testing.assert_allclose((profile.high - profile.low) / 2, 1.96 * error, rtol=0.1)


def test_area_below_is_the_mean() -> None:
    scores = np.random.default_rng(1).random(50)
    points = np.linspace(0, 1, 2001)
    area = performance_profile([scores], points, resamples=2).share[:-1].sum() / 2000
    assert area == pytest.approx(scores.mean(), abs=1 / 2000)


def test_seed_decides_the_band() -> None:
    scores = [np.random.default_rng(0).random(30)]
    bands = [performance_profile(scores, [0.3, 0.5], resamples=5, seed=seed).low.tolist() for seed in (0, 0, 5)]
    assert bands[0] == bands[1] != bands[2]


def test_single_runs_have_no_band() -> None:
    assert np.isnan(performance_profile([[0.5]], [0.2]).low).all()


@pytest.mark.parametrize("points", [[], [np.nan], [[0.1]]])
def test_bad_thresholds(points: list[float]) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        performance_profile([[0.5]], points)
