"""Requests that every framework served at points along one axis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.experiments.options import Points
from agents.experiments.states import interval
from agents.statistics import Interval, column_intervals

Served = Mapping[str, Mapping[str, NDArray[Any]]]
"""Policy -> outcomes of the same requests."""


@dataclass(frozen=True)
class Sweep:
    """Served requests along one axis, one entry a point."""

    points: Points
    served: list[Served]

    def means(self, policy: str, measure: str) -> NDArray[np.float64]:
        """Mean at each point."""
        return np.array([each[policy][measure].mean() for each in self.served])

    def sessions(self, index: int, policy: str, measure: str) -> NDArray[np.float64]:
        """Mean of each session at one point: sessions are whole and of one length, so they weigh the same."""
        values, labels = self.served[index][policy][measure], self.served[index][policy]["episode"]
        return np.bincount(labels, weights=values) / np.bincount(labels)

    def intervals(self, policy: str, measure: str) -> list[Interval]:
        """Mean at each point with its interval over sessions."""
        points = range(len(self.points))
        return column_intervals(np.stack([self.sessions(index, policy, measure) for index in points], axis=1))

    def over_root(self, index: int, policy: str, measure: str) -> Interval:
        """A framework less ROOT at one point, on the same requests."""
        gap = self.sessions(index, policy, measure) - self.sessions(index, "root", measure)
        return interval(gap)
