"""Means, interquartile means, improvement, profiles and maps of policies, with seeded bootstrap intervals."""

from agents.evaluation.statistics.interval import Interval, flat
from agents.evaluation.statistics.margins import Margins, margins_of
from agents.evaluation.statistics.means import (
    BinnedMeans,
    CellMeans,
    binned_means,
    cell_means,
    column_intervals,
    mean_interval,
    paired_difference,
    student_interval,
)
from agents.evaluation.statistics.ratios import NOTHING, ratio_interval, ratio_of_margins
from agents.evaluation.statistics.resampling import Bootstrap, Crossed
from agents.evaluation.statistics.scores import (
    PerformanceProfile,
    interquartile_mean,
    iqm_interval,
    paired_improvement,
    performance_profile,
    probability_of_improvement,
)
from agents.evaluation.statistics.trends import Trend, rank_trend

__all__ = [
    "NOTHING",
    "BinnedMeans",
    "Bootstrap",
    "CellMeans",
    "Crossed",
    "Interval",
    "Margins",
    "PerformanceProfile",
    "Trend",
    "binned_means",
    "cell_means",
    "column_intervals",
    "flat",
    "interquartile_mean",
    "iqm_interval",
    "margins_of",
    "mean_interval",
    "paired_difference",
    "paired_improvement",
    "performance_profile",
    "probability_of_improvement",
    "rank_trend",
    "ratio_interval",
    "ratio_of_margins",
    "student_interval",
]
