"""Trained agents as policies."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sb3_contrib import MaskablePPO
from stable_baselines3.common.base_class import BaseAlgorithm

from agents.factory import ALGORITHMS
from agents.policies.base import Actions, Observations, Policy, check_plan_names

_MARKS = {
    "d3qn": "double",
    "d2sac": "actor_lr_scale",
    "linucb": "ridge",
    "qrdqn": "n_quantiles",
    "dqn": "target_update_interval",
    "ppo": "clip_range",
}
"""An attribute that an algorithm has and those after it have not."""


class TrainedPolicy(Policy):
    """The greedy policy of a trained agent: no exploration, the most likely action of a stochastic one.

    Args:
        agent: the trained agent.
        env: the unwrapped environment, whose action masks are passed to an agent that takes them, if it has any and is
            asked about its present observations, one an environment.
    """

    def __init__(self, agent: BaseAlgorithm, env: Any = None) -> None:
        self.agent, self._env = agent, env

    @classmethod
    def load(cls, path: str | os.PathLike[str], env: Any = None) -> TrainedPolicy:
        """Load an agent saved by its `save`, on the CPU. It unpickles: load only files that you trust.

        Raises:
            ValueError: no such file, or not one of an agent made by this package.
        """
        name = _algorithm_of(path)
        try:
            agent = ALGORITHMS[name].load(Path(path), device="cpu")
        except Exception as error:  # what a damaged or foreign pickle raises can be anything
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise ValueError(f"{os.fspath(path)} cannot be loaded as a trained {name}: {reason}") from error
        return cls(agent, env)

    def actions(self, observations: Observations) -> Actions:
        """Greedy actions, int64 [N]."""
        if not isinstance(self.agent, MaskablePPO):
            return self.agent.predict(observations, deterministic=True)[0]
        return self.agent.predict(observations, deterministic=True, action_masks=self._masks(len(observations)))[0]

    def _masks(self, num_observations: int) -> NDArray[np.bool_] | None:
        if not hasattr(self._env, "action_masks") or getattr(self._env, "num_envs", 1) != num_observations:
            return None
        return np.atleast_2d(self._env.action_masks())

    def check(self, env: Any, name: str) -> None:
        """Check that the agent fits an environment's spaces, and its plans where the agent knows them.

        Raises:
            ValueError: it does not; the message names both sides.
        """
        for kind in ("action_space", "observation_space"):
            own, given = getattr(self.agent, kind), getattr(env, f"single_{kind}", getattr(env, kind))
            if own != given:
                raise ValueError(f"policy {name!r} was trained with {kind} {own}, the environment has {given}")
        check_plan_names(name, getattr(self.agent, "plan_names", None), env.model.plan_names)


def saved_attributes(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The attributes in the zip of an agent, read as JSON: nothing is unpickled.

    Raises:
        ValueError: no such file, or not one of a trained agent.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open("data") as file:
            return dict(json.load(file))
    except Exception as error:  # what a damaged archive raises can be anything
        raise ValueError(f"not the zip of a trained agent: {os.fspath(path)} ({error})") from error


def _algorithm_of(path: str | os.PathLike[str]) -> str:
    attributes = saved_attributes(path)
    name = next((name for name, mark in _MARKS.items() if mark in attributes), "a2c")
    is_masked = name == "ppo" and "maskable" in attributes.get("policy_class", {}).get("__module__", "")
    return "maskable_ppo" if is_masked else name
