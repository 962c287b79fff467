"""A binary tree of sums: sampling in proportion to weights in logarithmic time, a batch at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class SumTree:
    """Weights >= 0 of `capacity` entries, all 0 at first.

    Attributes:
        nodes: float64 [2 L], L the power of two from `capacity` on; node k holds the sum of nodes 2k and 2k + 1, and
            node L + i the weight of entry i.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._leaves = 1 << max(0, capacity - 1).bit_length()
        self.nodes = np.zeros(2 * self._leaves)

    @property
    def total(self) -> float:
        """Sum of all weights."""
        return float(self.nodes[1])

    def get(self, entries: NDArray[np.integer]) -> NDArray[np.float64]:
        """Weights [B] of entries [B]."""
        return self.nodes[entries + self._leaves]

    def set(self, entries: NDArray[np.integer], weights: NDArray[np.floating] | float) -> None:
        """Give entries [B] their weights; where an entry is named twice the last one holds."""
        node = np.asarray(entries) + self._leaves
        self.nodes[node] = weights
        while node[0] > 1:  # all on one level; sums are taken anew, so that rounding does not pile up
            node = node >> 1
            self.nodes[node] = self.nodes[2 * node] + self.nodes[2 * node + 1]

    def find(self, mass: NDArray[np.float64]) -> NDArray[np.int64]:
        """Entries [B] at which the running sum of the weights passes `mass` [B], in [0, total)."""
        left = np.array(mass, dtype=np.float64)
        node = np.ones(len(left), dtype=np.int64)
        for _ in range(self._leaves.bit_length() - 1):
            node *= 2
            below = self.nodes[node]
            # Rounding may leave a mass at the very end: never step into a branch without weight.
            right = (left >= below) & (self.nodes[node + 1] > 0)
            left -= below * right
            node += right
        return node - self._leaves
