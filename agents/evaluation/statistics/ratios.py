"""Ratios of two means of the same things, such as the share of a way, with bootstrap intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from agents.evaluation.statistics.interval import Interval
from agents.evaluation.statistics.margins import Margins
from agents.evaluation.statistics.means import Labels, drawn_sums
from agents.evaluation.statistics.resampling import DEFAULT, Bootstrap
from envs.units import FloatArray

NOTHING = Interval(np.nan, np.nan, np.nan)


def ratio_interval(part: ArrayLike, whole: ArrayLike, labels: Labels, bootstrap: Bootstrap = DEFAULT) -> Interval:
    """Mean of `part` over that of `whole`, both [N] of the same rows, with a bootstrap interval.

    Args:
        part, whole: such as a policy's lead over another, and the bound's lead over that.
        labels: of the rows, see `mean_interval`.
        bootstrap: of the episodes, or of what is crossed.

    Returns:
        The ratio; NaN where the whole is not clear of zero, so that there is nothing to be a share of.
    """
    columns = np.stack([np.asarray(each, dtype=np.float64) for each in (part, whole)], axis=1)
    return _ratio(columns.sum(axis=0), drawn_sums(columns, labels, bootstrap), bootstrap)


def ratio_of_margins(part: Margins, whole: Margins, bootstrap: Bootstrap = DEFAULT) -> Interval:
    """The same of values [N, R] of states with requests, both of which are resampled."""
    both = Margins(*(np.stack(pair) for pair in zip(vars(part).values(), vars(whole).values(), strict=True)))
    drawn = [both.drawn_means(counts) for counts in bootstrap.counts(both.sizes)]
    return _ratio(both.mean, np.concatenate(drawn), bootstrap)


def _ratio(pair: FloatArray, drawn: FloatArray, bootstrap: Bootstrap) -> Interval:
    """Of a part and its whole [2], and of their resamples [B, 2]."""
    least, _ = bootstrap.limits_of(drawn[:, 1])
    if not (pair[1] > 0 and least > 0):
        return NOTHING
    some = drawn[drawn[:, 1] > 0]
    low, high = bootstrap.limits_of(some[:, 0] / some[:, 1])
    return Interval(float(pair[0] / pair[1]), float(low), float(high))
