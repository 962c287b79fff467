"""A vector of objectives for multi-objective agents; MO-Gymnasium's wrappers take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from envs.rewards.interface import Outcome, Reward
from envs.rewards.qoe import QoE, objectives
from envs.rewards.satisfaction import Satisfaction
from envs.units import FloatArray


@dataclass(frozen=True, kw_only=True)
class Objectives(Reward):
    """Satisfaction, and the objectives of the quality of experience before they are weighed; the larger the better.

    | entry | term | bounds |
    |---|---|---|
    | 0 | `satisfaction` | 0 .. 1 |
    | 1 | `quality` of the image | psnr_weight - 1 .. psnr_weight + ssim_weight |
    | 2 | `latency`, minus its share of `latency_max_s` | -1 .. 0 |
    | 3 | `energy`, minus its share of `energy_max_j` | -1 .. 0 |

    A weighted sum with weights (0, w_1, w_2, w_3) is the reward `qoe`, with (1, 0, 0, 0) the reward `satisfaction`.

    Attributes:
        scales: its inner weights and its scales of latency and energy; see `QoE`.
    """

    scales: QoE = field(default_factory=QoE)

    names = ("satisfaction", "quality", "latency", "energy")
    metrics = QoE.metrics
    is_vector = True

    @property
    def low(self) -> FloatArray:
        """Least values, float64 [4]."""
        return np.array([0.0, self.scales.quality_bounds[0], -1.0, -1.0])

    @property
    def high(self) -> FloatArray:
        """Largest values, float64 [4]."""
        return np.array([1.0, self.scales.quality_bounds[1], 0.0, 0.0])

    def terms(self, outcome: Outcome) -> dict[str, FloatArray]:
        """The four objectives."""
        return Satisfaction().terms(outcome) | objectives(outcome, self.scales)

    def total(self, terms: Mapping[str, FloatArray]) -> FloatArray:
        """The terms side by side, float64 [..., 4]."""
        return np.stack(np.broadcast_arrays(*(terms[name] for name in self.names)), axis=-1)
