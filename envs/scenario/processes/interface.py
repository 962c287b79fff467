"""What every process can do."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Process(Protocol):
    """A process that moves on once a request; what it draws depends on nothing but itself.

    Attributes:
        values: array [..., N], all that the process remembers.
    """

    values: NDArray[Any]

    def reset(self, num_envs: int, rng: np.random.Generator) -> None:
        """Start N sessions in the stationary distribution."""

    def advance(self, rng: np.random.Generator) -> None:
        """Go on to the next request."""
