"""Exported policies: files that decide without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.plan_names import check_plan_names
from agents.policies.base import Actions, Observations, Policy
from envs import observation_to_state

SUFFIXES = (".onnx", ".safetensors")


class Network(Protocol):
    """What both kinds of file become."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the state's quantities, in order."""

    @property
    def plans(self) -> tuple[str, ...]:
        """Of the actions, in order."""

    def actions(self, state: ArrayLike) -> Actions:
        """Actions, int64 [N], of physical values [N, O]."""


def physical_state(observations: Observations) -> NDArray[np.float64]:
    """Observations [N, 7] in physical units, float64 [N, 7]: what an exported policy gets."""
    return np.stack(list(observation_to_state(observations).values()), axis=1)


class ExportedPolicy(Policy):
    """A file of `python -m agents.export` in the environment: it gets the observation in physical units.

    Args:
        network: the file's.
    """

    def __init__(self, network: Network) -> None:
        self.network = network

    @classmethod
    def load(cls, path: Path) -> ExportedPolicy:
        """Read a file by its suffix.

        Raises:
            ValueError: it is not an exported policy.
        """
        if path.suffix == ".onnx":
            from agents.deployment.onnx_file import OnnxNetwork

            return cls(OnnxNetwork(path))
        from agents.deployment.network import GreedyNetwork

        return cls(GreedyNetwork.load(path))

    def actions(self, observations: Observations) -> Actions:
        """Greedy actions, int64 [N]."""
        return self.network.actions(physical_state(observations))

    def check(self, env: Any, name: str) -> None:
        """Check that the file fits an environment.

        Raises:
            ValueError: it does not; the message names both sides.
        """
        observed = int(getattr(env, "single_observation_space", env.observation_space).shape[-1])
        if len(self.network.names) != observed:
            raise ValueError(
                f"policy {name!r} takes {len(self.network.names)} quantities, the environment shows {observed}"
            )
        check_plan_names(name, self.network.plans, env.model.plan_names)
