"""The observation as a dictionary in physical units."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from envs.observation import ObservationScale


class PhysicalObservation(gym.ObservationWrapper[dict[str, NDArray[np.float64]], Any, Any], RecordConstructorArgs):
    """Name -> float64 scalar array in the unit of the name, e.g. `snr_db`; names and bounds of `model.observation`.

    Args:
        env: `SplitEnv`, wrapped or not, with its observation.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        self._scale: ObservationScale = env.unwrapped.model.observation  # type: ignore[attr-defined]
        self.observation_space = Dict(  # type: ignore[assignment]
            {name: Box(low, high, (), np.float64) for name, (low, high) in self._scale.bounds.items()}
        )

    def observation(self, observation: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        """Undo the scaling; what the rounding to float32 left outside the bounds is put on them."""
        state = self._scale.to_state(observation)
        return {name: np.asarray(np.clip(value, *self._scale.bounds[name])) for name, value in state.items()}
