"""Greedy policies as plain arrays that decide without torch, their files, and these in the environment."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from agents.policies.base import Actions, Observations, Policy, check_plan_names
from envs import OBSERVATION_BOUNDS, observation_to_state
from envs.files import whole_file

ACTIVATIONS = ("relu", "tanh")
LOGARITHMIC = ("bandwidth_hz",)
"""Quantities that the observation scales logarithmically."""


@dataclass(frozen=True)
class GreedyNetwork:
    """From physical units to an action: `argmax network((f(state) - low) / span)`, f the logarithm where it applies.

    Attributes:
        names: of the O quantities of the state, in order.
        low, span: float64 [O], of the scaling; in logarithms for the quantities of `LOGARITHMIC`.
        weights: float32 [out, in] of each layer.
        biases: float32 [out] of each layer.
        activation: between the layers, one of `ACTIVATIONS`.
        dueling: whether the last layer holds a state value and A advantages, instead of A values.
        plans: names of the A actions, in order.
    """

    names: tuple[str, ...]
    low: NDArray[np.float64]
    span: NDArray[np.float64]
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    activation: str
    dueling: bool
    plans: tuple[str, ...]

    @property
    def logarithmic(self) -> NDArray[np.bool_]:
        """Which quantities are scaled logarithmically, bool [O]."""
        return np.array([name in LOGARITHMIC for name in self.names])

    def normalised(self, state: ArrayLike) -> NDArray[np.float32]:
        """The observation of physical values [N, O] in the order of `names`, float32 [N, O]; as `envs` scales them."""
        values = np.array(state, dtype=np.float64)
        where = self.logarithmic
        values[:, where] = np.log(values[:, where])
        return ((values - self.low) / self.span).astype(np.float32)

    def values(self, observations: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs of the network, Q values or logits, float32 [N, A], of observations float32 [N, O]."""
        hidden = observations
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            hidden = hidden @ weight.T + bias
            hidden = np.maximum(hidden, np.float32(0)) if self.activation == "relu" else np.tanh(hidden)
        out = hidden @ self.weights[-1].T + self.biases[-1]
        if not self.dueling:
            return out
        value, advantage = out[:, :1], out[:, 1:]
        return value + advantage - advantage.mean(axis=1, keepdims=True)

    def actions(self, state: ArrayLike) -> Actions:
        """Actions, int64 [N], of physical values [N, O]; the first of equals."""
        return self.values(self.normalised(state)).argmax(axis=1)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: `low`, `span`, `weight.I`, `bias.I`, the rest in its metadata."""
        arrays: dict[str, NDArray[Any]] = {"low": self.low, "span": self.span}
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays |= {f"weight.{index}": weight, f"bias.{index}": bias}
        with whole_file(path) as partial:  # safetensors writes the memory of an array, whatever its strides
            save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial, self.metadata())

    def metadata(self) -> dict[str, str]:
        """What a file says beside its numbers; values are JSON."""
        return {
            "format": "semaigc-policy-1",
            "names": json.dumps(self.names),
            "activation": json.dumps(self.activation),
            "dueling": json.dumps(self.dueling),
            "plans": json.dumps(self.plans),
        }

    @classmethod
    def load(cls, path: str | Path) -> GreedyNetwork:
        """Read what `save` wrote; nothing in it is executed.

        Raises:
            ValueError: the file is cut short, or not of this kind.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                told = file.metadata() or {}
                if told.get("format") != "semaigc-policy-1":
                    raise ValueError("it has no format semaigc-policy-1")
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
            layers = range((len(arrays) - 2) // 2)
            return cls(
                names=tuple(json.loads(told["names"])),
                low=arrays["low"],
                span=arrays["span"],
                weights=tuple(arrays[f"weight.{index}"] for index in layers),
                biases=tuple(arrays[f"bias.{index}"] for index in layers),
                activation=json.loads(told["activation"]),
                dueling=json.loads(told["dueling"]),
                plans=tuple(json.loads(told["plans"])),
            )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ValueError(f"{path} is not an exported policy ({error})") from error


def scaling() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`low` and `span` of a `GreedyNetwork`, from physical values that are scaled to 0 and to 1."""
    ends = np.array(list(OBSERVATION_BOUNDS.values()), dtype=np.float64)
    where = [name in LOGARITHMIC for name in OBSERVATION_BOUNDS]
    ends[where] = np.log(ends[where])
    return ends[:, 0], ends[:, 1] - ends[:, 0]


def greedy_network(agent: Any, plans: Sequence[str]) -> GreedyNetwork:
    """The greedy policy of a trained agent.

    Args:
        agent: D3QN or DQN (largest Q value), PPO or A2C (largest logit), with a multilayer perceptron.
        plans: names of its actions, in order.

    Raises:
        ValueError: an agent that is not of this kind, of another observation, or plans that are not of its number.
    """
    from torch import nn

    policy = agent.policy
    if hasattr(policy, "q_net"):
        modules = list(policy.q_net.q_net)
    elif hasattr(policy, "mlp_extractor") and hasattr(policy, "action_net"):
        modules = [*policy.mlp_extractor.policy_net, policy.action_net]
    else:
        raise ValueError(f"{type(agent).__name__} cannot be exported; allowed: d3qn, dqn, ppo, a2c")
    linear = [module for module in modules if isinstance(module, nn.Linear)]
    between = {type(module).__name__.lower() for module in modules if not isinstance(module, nn.Linear)}
    if len(between) > 1 or not between <= set(ACTIVATIONS):
        raise ValueError(f"activations must all be one of {', '.join(ACTIVATIONS)}, got {', '.join(sorted(between))}")
    low, span = scaling()
    network = GreedyNetwork(
        names=tuple(OBSERVATION_BOUNDS),
        low=low,
        span=span,
        weights=tuple(module.weight.detach().numpy().copy() for module in linear),
        biases=tuple(module.bias.detach().numpy().copy() for module in linear),
        activation=between.pop() if between else "relu",
        dueling=bool(getattr(policy, "dueling", False)),
        plans=tuple(plans),
    )
    inputs, outputs = network.weights[0].shape[1], network.weights[-1].shape[0] - network.dueling
    if (inputs, outputs) != (len(network.names), len(plans)):
        raise ValueError(
            f"the agent has {inputs} observations and {outputs} actions, expected were {len(network.names)} and "
            f"{len(plans)}, one a plan"
        )
    return network


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
    """A file of `python -m agents export` in the environment: it gets the observation in physical units.

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
            from agents.policies.onnx_file import OnnxNetwork

            return cls(OnnxNetwork(path))

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
