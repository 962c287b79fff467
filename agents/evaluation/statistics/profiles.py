"""Performance profiles: the share of runs that score above each threshold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.evaluation.statistics.resampling import CONFIDENCE, RESAMPLES, SEED, check_resamples, tails, weight_chunks
from agents.evaluation.statistics.strata import Strata, can_be_resampled, checked_strata, mean_over_tasks, sizes_of


@dataclass(frozen=True)
class PerformanceProfile:
    """Share of runs above thresholds; float64 [K] each.

    Attributes:
        threshold: scores.
        share: in [0, 1], of runs that score above the threshold; a mean over tasks.
        low, high: pointwise confidence limits of the share, NaN where no task has two runs.
    """

    threshold: NDArray[np.float64]
    share: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def performance_profile(
    scores: Strata,
    thresholds: ArrayLike,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> PerformanceProfile:
    """The run-score distribution of a policy, with a stratified bootstrap band.

    Source: Agarwal et al., 2021, section 4.2.

    Args:
        scores: [R_t] of each task.
        thresholds: [K].
        confidence: of the band, at each threshold.
        resamples: of the bootstrap.
        seed: of the resamples.

    Raises:
        ValueError: as of `checked_strata`; no or not finite thresholds; a confidence outside (0, 1); no resamples.
    """
    strata = checked_strata(scores)
    points = np.asarray(thresholds, dtype=np.float64)
    if points.ndim != 1 or not points.size or not np.isfinite(points).all():
        raise ValueError(f"thresholds must be finite numbers [K], K >= 1, got {thresholds!r}")
    ends = tails(confidence)
    check_resamples(resamples)
    above = [(each[:, None] > points).astype(np.float64) for each in strata]
    share = np.mean([each.mean(axis=0) for each in above], axis=0)
    if not can_be_resampled(strata):
        unknown = np.full(len(points), np.nan)
        return PerformanceProfile(points, share, unknown, unknown)
    drawn = np.concatenate(
        [mean_over_tasks(counts, above) for counts in weight_chunks(sizes_of(strata), resamples, seed)]
    )
    low, high = np.quantile(drawn, ends, axis=0)
    return PerformanceProfile(points, share, low, high)
