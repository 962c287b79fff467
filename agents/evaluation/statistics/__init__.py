"""Means, interquartile means, improvement, profiles and maps of policies, with seeded bootstrap intervals."""

from agents.evaluation.statistics.aggregate import interquartile_mean, iqm_interval
from agents.evaluation.statistics.cells import CellMeans, cell_means
from agents.evaluation.statistics.improvement import paired_improvement, probability_of_improvement
from agents.evaluation.statistics.means import (
    BinnedMeans,
    Interval,
    binned_means,
    column_intervals,
    mean_interval,
    paired_difference,
)
from agents.evaluation.statistics.profiles import PerformanceProfile, performance_profile

__all__ = [
    "BinnedMeans",
    "CellMeans",
    "Interval",
    "PerformanceProfile",
    "binned_means",
    "cell_means",
    "column_intervals",
    "interquartile_mean",
    "iqm_interval",
    "mean_interval",
    "paired_difference",
    "paired_improvement",
    "performance_profile",
    "probability_of_improvement",
]
