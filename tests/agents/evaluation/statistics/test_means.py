from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evaluation.statistics import (
    Bootstrap,
    Crossed,
    binned_means,
    cell_means,
    column_intervals,
    mean_interval,
    paired_difference,
)


def test_two_episodes_have_the_binomial_interval() -> None:
    # Resamples of episodes with means 0 and 1 have means 0, 1/2, 1 with chances 1/4, 1/2, 1/4.
    values, episodes = np.array([0.0, 0.0, 1.0, 1.0]), np.array([7, 7, 9, 9])
    wide = mean_interval(values, episodes)
    narrow = mean_interval(values, episodes, Bootstrap(confidence=0.4))
    assert (wide.mean, wide.low, wide.high) == (0.5, 0.0, 1.0)
    assert (narrow.low, narrow.high) == (0.5, 0.5)


def test_independent_normals_have_the_textbook_interval() -> None:
    values = np.random.default_rng(0).standard_normal(2000)
    interval = mean_interval(values, np.arange(2000), Bootstrap(resamples=4000))
    half = 1.96 * values.std() / np.sqrt(2000)
    assert interval.mean == pytest.approx(values.mean())
    assert interval.high - interval.mean == pytest.approx(half, rel=0.06)
    assert interval.mean - interval.low == pytest.approx(half, rel=0.06)


def test_equal_values_within_episodes_count_once() -> None:
    values = np.random.default_rng(1).standard_normal(300)
    single = mean_interval(values, np.arange(300))
    repeated = mean_interval(np.repeat(values, 20), np.repeat(np.arange(300), 20))
    assert (repeated.low, repeated.high) == pytest.approx((single.low, single.high))


def test_constant_difference_has_no_width() -> None:
    baseline = np.random.default_rng(0).random(100)
    interval = paired_difference(baseline + 0.25, baseline, np.arange(100) // 20)
    assert (interval.mean, interval.low, interval.high) == pytest.approx((0.25, 0.25, 0.25))


def test_binned_means_of_a_step_function() -> None:
    variable = np.array([0.0, 0.4, 1.0, 1.9, 3.0, 9.0])
    values = np.array([1.0, 1.0, 5.0, 5.0, 8.0, 99.0])
    bins = binned_means(variable, values, np.arange(6), [0.0, 1.0, 2.0, 2.5, 3.0])
    assert bins.centre.tolist() == [0.5, 1.5, 2.25, 2.75]
    assert bins.count.tolist() == [2, 2, 0, 1]
    for band in (bins.mean, bins.low, bins.high):
        assert np.array_equal(band, [1.0, 5.0, np.nan, 8.0], equal_nan=True)


def test_seed_decides_the_interval() -> None:
    values = np.random.default_rng(0).random(50)
    intervals = [mean_interval(values, np.arange(50), Bootstrap(seed=seed)) for seed in (0, 0, 1)]
    assert intervals[0] == intervals[1] != intervals[2]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30), st.integers(1, 6))
def test_interval_lies_within_the_values(values: list[float], length: int) -> None:
    interval = mean_interval(values, np.arange(len(values)) // length, Bootstrap(resamples=50))
    slack = 1e-9 * (1 + np.abs(values).max())
    assert min(values) - slack <= interval.low <= interval.high <= max(values) + slack


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"values": [], "episodes": []}, "N >= 1"),
        ({"values": [1.0, 2.0], "episodes": [0]}, "must be"),
        ({"values": [np.nan], "episodes": [0]}, "finite"),
    ],
)
def test_bad_input_is_refused(arguments: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        mean_interval(**arguments)  # type: ignore[arg-type]


def test_shapes_and_edges_are_checked() -> None:
    with pytest.raises(ValueError, match="one shape"):
        paired_difference([1.0, 2.0], [1.0], [0, 0])
    with pytest.raises(ValueError, match="increase"):
        binned_means([1.0], [1.0], [0], [1.0, 0.0])


def test_columns_together_are_the_same_as_one_by_one() -> None:
    table = np.random.default_rng(3).standard_normal((300, 3)) * [1.0, 2.0, 0.0] + [0.0, 5.0, 1.0]
    together = column_intervals(table)
    for column, interval in zip(table.T, together, strict=True):
        alone = mean_interval(column, np.arange(300))
        assert (interval.mean, interval.low, interval.high) == pytest.approx((alone.mean, alone.low, alone.high))
    assert together == column_intervals(table)
    assert together[0] != column_intervals(table, Bootstrap(seed=1))[0]


@pytest.mark.parametrize("values", [np.zeros(3), np.zeros((0, 2)), np.array([[0.0], [np.nan]])])
def test_columns_that_have_no_mean(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="values must be"):
        column_intervals(values)


def test_cells_by_hand() -> None:
    x, y = np.array([0.0, 0.5, 1.0, 2.0, 9.0]), np.array([0.0, 0.5, 0.0, 1.0, 0.0])
    cells = cell_means(x, y, [1.0, 3.0, 5.0, 7.0, 99.0], np.arange(5), [0, 1, 2], [0, 0.75, 1])
    np.testing.assert_array_equal(cells.mean, [[2.0, 5.0], [np.nan, 7.0]])
    np.testing.assert_array_equal(cells.count, [[2, 1], [0, 1]])
    assert (cells.low[0, 0], cells.high[0, 0]) == (1.0, 3.0)


def test_one_row_of_cells_is_a_row_of_bins() -> None:
    rng = np.random.default_rng(0)
    x, values, episodes = rng.random(200), rng.random(200), np.arange(200) // 10
    edges = np.linspace(0, 1, 5)
    cells = cell_means(x, np.zeros(200), values, episodes, edges, [-1, 1])
    bins = binned_means(x, values, episodes, edges)
    for name in ("mean", "low", "high", "count"):
        np.testing.assert_array_equal(getattr(cells, name)[0], getattr(bins, name))


def test_cells_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="one shape"):
        cell_means([0.0], [0.0, 1.0], [1.0], [0], [0, 1], [0, 1])
    with pytest.raises(ValueError, match="increase"):
        cell_means([0.0], [0.0], [1.0], [0], [1, 0], [0, 1])
    with pytest.raises(ValueError, match="finite"):
        cell_means([np.nan], [0.0], [1.0], [0], [0, 1], [0, 1])


def test_bins_without_a_value_have_no_mean() -> None:
    bins = binned_means([5.0, 6.0], [1.0, 2.0], [0, 1], [0.0, 1.0])
    assert bins.count.tolist() == [0]
    assert np.isnan([bins.mean, bins.low, bins.high]).all()


def crossed_effects(rng: np.random.Generator) -> tuple[np.ndarray, Crossed]:
    """60 sessions of 10 requests of 40; sessions have a variance of 0.5, requests of 1, rows of 1."""
    episodes, requests = np.repeat(np.arange(60), 10), rng.integers(40, size=600)
    values = rng.normal(0, 0.5**0.5, 60)[episodes] + rng.normal(0, 1, 40)[requests] + rng.normal(0, 1, 600)
    return values, Crossed(episodes, requests)


def test_two_kinds_of_luck_are_both_in_the_interval() -> None:
    """Of 400 simulations the 95 % intervals hold the true mean 0 in 93 % or more: two standard errors are 2 %.

    Over sessions alone they miss the luck of the requests, which is two thirds of the variance.
    """
    rng, bootstrap = np.random.default_rng(1), Bootstrap(resamples=300)
    held = np.zeros(2)
    for _ in range(400):
        values, labels = crossed_effects(rng)
        intervals = mean_interval(values, labels, bootstrap), mean_interval(values, labels.episodes, bootstrap)
        held += [each.low <= 0 <= each.high for each in intervals]
    crossed, sessions = held / 400
    assert 0.93 <= crossed <= 0.99
    assert sessions < 0.85


def test_requests_that_are_all_different_add_nothing_to_independent_rows() -> None:
    """Every row has a session and a request of its own: the variance is that of rows, counted three times at most."""
    values = np.random.default_rng(0).standard_normal(1000)
    own = mean_interval(values, np.arange(1000))
    both = mean_interval(values, Crossed(np.arange(1000), np.arange(1000)))
    assert 1.0 < both.half / own.half < 1.1 * 3**0.5
    same = mean_interval(values, Crossed(np.arange(1000), np.zeros(1000)))  # one request has no luck to resample
    assert same.half == pytest.approx(own.half, rel=0.1)


def test_crossed_bins_and_cells_are_means_of_the_same_resamples() -> None:
    rng = np.random.default_rng(3)
    values, labels = crossed_effects(rng)
    x = rng.random(600)
    bins = binned_means(x, values, labels, [0.0, 0.5, 1.0])
    cells = cell_means(x, np.zeros(600), values, labels, [0.0, 0.5, 1.0], [-1, 1])
    for name in ("mean", "low", "high", "count"):
        np.testing.assert_allclose(getattr(cells, name)[0], getattr(bins, name), rtol=1e-5)
    whole = binned_means(np.zeros(600), values, labels, [0.0, 1.0])
    alone = mean_interval(values, labels)
    assert (whole.mean[0], whole.low[0], whole.high[0]) == pytest.approx((alone.mean, alone.low, alone.high))
    assert bins.mean[0] == pytest.approx(values[x < 0.5].mean())


def test_a_constant_difference_has_no_width_for_crossed_labels() -> None:
    values, labels = crossed_effects(np.random.default_rng(0))
    gain = paired_difference(values + 1e6 + 0.25, values + 1e6, labels)
    assert gain.half == pytest.approx(0.0, abs=1e-9)


def test_labels_of_two_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"episodes and requests must be \[N\] of one length, got \(2,\) and \(3,\)"):
        Crossed(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="must be"):
        mean_interval([1.0, 2.0], Crossed(np.zeros(3), np.zeros(3)))
