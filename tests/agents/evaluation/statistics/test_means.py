from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.evaluation.statistics import (
    Bootstrap,
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
