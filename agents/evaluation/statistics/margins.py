"""Means over two things that are both drawn by chance, every one of the one with every one of the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from agents.evaluation.statistics.interval import Interval
from agents.evaluation.statistics.resampling import DEFAULT, Bootstrap
from envs.units import FloatArray


@dataclass(frozen=True, eq=False)
class Margins:
    """Values of N states with R requests each, [..., N, R], kept by their means over either.

    They are all that the mean over both and its interval need: states and requests are resampled independently (the
    pigeonhole bootstrap), and what is left, of a state with a request, changes a resampled mean by a share of one in N
    or R of what each of the two does. Differences and means of such values are those of their margins.

    Source: own derivation (the first two terms of Hoeffding's decomposition).

    Attributes:
        by_state: float64 [..., N], means over requests.
        by_request: float64 [..., R], means over states.
    """

    by_state: FloatArray
    by_request: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Over states and requests, [...]."""
        return np.asarray(self.by_state.mean(axis=-1))

    def __sub__(self, other: Margins) -> Margins:
        return Margins(self.by_state - other.by_state, self.by_request - other.by_request)

    def __mul__(self, factor: float) -> Margins:
        return Margins(factor * self.by_state, factor * self.by_request)

    def __getitem__(self, index: Any) -> Margins:
        return Margins(self.by_state[index], self.by_request[index])

    def over_first(self) -> Margins:
        """Means over all axes but the last ones: of agents, or of cells that share the luck of states and requests."""
        return Margins(*(each.reshape(-1, each.shape[-1]).mean(axis=0) for each in (self.by_state, self.by_request)))

    @property
    def sizes(self) -> tuple[int, int]:
        """N and R."""
        return self.by_state.shape[-1], self.by_request.shape[-1]

    def drawn_means(self, counts: FloatArray) -> FloatArray:
        """Means of each of the K values over resampled states and requests, [B, K].

        Args:
            counts: of `Bootstrap.counts` for `sizes`.
        """
        mean = self.mean.reshape(-1)
        margins = (each.reshape(-1, each.shape[-1]) for each in (self.by_state, self.by_request))
        parts = [(each - mean[:, None]).T / each.shape[-1] for each in margins]
        return np.asarray(mean + counts @ np.concatenate(parts))

    def intervals(self, bootstrap: Bootstrap = DEFAULT) -> list[Interval]:
        """Means of each of the values with bootstrap intervals over states and requests."""
        low, high = bootstrap.limits(self.sizes, self.drawn_means)
        return [Interval(*map(float, each)) for each in zip(self.mean.reshape(-1), low, high, strict=True)]

    def interval(self, bootstrap: Bootstrap = DEFAULT) -> Interval:
        """The same of values [N, R]."""
        (each,) = self.intervals(bootstrap)
        return each


def margins_of(values: ArrayLike) -> Margins:
    """Those of values [..., N, R]."""
    table = np.asarray(values, dtype=np.float64)
    return Margins(table.mean(axis=-1), table.mean(axis=-2))
