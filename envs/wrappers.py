"""Other views of the observation, as wrappers of `SplitEnv`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Dict, MultiDiscrete
from gymnasium.utils import RecordConstructorArgs
from numpy.typing import NDArray

from envs.observation import ObservationScale

SAMPLE_SIZE = 4096


class DiscretisedObservation(gym.ObservationWrapper[NDArray[np.int64], Any, Any], RecordConstructorArgs):
    """Class of each entry of the observation, int64 [7]: `table[tuple(observation)]` is a row of a table of values.

    Classes are equally likely: their edges are quantiles of states that are sampled from the scenario.

    Args:
        env: `SplitEnv`, wrapped or not.
        bins: classes of each entry; one number for all. 1 leaves an entry out.
        seed: of the sampled states.

    Raises:
        ValueError: fewer than one class, or not one number for each entry.
    """

    def __init__(self, env: gym.Env[Any, Any], bins: int | Sequence[int] = 4, seed: int = 0) -> None:
        RecordConstructorArgs.__init__(self, bins=bins, seed=seed)
        super().__init__(env)
        model: Any = env.unwrapped.model  # type: ignore[attr-defined]
        scenario = model.new_scenario()
        scenario.reset(SAMPLE_SIZE, np.random.default_rng(seed))
        sample = model.observe(scenario.state)
        width = sample.shape[1]
        counts = list(bins) if isinstance(bins, Sequence) else [bins] * width
        if len(counts) != width or not all(isinstance(n, int | np.integer) and n >= 1 for n in counts):
            raise ValueError(f"bins must be an integer >= 1, or {width} of them, got {bins!r}")
        self.observation_space = MultiDiscrete(counts)
        self._edges = [
            np.quantile(column, np.arange(1, count) / count) for column, count in zip(sample.T, counts, strict=True)
        ]

    def observation(self, observation: NDArray[np.float32]) -> NDArray[np.int64]:
        """The classes; a value on an edge belongs to the upper one."""
        return np.array(
            [edges.searchsorted(value, side="right") for edges, value in zip(self._edges, observation, strict=True)],
            dtype=np.int64,
        )


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
