"""Uniform draws: anew each request, or once a session."""

from __future__ import annotations

import numpy as np

from envs.units import FloatArray


class Uniform:
    """Independent draws each request, uniform on [0, 1): mean 1/2, variance 1/12, no autocorrelation.

    Args:
        rows: independent draws of each environment.

    Attributes:
        values: float64 [rows, N].
    """

    values: FloatArray

    def __init__(self, rows: int = 1) -> None:
        self.rows = rows

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Draw for N sessions."""
        self.values = rng.random((self.rows, num_envs))

    def advance(self, rng: np.random.Generator) -> None:
        """Draw anew."""
        rng.random(out=self.values)


class SessionUniform:
    """One draw a session, uniform on [0, 1): mean 1/2, variance 1/12, the same at every request.

    Attributes:
        values: float64 [N].
    """

    values: FloatArray

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Draw for N sessions."""
        self.values = rng.random(num_envs)

    def advance(self, rng: np.random.Generator) -> None:
        """Nothing changes."""
