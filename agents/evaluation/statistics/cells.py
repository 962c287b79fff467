"""Means in the cells of a map over two variables, with bootstrap intervals over episodes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.evaluation.statistics.means import GroupedMeans, bin_of, checked_edges, grouped_means
from agents.evaluation.statistics.resampling import CONFIDENCE, RESAMPLES, SEED


@dataclass(frozen=True, kw_only=True)
class CellMeans(GroupedMeans):
    """Means in cells, [Y, X] each.

    Attributes:
        x_edges, y_edges: float64 [X + 1] and [Y + 1], in the units of the variables.
    """

    x_edges: NDArray[np.float64]
    y_edges: NDArray[np.float64]


def cell_means(
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    episodes: ArrayLike,
    x_edges: ArrayLike,
    y_edges: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> CellMeans:
    """Means of values [N] in the cells of x [N] and y [N]; episodes [N] are resampled whole.

    A cell holds its lower edges, the last ones their upper edges too.

    Raises:
        ValueError: as of `agents.evaluation.statistics.mean_interval`; edges that do not increase.
    """
    columns, rows = checked_edges(x_edges), checked_edges(y_edges)
    across, up = bin_of(x, columns), bin_of(y, rows)
    shape = len(rows) - 1, len(columns) - 1
    if across.shape != up.shape:
        raise ValueError(f"x and y must have one shape, got {across.shape} and {up.shape}")
    cell = np.where((across < 0) | (up < 0), -1, up * shape[1] + across)
    means = grouped_means(
        cell, values, episodes, shape[0] * shape[1], confidence=confidence, resamples=resamples, seed=seed
    )
    maps = {name: values.reshape(shape) for name, values in vars(means).items()}
    return CellMeans(x_edges=columns, y_edges=rows, **maps)
