"""Observations averaged over the last requests of a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Observations = NDArray[np.float32]


class ObservationWindow:
    """Mean of the last W observations of a session, of as many as there are at its start.

    Args:
        length: W >= 1; 1 shows the observations as they are.
    """

    def __init__(self, length: int) -> None:
        self.length = length
        self._last: Observations = np.empty((0, 0, 0), dtype=np.float32)

    def reset(self, obs: Observations) -> Observations:
        """Start a session with its first observations, float32 [N, F]."""
        self._last = self._last[:0].reshape(0, *obs.shape)
        return self.append(obs)

    def append(self, obs: Observations) -> Observations:
        """Add the next observations; the means, float32 [N, F]."""
        if self.length == 1:
            return obs
        self._last = np.concatenate([self._last, obs[None]])[-self.length :]
        return self._last.mean(axis=0, dtype=np.float64).astype(np.float32)

    def get_state(self) -> dict[str, NDArray[Any]]:
        """What the window remembers, as plain arrays: what `set_state` takes."""
        return {"observations": self._last.copy()}

    def set_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go back to where `get_state` was called."""
        self._last = np.array(arrays["observations"])
