"""Policies by their scores in strata: an array a task (a scenario), a score a run (a training run, or a session).

Source: Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", 2021, sections 4.1 to
4.3. Runs are resampled within their task; limits are NaN where no task has two runs, because a bootstrap of single ones
has no width and says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import trim_mean

from agents.evaluation.statistics.interval import Interval
from agents.evaluation.statistics.resampling import DEFAULT, Bootstrap
from envs.units import FloatArray

Strata = Sequence[ArrayLike]
"""Scores [R_t] of each task t; the tasks may have different numbers of runs."""

CUT = 0.25
"""Share of the scores that is left out of an interquartile mean at either end."""


def interquartile_mean(scores: Strata) -> float:
    """Mean of the middle half of all scores, the tasks together; `floor(N / 4)` of N are left out at either end.

    Raises:
        ValueError: no task, a task without scores or with ones that are not finite, or scores that are not [R].
    """
    return float(trim_mean(np.concatenate(_checked(scores)), CUT))


def iqm_interval(scores: Strata, bootstrap: Bootstrap = DEFAULT) -> Interval:
    """The interquartile mean with its interval.

    Raises:
        ValueError: as of `interquartile_mean`.
    """
    strata = _checked(scores)
    flat = np.concatenate(strata)
    order = np.argsort(flat, kind="stable")
    limits = _limits(strata, lambda counts: trimmed_means(flat[order], counts[:, order]), bootstrap)
    return Interval(interquartile_mean(strata), *map(float, limits))


def trimmed_means(values: FloatArray, counts: FloatArray) -> FloatArray:
    """Interquartile means [B] of resamples that are given as counts, without building or sorting them.

    Args:
        values: float64 [N], sorted.
        counts: float64 [B, N], how often each value is in a resample; each row adds up to N.
    """
    total = len(values)
    cut = int(CUT * total)
    inside = np.clip(counts.cumsum(axis=1), cut, total - cut)
    return np.diff(inside, axis=1, prepend=cut) @ values / (total - 2 * cut)


def probability_of_improvement(scores: Strata, baseline: Strata, bootstrap: Bootstrap = DEFAULT) -> Interval:
    """Chance that a run of a policy scores above a run of the baseline, independent of each other; ties count half.

    The mean over tasks of the Mann-Whitney statistic over all pairs of runs. Both policies' runs are resampled,
    independently; their numbers may differ.

    Raises:
        ValueError: as of `interquartile_mean`; different numbers of tasks.
    """
    own, other = _checked_pair(scores, baseline)
    wins = [_wins(x[:, None], y) for x, y in zip(own, other, strict=True)]

    def chance(counts: FloatArray) -> FloatArray:
        parts = _by_task(counts, [*own, *other])
        tasks = zip(parts[: len(own)], wins, parts[len(own) :], strict=True)
        return np.mean([((a @ win) * b).sum(axis=1) / win.size for a, win, b in tasks], axis=0)

    point = np.mean([each.mean() for each in wins])
    return Interval(float(point), *map(float, _limits([*own, *other], chance, bootstrap)))


def paired_improvement(scores: Strata, baseline: Strata, bootstrap: Bootstrap = DEFAULT) -> Interval:
    """Share of sessions in which a policy does better than the baseline on the same requests; ties count half.

    The luck of a session is in both scores: over pairs of different sessions, as in `probability_of_improvement`, it
    hides what policies do. Both policies' sessions are resampled together.

    Source: own derivation; the sign statistic in place of the Mann-Whitney one.

    Raises:
        ValueError: as of `probability_of_improvement`; different numbers of sessions.
    """
    own, other = _checked_pair(scores, baseline)
    if _sizes(own) != _sizes(other):
        raise ValueError(f"paired scores must be of the same sessions, got {_sizes(own)} and {_sizes(other)}")
    wins = [_wins(x, y) for x, y in zip(own, other, strict=True)]
    point = np.mean([each.mean() for each in wins])
    return Interval(float(point), *map(float, _limits(own, _mean_over_tasks(wins), bootstrap)))


@dataclass(frozen=True)
class PerformanceProfile:
    """Share of runs that score above each threshold, a mean over tasks, with pointwise limits; float64 [K] each."""

    threshold: FloatArray
    share: FloatArray
    low: FloatArray
    high: FloatArray


def performance_profile(scores: Strata, thresholds: ArrayLike, bootstrap: Bootstrap = DEFAULT) -> PerformanceProfile:
    """The run-score distribution of a policy at thresholds [K].

    Raises:
        ValueError: as of `interquartile_mean`; no or not finite thresholds.
    """
    strata = _checked(scores)
    points = np.asarray(thresholds, dtype=np.float64)
    if points.ndim != 1 or not points.size or not np.isfinite(points).all():
        raise ValueError(f"thresholds must be finite numbers [K], K >= 1, got {thresholds!r}")
    above = [(each[:, None] > points).astype(np.float64) for each in strata]
    share = np.mean([each.mean(axis=0) for each in above], axis=0)
    return PerformanceProfile(points, share, *_limits(strata, _mean_over_tasks(above), bootstrap))


def _checked(scores: Strata) -> list[FloatArray]:
    strata = [np.asarray(each, dtype=np.float64) for each in scores]
    if not strata or any(each.ndim != 1 or not each.size for each in strata):
        raise ValueError(f"scores must be one array [R], R >= 1, a task; got shapes {[each.shape for each in strata]}")
    if not all(np.isfinite(each).all() for each in strata):
        raise ValueError("scores must be finite, got NaN or infinity")
    return strata


def _checked_pair(scores: Strata, baseline: Strata) -> tuple[list[FloatArray], list[FloatArray]]:
    own, other = _checked(scores), _checked(baseline)
    if len(own) != len(other):
        raise ValueError(f"both policies need scores of the same tasks, got {len(own)} and {len(other)}")
    return own, other


def _sizes(strata: Sequence[FloatArray]) -> tuple[int, ...]:
    return tuple(len(each) for each in strata)


def _wins(own: FloatArray, other: FloatArray) -> FloatArray:
    return (own > other) + 0.5 * (own == other)


def _limits(
    strata: Sequence[FloatArray], statistic: Callable[[FloatArray], FloatArray], bootstrap: Bootstrap
) -> FloatArray:
    """Limits [2, ...] of a statistic of counts."""
    sizes = _sizes(strata)
    if max(sizes) == 1:
        return np.full((2, *statistic(np.ones((1, len(sizes)))).shape[1:]), np.nan)
    return bootstrap.limits(sizes, statistic)


def _by_task(counts: FloatArray, strata: Sequence[FloatArray]) -> list[FloatArray]:
    """Counts [B, sum of R_t] of resamples, those [B, R_t] of each task for themselves."""
    return np.split(counts, np.cumsum(_sizes(strata))[:-1], axis=1)


def _mean_over_tasks(values: Sequence[FloatArray]) -> Callable[[FloatArray], FloatArray]:
    """The statistic of counts: mean over tasks of the means of values [R_t] or [R_t, K] within them; [B] or [B, K]."""

    def mean(counts: FloatArray) -> FloatArray:
        # Sums first, then the division: shares then stay within 0 and 1 to the last digit.
        tasks = zip(_by_task(counts, values), values, strict=True)
        return np.mean([part @ each / len(each) for part, each in tasks], axis=0)

    return mean
