"""Rayleigh block fading."""

from __future__ import annotations

import numpy as np

from envs.scenario.processes.gaussian_ar1 import GaussianAR1
from envs.units import FloatArray, linear_to_db

LEAST_GAIN = 1e-12
"""Keeps a gain of exactly zero off the logarithm."""


class RayleighFading(GaussianAR1):
    """Power gain `|h|^2` of a complex Gaussian h that is constant over a request and Gauss-Markov between them.

    The gain is exponential of mean 1 and variance 1, with autocorrelation `rho ** (2 lag)`; in dB its mean is
    `-10 log10(e) gamma = -2.51` (gamma is Euler's constant) and its standard deviation
    `10 log10(e) pi / sqrt(6) = 5.57`.
    Source: own derivation; Goldsmith, "Wireless Communications" (2005), section 3.2, for the exponential power.

    Args:
        correlation: rho of h from one request to the next, in [0, 1]; 0: every request sees a new block.

    Attributes:
        values: float64 [2, N], real and imaginary part of `sqrt(2) h`.
    """

    def __init__(self, correlation: float) -> None:
        super().__init__(correlation, rows=2)

    @property
    def gain(self) -> FloatArray:
        """`|h|^2`, linear, float64 [N]."""
        return (self.values**2).sum(axis=0) / 2.0

    @property
    def gain_db(self) -> FloatArray:
        """The same in dB, float64 [N]."""
        return linear_to_db(np.maximum(self.gain, LEAST_GAIN))

    def autocorrelation(self, lag: int) -> float:
        """Correlation of gains that lie so many requests apart."""
        return float(self.correlation ** (2 * lag))
