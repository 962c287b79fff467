from __future__ import annotations

import math

import numpy as np
import pytest

from agents.evaluation.statistics import Bootstrap, Crossed, margins_of, ratio_interval, ratio_of_margins

BOOTSTRAP = Bootstrap(resamples=4000)


def test_a_share_of_a_way_is_resampled_with_its_whole() -> None:
    """What part and whole have in common cancels: a constant share has no width, however noisy both are."""
    rng = np.random.default_rng(0)
    whole = 1.0 + rng.normal(0, 0.5, (30, 20))
    rows, labels = whole.reshape(-1), Crossed(np.repeat(np.arange(30), 20), np.tile(np.arange(20), 30))
    for found in (
        ratio_interval(0.6 * rows, rows, labels),
        ratio_interval(0.6 * whole.mean(axis=1), whole.mean(axis=1), np.arange(30)),
        ratio_of_margins(margins_of(0.6 * whole), margins_of(whole)),
    ):
        assert (found.mean, found.low, found.high) == pytest.approx((0.6, 0.6, 0.6), abs=1e-4)


def test_its_interval_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(1)
    part, whole = rng.normal(0.5, 0.3, 40), rng.normal(1.0, 0.3, 40)
    found = ratio_interval(part, whole, np.arange(40), BOOTSTRAP)
    drawn = rng.integers(0, 40, (4000, 40))
    expected = np.quantile(part[drawn].mean(axis=1) / whole[drawn].mean(axis=1), (0.025, 0.975))
    assert found.mean == pytest.approx(part.mean() / whole.mean())
    assert (found.low, found.high) == pytest.approx(expected, abs=0.015)


def test_crossed_rows_and_margins_agree() -> None:
    rng = np.random.default_rng(2)
    part = rng.normal(0.5, 0.2, (50, 1)) + rng.normal(0, 0.2, (1, 40)) + np.zeros((50, 40))
    whole = 1.0 + rng.normal(0, 0.2, (50, 1)) + np.zeros((50, 40))
    labels = Crossed(np.repeat(np.arange(50), 40), np.tile(np.arange(40), 50))
    rows = ratio_interval(part.reshape(-1), whole.reshape(-1), labels, BOOTSTRAP)
    margins = ratio_of_margins(margins_of(part), margins_of(whole), BOOTSTRAP)
    assert (rows.mean, rows.low, rows.high) == pytest.approx((margins.mean, margins.low, margins.high), abs=0.01)


@pytest.mark.parametrize("whole", [np.full(30, -1.0), np.zeros(30), np.random.default_rng(3).normal(0.01, 1.0, 30)])
def test_of_nothing_there_is_no_share(whole: np.ndarray) -> None:
    found = ratio_interval(np.ones(30), whole, np.arange(30))
    assert all(math.isnan(value) for value in (found.mean, found.low, found.high))
