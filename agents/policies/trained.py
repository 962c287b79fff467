"""Trained agents as policies."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

from stable_baselines3.common.base_class import BaseAlgorithm

from agents.factory import ALGORITHMS
from agents.policies.base import Actions, Observations, Policy


class TrainedPolicy(Policy):
    """The greedy policy of a trained agent: no exploration, the most likely action of a stochastic one.

    Args:
        agent: the trained agent.
    """

    def __init__(self, agent: BaseAlgorithm) -> None:
        self.agent = agent

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> TrainedPolicy:
        """Load an agent saved by its `save`, on the CPU. It unpickles: load only files that you trust.

        Raises:
            ValueError: no such file, or not one of an agent made by this package.
        """
        return cls(ALGORITHMS[_algorithm_of(path)].load(Path(path), device="cpu"))

    def actions(self, observations: Observations) -> Actions:
        """Greedy actions, int64 [N]."""
        return self.agent.predict(observations, deterministic=True)[0]

    def check(self, env: Any, name: str) -> None:
        """Check that the agent fits an environment's spaces.

        Raises:
            ValueError: it does not; the message names both sides.
        """
        for kind in ("action_space", "observation_space"):
            own, given = getattr(self.agent, kind), getattr(env, f"single_{kind}", getattr(env, kind))
            if own != given:
                raise ValueError(f"policy {name!r} was trained with {kind} {own}, the environment has {given}")


def _algorithm_of(path: str | os.PathLike[str]) -> str:
    """Name of the algorithm, from the attributes in a saved zip (read as JSON, nothing is unpickled)."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open("data") as file:
            attributes = json.load(file).keys()
    except (OSError, KeyError, zipfile.BadZipFile, json.JSONDecodeError) as error:
        raise ValueError(f"not the zip of a trained agent: {os.fspath(path)} ({error})") from error
    if "double" in attributes:
        return "d3qn"
    if "target_update_interval" in attributes:
        return "dqn"
    return "ppo" if "clip_range" in attributes else "a2c"
