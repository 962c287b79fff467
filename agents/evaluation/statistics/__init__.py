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
)
from agents.evaluation.statistics.resampling import Bootstrap, Crossed
from agents.evaluation.statistics.scores import (
    PerformanceProfile,
    interquartile_mean,
    iqm_interval,
    paired_improvement,
    performance_profile,
    probability_of_improvement,
)

__all__ = [
    "BinnedMeans",
    "Bootstrap",
    "CellMeans",
    "Crossed",
    "Interval",
    "Margins",
    "PerformanceProfile",
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
]
