from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import binned_means, cell_means


def test_by_hand() -> None:
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


def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="one shape"):
        cell_means([0.0], [0.0, 1.0], [1.0], [0], [0, 1], [0, 1])
    with pytest.raises(ValueError, match="increase"):
        cell_means([0.0], [0.0], [1.0], [0], [1, 0], [0, 1])
    with pytest.raises(ValueError, match="finite"):
        cell_means([np.nan], [0.0], [1.0], [0], [0, 1], [0, 1])
