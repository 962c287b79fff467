"""Scores in strata: one array a task (a scenario), one score a run (a training run, or a session)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Strata = Sequence[ArrayLike]
"""Scores [R_t] of each task t; the tasks may have different numbers of runs."""


def checked_strata(scores: Strata) -> list[NDArray[np.float64]]:
    """The scores as float64 arrays.

    Raises:
        ValueError: no task, a task without scores or with ones that are not finite, or scores that are not [R].
    """
    strata = [np.asarray(each, dtype=np.float64) for each in scores]
    if not strata or any(each.ndim != 1 or not each.size for each in strata):
        raise ValueError(f"scores must be one array [R], R >= 1, a task; got shapes {[each.shape for each in strata]}")
    if not all(np.isfinite(each).all() for each in strata):
        raise ValueError("scores must be finite, got NaN or infinity")
    return strata


def sizes_of(strata: Sequence[NDArray[np.float64]]) -> tuple[int, ...]:
    """Runs of each task."""
    return tuple(len(each) for each in strata)


def can_be_resampled(strata: Sequence[NDArray[np.float64]]) -> bool:
    """Whether any task has two runs: a bootstrap of single ones has no width and says nothing."""
    return any(len(each) > 1 for each in strata)


def mean_over_tasks(counts: NDArray[np.float64], strata: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Means over tasks of the means within them, for resamples that are given as counts.

    Args:
        counts: float64 [B, sum of R_t], how often each run is in a resample.
        strata: values [R_t] or [R_t, K] of each task.

    Returns:
        float64 [B] or [B, K].
    """
    starts = np.cumsum([0, *sizes_of(strata)])
    own = (counts[:, start:stop] for start, stop in pairwise(starts))
    # Sums first, then the division: shares then stay within 0 and 1 to the last digit.
    return np.mean([part @ values / len(values) for part, values in zip(own, strata, strict=True)], axis=0)
