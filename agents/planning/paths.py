"""What happens to a session whatever is decided, and functions of it whose mean one request later is known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import SplitVectorEnv


def state_features(gaussians: NDArray[np.float64], latency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hermite polynomials of the correlated quantities up to degree 2, Legendre's of the latency, and products.

    Args:
        gaussians: [G, N], the Gauss-Markov processes, of variance 1.
        latency: [N], the latency requirement before it is mapped to its range, uniform on [0, 1].

    Returns:
        float64 [N, J].
    """
    z, shifted = gaussians, 2.0 * latency - 1.0
    columns = [np.ones_like(latency), *z, *(z**2 - 1.0)]
    columns += [first * second for first, second in combinations(z, 2)]
    columns += [shifted, (3.0 * shifted**2 - 1.0) / 2.0, *(shifted * z)]
    return np.stack(columns, axis=1)


def feature_decay(num_gaussians: int, correlation: float) -> NDArray[np.float64]:
    """Factor by which the mean of each feature shrinks from one request to the next, float64 [J].

    `E[He_n(z') | z] = rho^n He_n(z)` for a Gauss-Markov process of correlation rho; what holds the latency, which is
    drawn anew, has mean 0. Source: Mehler's formula.
    """
    g = num_gaussians
    degrees = [0] + [1] * g + [2] * (g + g * (g - 1) // 2)
    return np.concatenate([np.float64(correlation) ** np.array(degrees), np.zeros(2 + g)])


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


def present_moment(env: Any) -> Moment:
    """The request that an unwrapped environment, single or vectorised, serves next."""
    scenario = env.core.get_state()["scenario"]
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


def some_sessions(path: Path, rows: slice) -> Path:
    """Some of the sessions of a path."""
    found = []
    for state, shown in ((moment.state, moment.features) for moment in path):
        features = {name: values[rows] for name, values in state.features.items()}
        arrays = {name: values[..., rows] for name, values in state._asdict().items() if name != "features"}
        found.append(Moment(state._replace(**arrays, features=features), shown[rows]))
    return found


def sample_moment(model: Any, size: int, rng: np.random.Generator) -> Moment:
    """Independent states of the stationary distribution."""
    scenario = model.new_scenario()
    scenario.reset(size, rng)
    processes = scenario.processes
    return Moment(scenario.state, state_features(processes["quantities"].values, processes["request"].values[0]))
