"""The interquartile mean over runs and tasks with a stratified bootstrap interval.

Source: Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", 2021, section 4.3; the
limits are the percentile bootstrap's, the runs of each task resampled within the task (section 4.1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import trim_mean

from agents.evaluation.statistics.means import Interval
from agents.evaluation.statistics.resampling import CONFIDENCE, RESAMPLES, SEED, check_resamples, tails, weight_chunks
from agents.evaluation.statistics.strata import Strata, can_be_resampled, checked_strata, sizes_of

CUT = 0.25
"""Share of the scores that is left out at either end."""


def interquartile_mean(scores: Strata) -> float:
    """Mean of the middle half of all scores, the tasks together; `floor(N / 4)` of N are left out at either end.

    Raises:
        ValueError: as of `checked_strata`.
    """
    return float(trim_mean(np.concatenate(checked_strata(scores)), CUT))


def iqm_interval(
    scores: Strata, *, confidence: float = CONFIDENCE, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """The interquartile mean and its limits, NaN where no task has two runs.

    Args:
        scores: [R_t] of each task.
        confidence: of the interval.
        resamples: of the bootstrap.
        seed: of the resamples.

    Raises:
        ValueError: as of `checked_strata`; a confidence outside (0, 1); no resamples.
    """
    strata = checked_strata(scores)
    ends = tails(confidence)
    check_resamples(resamples)
    if not can_be_resampled(strata):
        return Interval(interquartile_mean(strata), float("nan"), float("nan"))
    flat = np.concatenate(strata)
    order = np.argsort(flat, kind="stable")
    drawn = [
        trimmed_means(flat[order], counts[:, order]) for counts in weight_chunks(sizes_of(strata), resamples, seed)
    ]
    low, high = np.quantile(np.concatenate(drawn), ends)
    return Interval(interquartile_mean(strata), float(low), float(high))


def trimmed_means(values: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Interquartile means of resamples that are given as counts, without building or sorting them.

    Args:
        values: float64 [N], sorted.
        counts: float64 [B, N], how often each value is in a resample; each row adds up to N.

    Returns:
        float64 [B].
    """
    total = len(values)
    cut = int(CUT * total)
    inside = np.clip(counts.cumsum(axis=1), cut, total - cut)
    return np.diff(inside, axis=1, prepend=cut) @ values / (total - 2 * cut)
