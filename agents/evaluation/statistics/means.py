"""Means with seeded bootstrap intervals. Episodes are resampled whole, because requests within one are correlated.

All functions take values [N] of requests and `episodes` [N], the label of each request's episode. The interval is the
percentile bootstrap's (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.evaluation.statistics.resampling import CONFIDENCE, RESAMPLES, SEED, check_resamples, tails, weight_chunks


@dataclass(frozen=True)
class Interval:
    """A mean and its confidence limits, in the unit of the values."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class GroupedMeans:
    """Means of groups of values; float64 of one shape, NaN where a group is empty.

    Attributes:
        mean, low, high: mean and confidence limits, in the unit of the values.
        count: int64, values in each group.
    """

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class BinnedMeans(GroupedMeans):
    """Means over bins of a second variable, [B] each.

    Attributes:
        centre: float64 [B], middle of each bin, in the unit of the variable.
    """

    centre: NDArray[np.float64]


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
    bins = np.zeros(np.shape(values), dtype=np.int64)
    binned = grouped_means(bins, values, episodes, 1, confidence=confidence, resamples=resamples, seed=seed)
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
    ends = tails(confidence)
    check_resamples(resamples)
    if not np.isfinite(table).all():
        raise ValueError("values must be finite, got NaN or infinity")
    means = _resampled_means(table, np.ones((len(table), 1)), resamples, seed)
    low, high = np.quantile(means, ends, axis=0)
    return [Interval(*map(float, each)) for each in zip(table.mean(axis=0), low, high, strict=True)]


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
    limits = checked_edges(edges)
    means = grouped_means(
        bin_of(variable, limits),
        values,
        episodes,
        len(limits) - 1,
        confidence=confidence,
        resamples=resamples,
        seed=seed,
    )
    return BinnedMeans(centre=(limits[:-1] + limits[1:]) / 2, **vars(means))


def grouped_means(
    bins: ArrayLike,
    values: ArrayLike,
    episodes: ArrayLike,
    num_bins: int,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> GroupedMeans:
    """Means of values [N] that lie in the bins [N], integers below num_bins or -1 for none; [num_bins] each.

    Raises:
        ValueError: as of `mean_interval`.
    """
    chosen, y, labels = _validated(bins, values, episodes)
    ends = tails(confidence)
    check_resamples(resamples)
    inside = chosen >= 0
    groups = np.unique(labels, return_inverse=True)[1]
    shape = (int(groups.max()) + 1, num_bins)
    flat = groups[inside] * num_bins + chosen[inside]
    weighted = np.bincount(flat, weights=y[inside], minlength=shape[0] * num_bins)
    sums = weighted.astype(np.float64).reshape(shape)  # of nothing inside, the counts that bincount gives are integers
    counts = np.bincount(flat, minlength=shape[0] * num_bins).reshape(shape).astype(np.float64)
    means = _resampled_means(sums, counts, resamples, seed)
    filled = counts.sum(axis=0) > 0
    low, high = np.full(num_bins, np.nan), np.full(num_bins, np.nan)
    # A bin of few episodes can be missing from a resample: quantiles over those that have it.
    low[filled], high[filled] = np.nanquantile(means[:, filled], ends, axis=0)
    return GroupedMeans(
        mean=_ratio(sums.sum(axis=0), counts.sum(axis=0)),
        low=low,
        high=high,
        count=counts.sum(axis=0).astype(np.int64),
    )


def checked_edges(edges: ArrayLike) -> NDArray[np.float64]:
    """Edges of bins, float64 [B + 1].

    Raises:
        ValueError: edges that do not increase.
    """
    limits = np.asarray(edges, dtype=np.float64)
    if limits.ndim != 1 or len(limits) < 2 or not (np.diff(limits) > 0).all():
        raise ValueError(f"edges must be [B + 1] and increase, got {limits}")
    return limits


def bin_of(variable: ArrayLike, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bin of each value, int64 as the variable; -1 outside. The last bin holds its upper edge too.

    Raises:
        ValueError: values that are not finite.
    """
    x = np.asarray(variable, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError("variable and values must be finite, got NaN or infinity")
    bins = np.where(x == edges[-1], len(edges) - 2, np.searchsorted(edges, x, side="right") - 1)
    return np.where(bins < len(edges) - 1, bins, -1).astype(np.int64)


def _resampled_means(
    sums: NDArray[np.float64], counts: NDArray[np.float64], resamples: int, seed: int
) -> NDArray[np.float64]:
    """Means [resamples, B] of resamples of the groups, from their sums and counts [G, B]."""
    drawn = weight_chunks((len(sums),), resamples, seed)
    return np.concatenate([_ratio(weights @ sums, weights @ counts) for weights in drawn])


def _ratio(sums: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    shape = np.broadcast_shapes(sums.shape, counts.shape)
    return np.divide(sums, counts, out=np.full(shape, np.nan), where=np.broadcast_to(counts > 0, shape))


def _validated(
    bins: ArrayLike, values: ArrayLike, episodes: ArrayLike
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.generic]]:
    x, y, labels = np.asarray(bins, dtype=np.int64), np.asarray(values, dtype=np.float64), np.asarray(episodes)
    if x.ndim != 1 or not x.size or x.shape != y.shape or x.shape != labels.shape:
        raise ValueError(f"variable, values and episodes must be [N], N >= 1; got {x.shape}, {y.shape}, {labels.shape}")
    if not np.isfinite(y).all():
        raise ValueError("variable and values must be finite, got NaN or infinity")
    return x, y, labels
