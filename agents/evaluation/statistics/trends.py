"""Whether something rises or falls: rank correlation with an interval and a permutation test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import permutation_test

from agents.evaluation.statistics.interval import Interval
from agents.evaluation.statistics.resampling import DEFAULT, Bootstrap
from envs.units import FloatArray

PERMUTATIONS = 40_320
"""Of up to eight points all are taken."""


@dataclass(frozen=True)
class Trend:
    """Kendall's tau-b of means with the points that they were taken at.

    Attributes:
        interval: over resampled rows.
        p_value: two-sided, of the same means in any other order; 1 where all are equal.
    """

    interval: Interval
    p_value: float


def rank_trend(points: Sequence[float], values: NDArray[np.number], bootstrap: Bootstrap = DEFAULT) -> Trend:
    """The trend of means over N independent rows.

    Args:
        points: P >= 2 different ones.
        values: [N, P], a row's values at all points.
        bootstrap: of the rows.

    Raises:
        ValueError: shapes that do not fit, points that are equal, or values that are not finite.
    """
    x, table = np.asarray(points, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not len(table) or table.shape[1:] != x.shape or len(np.unique(x)) != len(x) or len(x) < 2:
        raise ValueError(f"a trend needs values [N, P] at P >= 2 different points, got {table.shape} and {x.tolist()}")
    if not np.isfinite(table).all():
        raise ValueError("values must be finite, got NaN or infinity")
    ahead, after = np.triu_indices(len(x), 1)
    order = np.sign(x[after] - x[ahead])

    def tau(means: FloatArray, axis: int = -1) -> FloatArray:  # noqa: ARG001 scipy gives the last one
        """Of means [..., P], each with the points."""
        signs = np.sign(means[..., after] - means[..., ahead])
        compared = np.count_nonzero(signs, axis=-1) * len(order)
        return np.divide(signs @ order, np.sqrt(compared), out=np.zeros(means.shape[:-1]), where=compared > 0)

    means = table.mean(axis=0)
    low, high = bootstrap.limits((len(table),), lambda counts: tau(counts @ table / len(table)))
    interval = Interval(float(tau(means)), float(low), float(high))
    test = permutation_test(
        (means,), tau, vectorized=True, permutation_type="pairings", n_resamples=PERMUTATIONS, rng=bootstrap.seed
    )
    return Trend(interval, float(test.pvalue))
