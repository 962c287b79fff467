from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import Bootstrap, Margins, column_intervals, margins_of


def values_of(rng: np.random.Generator, states: int = 60, requests: int = 40) -> np.ndarray:
    """Effects of variance 0.5 of states, 1 of requests and 1 of both together."""
    effects = rng.normal(0, 0.5**0.5, (states, 1)) + rng.normal(0, 1, (1, requests))
    return effects + rng.normal(0, 1, (states, requests))


def test_intervals_are_those_of_resampled_states_and_requests() -> None:
    """By the definition, with all values; the part of single cells is a share of 1 / 60 and 1 / 40 of the others."""
    values, bootstrap = values_of(np.random.default_rng(0)), Bootstrap(resamples=4000)
    interval = margins_of(values).interval(bootstrap)
    counts = np.concatenate(list(bootstrap.counts(values.shape)))
    drawn = np.einsum("bn,nr,br->b", counts[:, :60], values, counts[:, 60:]) / values.size
    assert interval.mean == pytest.approx(values.mean())
    assert (interval.low, interval.high) == pytest.approx(np.quantile(drawn, (0.025, 0.975)), abs=0.02)


def test_they_hold_the_truth_as_often_as_they_say_and_states_alone_do_not() -> None:
    """400 simulations; two standard errors are 2 %, and of 40 requests a bootstrap is 2 % too narrow."""
    rng, bootstrap = np.random.default_rng(1), Bootstrap(resamples=300)
    held = np.zeros(2)
    for _ in range(400):
        found = margins_of(values_of(rng))
        intervals = found.interval(bootstrap), column_intervals(found.by_state[:, None], bootstrap)[0]
        held += [each.low <= 0 <= each.high for each in intervals]
    both, states = held / 400
    assert 0.91 <= both <= 0.98
    assert states < 0.75


def test_differences_and_means_are_those_of_the_values() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.random((2, 3, 6, 5)), rng.random((2, 3, 6, 5))
    for found, expected in (
        (margins_of(one) - margins_of(other), margins_of(one - other)),
        (margins_of(one)[1, 2], margins_of(one[1, 2])),
        (margins_of(one).over_first(), margins_of(one.mean(axis=(0, 1)))),
    ):
        np.testing.assert_allclose(found.by_state, expected.by_state)
        np.testing.assert_allclose(found.by_request, expected.by_request)
    each = margins_of(one).intervals(Bootstrap(resamples=50))
    assert [value.mean for value in each] == pytest.approx(one.reshape(6, -1).mean(axis=1).tolist())
    alone = margins_of(one[1, 1]).interval(Bootstrap(resamples=50))
    assert (each[4].low, each[4].high) == pytest.approx((alone.low, alone.high))


def test_a_constant_has_no_width() -> None:
    interval = Margins(np.full(6, 0.3), np.full(4, 0.3)).interval()
    assert (interval.low, interval.high) == pytest.approx((0.3, 0.3))
