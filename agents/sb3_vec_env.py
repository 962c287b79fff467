"""Adapter of a native Gymnasium vector environment to stable-baselines3's `VecEnv`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv

Indices = int | Iterable[int] | None


class SB3VecEnv(VecEnv):
    """One batched environment seen as stable-baselines3's list of N.

    Infos are empty but at the end of an episode, where they hold what stable-baselines3 reads: `terminal_observation`,
    `TimeLimit.truncated` and `episode` (its return `r` and length `l`): it loops over them in Python at every step.

    Args:
        env: vector environment that resets in the same step and gives `final_obs`, as this project's does.

    Raises:
        ValueError: another autoreset mode, or a vector as reward.
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        mode = env.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(f"autoreset mode must be {AutoresetMode.SAME_STEP}, got {mode}")
        if getattr(env.unwrapped, "reward_dim", 1) != 1:
            raise ValueError(
                "stable-baselines3 learns from one number: reward must be satisfaction or qoe, got a vector"
            )
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, dtype=np.int64)

    def reset(self) -> NDArray[Any]:
        """Observations [N, ...]; the first of the seeds given by `seed` seeds the whole batch."""
        observations, _ = self.env.reset(seed=self._seeds[0])
        self._reset_seeds()
        self._returns[:], self._lengths[:] = 0, 0
        return observations

    def step_async(self, actions: NDArray[Any]) -> None:
        """Keep the actions [N] for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_], list[dict[str, Any]]]:
        """Observations [N, ...] (of the new episode where one ended), rewards [N], dones [N] and N infos."""
        observations, rewards, terminated, truncated, info = self.env.step(self._actions)
        self._returns += rewards
        self._lengths += 1
        dones = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for index in np.flatnonzero(dones):
            infos[index] = {
                "terminal_observation": info["final_obs"][index],
                "TimeLimit.truncated": bool(truncated[index] and not terminated[index]),
                "episode": {"r": float(self._returns[index]), "l": int(self._lengths[index])},
            }
        self._returns[dones], self._lengths[dones] = 0, 0
        return observations, rewards, dones, infos

    def get_state(self) -> dict[str, Any]:
        """Where the batch and its running episodes stand: nested dictionaries of numbers and arrays."""
        return {
            "returns": self._returns.copy(),
            "lengths": self._lengths.copy(),
            "env": self.env.unwrapped.get_state(),  # type: ignore[attr-defined]
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go back to what `get_state` gave.

        Raises:
            ValueError: the state is of another number of sessions.
        """
        self.env.unwrapped.set_state(state["env"])  # type: ignore[attr-defined]
        self._returns[:], self._lengths[:] = state["returns"], state["lengths"]

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are possible now, bool [N, P]; all where the environment does not say."""
        env: Any = self.env.unwrapped
        if hasattr(env, "action_masks"):
            return np.asarray(env.action_masks(), dtype=np.bool_)
        shape = self.num_envs, int(self.action_space.n)  # type: ignore[attr-defined]
        return np.ones(shape, dtype=np.bool_)

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """The batch's attribute, once for each index."""
        if attr_name == "action_masks":  # sb3-contrib asks whether there are masks
            return [self.action_masks for _ in self._get_indices(indices)]
        return [getattr(self.env.unwrapped, attr_name) for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Indices = None) -> None:
        """Set the batch's attribute; there is one for all, so `indices` must be None."""
        if indices is not None:
            raise ValueError(f"attributes are common to all environments; indices must be None, got {indices}")
        setattr(self.env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: Indices = None, **method_kwargs: Any
    ) -> list[Any]:
        """Call a method of the batch once; its result, once for each index, but of `action_masks` a row for each."""
        if method_name == "action_masks":
            return list(self.action_masks()[list(self._get_indices(indices))])
        result = getattr(self.env.unwrapped, method_name)(*method_args, **method_kwargs)
        return [result for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Indices = None) -> list[bool]:
        """Whether each environment does what a wrapper of single ones does: that of `Monitor`, and no other's."""
        return [wrapper_class is Monitor for _ in self._get_indices(indices)]
