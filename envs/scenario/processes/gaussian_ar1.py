"""Gauss-Markov process."""

from __future__ import annotations

import math

import numpy as np

from envs.units import FloatArray


class GaussianAR1:
    """`z' = rho z + sqrt(1 - rho^2) n`: Gaussian of mean 0 and variance 1, with autocorrelation `rho ** lag`.

    Args:
        correlation: rho, in [0, 1].
        rows: independent processes of each environment.

    Attributes:
        values: float64 [rows, N].
    """

    values: FloatArray

    def __init__(self, correlation: float, rows: int = 1) -> None:
        self.correlation, self.rows = correlation, rows
        self._innovation = math.sqrt(1.0 - correlation**2)

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start N sessions in the stationary distribution."""
        self.values = rng.standard_normal((self.rows, num_envs))

    def advance(self, rng: np.random.Generator) -> None:
        """Go on to the next request."""
        noise = rng.standard_normal(self.values.shape)
        noise *= self._innovation
        self.values *= self.correlation
        self.values += noise

    def autocorrelation(self, lag: int) -> float:
        """Correlation of values that lie so many requests apart."""
        return float(self.correlation**lag)
