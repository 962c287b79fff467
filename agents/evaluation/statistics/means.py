"""Means with bootstrap intervals, alone, in bins and in cells.

Values [N] are of requests, and `episodes` [N] label each request's episode: episodes are resampled whole, because
requests within one are correlated. `Crossed` labels, of episodes and of the profile's requests, resample both: a
profile is itself a sample of requests, which are served again and again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

from agents.evaluation.statistics.interval import Interval
from agents.evaluation.statistics.resampling import DEFAULT, Bootstrap, Crossed
from envs.units import FloatArray

Labels = ArrayLike | Crossed
"""One label [N] of each value, which is resampled, or two."""


@dataclass(frozen=True, kw_only=True)
class GroupedMeans:
    """Means of groups of values and their confidence limits, NaN where a group is empty; `count` values in each."""

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    count: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class BinnedMeans(GroupedMeans):
    """Means over bins of a second variable, [B] each; `centre` is the middle of each bin, in the variable's unit."""

    centre: FloatArray


@dataclass(frozen=True, kw_only=True)
class CellMeans(GroupedMeans):
    """Means in the cells of a map over two variables, [Y, X] each; edges [X + 1] and [Y + 1], in their units."""

    x_edges: FloatArray
    y_edges: FloatArray


def mean_interval(values: ArrayLike, episodes: Labels, bootstrap: Bootstrap = DEFAULT) -> Interval:
    """Mean of values [N] with its bootstrap interval over episodes [N], or over what is `Crossed`.

    Raises:
        ValueError: no values, unequal lengths, values that are not finite.
    """
    means = _grouped_means(np.zeros(np.shape(values), dtype=np.int64), values, episodes, 1, bootstrap)
    return Interval(float(means.mean[0]), float(means.low[0]), float(means.high[0]))


def column_intervals(values: ArrayLike, bootstrap: Bootstrap = DEFAULT) -> list[Interval]:
    """Means of the columns of values [N, K] with bootstrap intervals over the N independent rows.

    All columns are resampled together, in one matrix product: far faster than one by one.

    Raises:
        ValueError: values that are not [N, K] with N and K >= 1, or not finite.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"values must be [N, K] with N and K >= 1, got shape {table.shape}")
    if not np.isfinite(table).all():
        raise ValueError("values must be finite, got NaN or infinity")
    low, high = bootstrap.limits((len(table),), lambda counts: counts @ table / len(table))
    return [Interval(*map(float, each)) for each in zip(table.mean(axis=0), low, high, strict=True)]


def paired_difference(
    values: ArrayLike, baseline: ArrayLike, episodes: Labels, bootstrap: Bootstrap = DEFAULT
) -> Interval:
    """Mean of `values - baseline`, two policies on the same requests [N], with its bootstrap interval.

    What both policies share, the luck of the requests, cancels: the interval is far narrower than those of the means.

    Raises:
        ValueError: as of `mean_interval`; shapes of values and baseline that differ.
    """
    left, right = np.asarray(values, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"values and baseline must have one shape, got {left.shape} and {right.shape}")
    return mean_interval(left - right, episodes, bootstrap)


def student_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean of a few independent values [S], such as those of agents, with Student's interval; one alone has no limits.

    A bootstrap of three values never leaves their range and is far too narrow.
    """
    few = np.asarray(values, dtype=np.float64)
    mean = float(few.mean())
    if len(few) == 1:
        return Interval(mean, -np.inf, np.inf)
    half = float(t.ppf((1 + confidence) / 2, len(few) - 1) * few.std(ddof=1) / len(few) ** 0.5)
    return Interval(mean, mean - half, mean + half)


def drawn_sums(columns: FloatArray, labels: Labels, bootstrap: Bootstrap = DEFAULT) -> FloatArray:
    """Sums of columns [N, K] over resampled episodes, or over what is `Crossed`, [resamples, K].

    Raises:
        ValueError: values that are not finite.
    """
    if not np.isfinite(columns).all():
        raise ValueError("values must be finite, got NaN or infinity")
    if isinstance(labels, Crossed):
        single = columns.astype(np.float32)
        return np.concatenate([weights @ single for weights in bootstrap.weights(labels)]).astype(np.float64)
    groups = np.unique(np.asarray(labels), return_inverse=True)[1]
    sums = np.stack([np.bincount(groups, column) for column in columns.T], axis=1)
    return np.concatenate([counts @ sums for counts in bootstrap.counts((len(sums),))])


def binned_means(
    variable: ArrayLike, values: ArrayLike, episodes: Labels, edges: ArrayLike, bootstrap: Bootstrap = DEFAULT
) -> BinnedMeans:
    """Means of values [N] over bins of variable [N], with bootstrap bands over episodes [N], or `Crossed`.

    Args:
        edges: [B + 1], increasing; a bin holds its lower edge, the last one its upper edge too.

    Raises:
        ValueError: as of `mean_interval`; edges that do not increase.
    """
    limits = _checked_edges(edges)
    means = _grouped_means(_bin_of(variable, limits), values, episodes, len(limits) - 1, bootstrap)
    return BinnedMeans(centre=(limits[:-1] + limits[1:]) / 2, **vars(means))


def cell_means(
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    episodes: Labels,
    x_edges: ArrayLike,
    y_edges: ArrayLike,
    bootstrap: Bootstrap = DEFAULT,
) -> CellMeans:
    """Means of values [N] in the cells of x [N] and y [N]; episodes [N] are resampled whole, or what is `Crossed`.

    A cell holds its lower edges, the last ones their upper edges too.

    Raises:
        ValueError: as of `mean_interval`; edges that do not increase.
    """
    columns, rows = _checked_edges(x_edges), _checked_edges(y_edges)
    across, up = _bin_of(x, columns), _bin_of(y, rows)
    shape = len(rows) - 1, len(columns) - 1
    if across.shape != up.shape:
        raise ValueError(f"x and y must have one shape, got {across.shape} and {up.shape}")
    cell = np.where((across < 0) | (up < 0), -1, up * shape[1] + across)
    means = _grouped_means(cell, values, episodes, shape[0] * shape[1], bootstrap)
    maps = {name: values.reshape(shape) for name, values in vars(means).items()}
    return CellMeans(x_edges=columns, y_edges=rows, **maps)


def _grouped_means(
    bins: NDArray[np.int64], values: ArrayLike, episodes: Labels, num_bins: int, bootstrap: Bootstrap
) -> GroupedMeans:
    """Means of values [N] that lie in the bins [N], integers below num_bins or -1 for none; [num_bins] each."""
    y = np.asarray(values, dtype=np.float64)
    labels = episodes.episodes if isinstance(episodes, Crossed) else np.asarray(episodes)
    if bins.ndim != 1 or not bins.size or bins.shape != y.shape or bins.shape != labels.shape:
        raise ValueError(
            f"variable, values and episodes must be [N], N >= 1; got {bins.shape}, {y.shape}, {labels.shape}"
        )
    if not np.isfinite(y).all():
        raise ValueError("variable and values must be finite, got NaN or infinity")
    inside = bins >= 0
    sums, count = (np.bincount(bins[inside], weights, minlength=num_bins) for weights in (y[inside], None))
    if isinstance(episodes, Crossed):
        drawn = _crossed_means(bins, y, episodes, num_bins, bootstrap)
    else:
        drawn = _episode_means(bins, y, labels, num_bins, bootstrap)
    limits, filled = np.full((2, num_bins), np.nan), count > 0
    # A bin of few episodes can be missing from a resample: its limits are over those that have it.
    limits[:, filled] = bootstrap.limits_of(drawn[:, filled])
    mean = _ratio(sums.astype(np.float64), count)
    return GroupedMeans(mean=mean, low=limits[0], high=limits[1], count=count.astype(np.int64))


def _episode_means(
    bins: NDArray[np.int64], y: FloatArray, labels: NDArray[Any], num_bins: int, bootstrap: Bootstrap
) -> FloatArray:
    """Means in the bins of resampled episodes, [resamples, num_bins]."""
    inside, groups = bins >= 0, np.unique(labels, return_inverse=True)[1]
    shape = int(groups.max()) + 1, num_bins
    index = groups[inside] * num_bins + bins[inside]
    sums, counts = (
        np.bincount(index, weights, minlength=shape[0] * num_bins).astype(np.float64).reshape(shape)
        for weights in (y[inside], None)
    )
    return np.concatenate([_ratio(drawn @ sums, drawn @ counts) for drawn in bootstrap.counts((shape[0],))])


def _crossed_means(
    bins: NDArray[np.int64], y: FloatArray, labels: Crossed, num_bins: int, bootstrap: Bootstrap
) -> FloatArray:
    """Means in the bins of resampled episodes and requests, [resamples, num_bins]."""
    inside, centre = bins[:, None] == np.arange(num_bins), y.mean()  # single precision is for what differs from it
    columns = np.concatenate([(y - centre)[:, None] * inside, inside], axis=1, dtype=np.float32)
    drawn = np.concatenate([weights @ columns for weights in bootstrap.weights(labels)]).astype(np.float64)
    return centre + _ratio(*np.split(drawn, 2, axis=1))


def _ratio(sums: FloatArray, counts: NDArray[Any]) -> FloatArray:
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _checked_edges(edges: ArrayLike) -> FloatArray:
    limits = np.asarray(edges, dtype=np.float64)
    if limits.ndim != 1 or len(limits) < 2 or not (np.diff(limits) > 0).all():
        raise ValueError(f"edges must be [B + 1] and increase, got {limits}")
    return limits


def _bin_of(variable: ArrayLike, edges: FloatArray) -> NDArray[np.int64]:
    """The bin of each value, as `binned_means` counts them; -1 outside."""
    x = np.asarray(variable, dtype=np.float64)
    if not np.isfinite(x).all():
        raise ValueError("variable and values must be finite, got NaN or infinity")
    bins = np.where(x == edges[-1], len(edges) - 2, np.searchsorted(edges, x, side="right") - 1)
    return np.where(bins < len(edges) - 1, bins, -1).astype(np.int64)
