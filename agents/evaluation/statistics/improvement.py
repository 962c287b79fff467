"""How probable it is that one policy does better than another."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from agents.evaluation.statistics.means import Interval
from agents.evaluation.statistics.resampling import CONFIDENCE, RESAMPLES, SEED, check_resamples, tails, weight_chunks
from agents.evaluation.statistics.strata import Strata, can_be_resampled, checked_strata, mean_over_tasks, sizes_of


def probability_of_improvement(
    scores: Strata,
    baseline: Strata,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Chance that a run of a policy scores above a run of the baseline, independent of each other; ties count half.

    The mean over tasks of the Mann-Whitney statistic over all pairs of runs. Both policies' runs are resampled,
    independently, within each task.

    Source: Agarwal et al., 2021, section 4.3.

    Args:
        scores, baseline: [R_t] of each task; the numbers of runs may differ.
        confidence: of the interval.
        resamples: of the bootstrap.
        seed: of the resamples.

    Returns:
        The probability and its limits, NaN where no task of either has two runs.

    Raises:
        ValueError: as of `checked_strata`; different numbers of tasks; a confidence outside (0, 1); no resamples.
    """
    own, other = _checked_pair(scores, baseline)
    ends = tails(confidence)
    check_resamples(resamples)
    wins = [_wins(x[:, None], y[None, :]) for x, y in zip(own, other, strict=True)]
    point = float(np.mean([each.mean() for each in wins]))
    if not can_be_resampled([*own, *other]):
        return Interval(point, float("nan"), float("nan"))
    # One draw of both policies' runs: the strata are the tasks of the one, then those of the other.
    sizes = sizes_of([*own, *other])
    starts = np.concatenate([[0], np.cumsum(sizes)])
    drawn = []
    for counts in weight_chunks(sizes, resamples, seed):
        parts = [counts[:, start:stop] for start, stop in pairwise(starts)]
        tasks = zip(parts[: len(own)], wins, parts[len(own) :], strict=True)
        drawn.append(np.mean([((a @ win) * b).sum(axis=1) / win.size for a, win, b in tasks], axis=0))
    low, high = np.quantile(np.concatenate(drawn), ends)
    return Interval(point, float(low), float(high))


def paired_improvement(
    scores: Strata,
    baseline: Strata,
    *,
    confidence: float = CONFIDENCE,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """Share of sessions in which a policy does better than the baseline on the same requests; ties count half.

    The luck of a session is in both scores: over pairs of different sessions, as in `probability_of_improvement`, it
    hides what policies do. Sessions are resampled within each task, those of both policies together.

    Source: own derivation; the sign statistic in place of the Mann-Whitney one.

    Args:
        scores, baseline: [R_t] of each task, the same sessions in the same order.
        confidence: of the interval.
        resamples: of the bootstrap.
        seed: of the resamples.

    Returns:
        The share, a mean over tasks, and its limits, NaN where no task has two sessions.

    Raises:
        ValueError: as of `probability_of_improvement`; different numbers of sessions.
    """
    own, other = _checked_pair(scores, baseline)
    if sizes_of(own) != sizes_of(other):
        raise ValueError(f"paired scores must be of the same sessions, got {sizes_of(own)} and {sizes_of(other)}")
    ends = tails(confidence)
    check_resamples(resamples)
    wins = [_wins(x, y) for x, y in zip(own, other, strict=True)]
    point = float(np.mean([each.mean() for each in wins]))
    if not can_be_resampled(own):
        return Interval(point, float("nan"), float("nan"))
    drawn = np.concatenate([mean_over_tasks(counts, wins) for counts in weight_chunks(sizes_of(own), resamples, seed)])
    low, high = np.quantile(drawn, ends)
    return Interval(point, float(low), float(high))


def _wins(own: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return (own > other) + 0.5 * (own == other)


def _checked_pair(scores: Strata, baseline: Strata) -> tuple[list[NDArray[np.float64]], list[NDArray[np.float64]]]:
    own, other = checked_strata(scores), checked_strata(baseline)
    if len(own) != len(other):
        raise ValueError(f"both policies need scores of the same tasks, got {len(own)} and {len(other)}")
    return own, other
