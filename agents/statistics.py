"""Means with seeded bootstrap intervals. Episodes are resampled whole, because requests within one are correlated.

All functions take values [N] of requests and `episodes` [N], the label of each request's episode. The interval is the
percentile bootstrap's (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 0
_CHUNK = 100


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence limits, in the unit of the values."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class BinnedMeans:
    """Means over bins of a second variable; float64 [B] each, NaN where a bin is empty.

    Attributes:
        centre: middle of each bin, in the unit of the variable.
        mean, low, high: mean and confidence limits, in the unit of the values.
        count: int64 [B], values in each bin.
    """

    centre: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


def mean_interval(
    values: ArrayLike,
    episodes: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Mean of values [N] with its bootstrap interval over episodes [N].

    Raises:
        ValueError: no values, unequal lengths, values that are not finite, a confidence outside (0, 1), no resamples.
    """
    edges = np.array([-0.5, 0.5])
    binned = binned_means(
        np.zeros(np.shape(values)), values, episodes, edges, confidence=confidence, resamples=resamples, seed=seed
    )
    return Interval(float(binned.mean[0]), float(binned.low[0]), float(binned.high[0]))


def column_intervals(
    values: ArrayLike, *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES, seed: int = SEED
) -> list[Interval]:
    """Means of the columns of values [N, K] with bootstrap intervals over the N independent rows.

    All columns are resampled together, in one matrix product: far faster than one by one.

    Raises:
        ValueError: values that are not [N, K] with N and K >= 1, or as of `mean_interval`.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"values must be [N, K] with N and K >= 1, got shape {table.shape}")
    rows = np.arange(len(table))
    _validated(rows, table[:, 0], rows, np.array([-0.5, len(table) - 0.5]), confidence, resamples)
    if not np.isfinite(table).all():
        raise ValueError("values must be finite, got NaN or infinity")
    means = _resampled_means(table, np.ones((len(table), 1)), resamples, np.random.default_rng(seed))
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail], axis=0)
    return [Interval(*map(float, ends)) for ends in zip(table.mean(axis=0), low, high, strict=True)]


def paired_difference(
    values: ArrayLike,
    baseline: ArrayLike,
    episodes: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Mean of `values - baseline`, two policies on the same requests [N], with its bootstrap interval.

    What both policies share, the luck of the requests, cancels: the interval is far narrower than those of the means.

    Raises:
        ValueError: as of `mean_interval`; shapes of values and baseline that differ.
    """
    left, right = np.asarray(values, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"values and baseline must have one shape, got {left.shape} and {right.shape}")
    return mean_interval(left - right, episodes, confidence=confidence, resamples=resamples, seed=seed)


def binned_means(
    variable: ArrayLike,
    values: ArrayLike,
    episodes: ArrayLike,
    edges: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> BinnedMeans:
    """Means of values [N] over bins of variable [N], with bootstrap bands over episodes [N].

    Args:
        edges: [B + 1], increasing; a bin holds its lower edge, the last one its upper edge too.

    Raises:
        ValueError: as of `mean_interval`; edges that do not increase.
    """
    x, y, labels, limits = _validated(variable, values, episodes, edges, confidence, resamples)
    bins = np.where(x == limits[-1], len(limits) - 2, np.searchsorted(limits, x, side="right") - 1)
    inside = (bins >= 0) & (bins < len(limits) - 1)
    groups = np.unique(labels, return_inverse=True)[1]
    shape = (groups.max() + 1, len(limits) - 1)
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, (groups[inside], bins[inside]), y[inside])
    np.add.at(counts, (groups[inside], bins[inside]), 1.0)
    means = _resampled_means(sums, counts, resamples, np.random.default_rng(seed))
    tail = (1 - confidence) / 2
    filled = counts.sum(axis=0) > 0
    low, high = np.full(shape[1], np.nan), np.full(shape[1], np.nan)
    # A bin of few episodes can be missing from a resample: quantiles over those that have it.
    low[filled], high[filled] = np.nanquantile(means[:, filled], [tail, 1 - tail], axis=0)
    return BinnedMeans(
        centre=(limits[:-1] + limits[1:]) / 2,
        mean=_ratio(sums.sum(axis=0), counts.sum(axis=0)),
        low=low,
        high=high,
        count=counts.sum(axis=0).astype(np.int64),
    )


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Means [resamples, B] of resamples of the groups, from their sums and counts [G, B]."""
    groups = len(sums)
    chunks = []
    for start in range(0, resamples, _CHUNK):  # keeps the weights [chunk, G] small
        weights = rng.multinomial(groups, np.full(groups, 1 / groups), size=min(_CHUNK, resamples - start))
        chunks.append(_ratio(weights @ sums, weights @ counts))
    return np.concatenate(chunks)


def _ratio(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    shape = np.broadcast_shapes(sums.shape, counts.shape)
    return np.divide(sums, counts, out=np.full(shape, np.nan), where=np.broadcast_to(counts > 0, shape))


def _validated(
    variable: ArrayLike, values: ArrayLike, episodes: ArrayLike, edges: ArrayLike, confidence: float, resamples: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.generic], NDArray[np.float64]]:
    x, y = np.asarray(variable, dtype=np.float64), np.asarray(values, dtype=np.float64)
    labels, limits = np.asarray(episodes), np.asarray(edges, dtype=np.float64)
    if x.ndim != 1 or not x.size or x.shape != y.shape or x.shape != labels.shape:
        raise ValueError(f"variable, values and episodes must be [N], N >= 1; got {x.shape}, {y.shape}, {labels.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("variable and values must be finite, got NaN or infinity")
    if limits.ndim != 1 or len(limits) < 2 or not (np.diff(limits) > 0).all():
        raise ValueError(f"edges must be [B + 1] and increase, got {limits}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1), got {confidence}")
    if resamples < 1:
        raise ValueError(f"resamples must be >= 1, got {resamples}")
    return x, y, labels, limits
