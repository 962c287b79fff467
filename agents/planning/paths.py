"""What happens to a session whatever is decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.planning.values import state_features
from envs import SplitVectorEnv


@dataclass(frozen=True)
class Moment:
    """One request of N sessions.

    Attributes:
        state: the request, its link and its devices.
        features: float64 [N, J], see `state_features`.
    """

    state: Any
    features: NDArray[np.float64]


Path = list[Moment]
"""The requests of N sessions, from the first to the last."""


def present_moment(env: SplitVectorEnv) -> Moment:
    """The request that an environment serves next."""
    scenario = env.get_state()["core"]["scenario"]
    return Moment(env.core.state, state_features(scenario["process.quantities"], scenario["process.request"][0]))


def record_path(env: SplitVectorEnv, seed: int) -> Path:
    """The sessions that `agents.evaluate` serves with this seed, row by row.

    Levels are those of the first request: later ones are what a policy makes of them.
    """
    env.reset(seed=seed)
    moments = []
    for _ in range(env.model.settings.episode_length):
        moments.append(present_moment(env))
        env.step(np.zeros(env.num_envs, dtype=np.int64))
    return moments


def sample_moment(model: Any, size: int, rng: np.random.Generator) -> Moment:
    """Independent states of the stationary distribution."""
    scenario = model.new_scenario()
    scenario.reset(size, rng)
    processes = scenario.processes
    return Moment(scenario.state, state_features(processes["quantities"].values, processes["request"].values[0]))
