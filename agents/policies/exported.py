"""Exported policies: greedy networks in files that decide without torch, by numpy (safetensors) or onnxruntime."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from agents.policies.acting import normalisation_of
from agents.policies.base import Actions, Observations, Policy, check_plan_names
from envs import OBSERVATION_BOUNDS, observation_to_state
from envs.files import whole_file

ACTIVATIONS = ("relu", "tanh")
LOGARITHMIC = ("bandwidth_hz",)
"""Quantities that the observation scales logarithmically."""
EXPORTABLE = ("d3qn", "dqn", "ppo", "maskable_ppo", "a2c", "trpo")
NORMALISED = "decides on observations that VecNormalize scaled, which an exported file does not do"
UNITS = {"edge_density": "cycles/bit", "user_density": "cycles/bit", "snr_db": "dB", "latency_low_s": "s"}
UNITS |= dict.fromkeys(("edge_capability_hz", "user_capability_hz", "bandwidth_hz"), "Hz")
FORMAT = "semaigc-policy-2"
ABOUT = (
    "Input: values [N, O] of the quantities `names`, in `units`. x = (f - low) / span, float32 [N, O], where f is the "
    "natural logarithm of a value of `logarithmic`, and of the others the value itself; so x is in [0, 1]. Each layer "
    "I is x @ weight.I.T + bias.I (weight.I [out, in], bias.I [out]), with `activation` between two layers and nothing "
    "after the last. Its outputs are a Q value or logit of each of the A `plans`; if `dueling`, the first of 1 + A "
    "outputs is the value V of the state and the others are advantages: Q = V + advantage - mean(advantage). The "
    "action is the index of the largest."
)
"""What a file says of itself, beside the facts that this names."""
OPSET, IR_VERSION = 17, 9  # old enough for the runtimes that small devices have


def physical_state(observations: Observations) -> NDArray[np.float64]:
    """Observations [N, 7] in physical units, float64 [N, 7]: what an exported policy gets."""
    return np.stack(list(observation_to_state(observations).values()), axis=1)


class ExportedPolicy(Policy):
    """A file of `python -m agents export`, which decides on physical units.

    Attributes:
        names: of the O quantities of the state, in order.
        plans: names of the A actions, in order.
    """

    names: tuple[str, ...]
    plans: tuple[str, ...]

    @abstractmethod
    def decide(self, state: ArrayLike) -> Actions:
        """Actions, int64 [N], of physical values [N, O]; the first of equals."""

    def actions(self, observations: Observations) -> Actions:
        """Actions, int64 [N], of the environment's observations [N, 7]."""
        return self.decide(physical_state(observations))

    def check(self, env: Any, name: str) -> None:
        """Check that the file fits an environment.

        Raises:
            ValueError: it does not; the message names both sides.
        """
        observed = int(getattr(env, "single_observation_space", env.observation_space).shape[-1])
        if len(self.names) != observed:
            raise ValueError(f"policy {name!r} takes {len(self.names)} quantities, the environment shows {observed}")
        check_plan_names(name, self.plans, env.model.plan_names)


@dataclass(frozen=True)
class GreedyNetwork(ExportedPolicy):
    """From physical units to an action: `argmax network((f(state) - low) / span)`, f the logarithm where it applies.

    Attributes:
        names, plans: see `ExportedPolicy`.
        logarithmic: names of the quantities that are scaled logarithmically.
        low, span: float64 [O], of the scaling; in logarithms for these.
        weights: float32 [out, in] of each layer.
        biases: float32 [out] of each layer.
        activation: between the layers, one of `ACTIVATIONS`.
        dueling: whether the last layer holds a state value and A advantages, instead of A values.
    """

    names: tuple[str, ...]
    logarithmic: tuple[str, ...]
    low: NDArray[np.float64]
    span: NDArray[np.float64]
    weights: tuple[NDArray[np.float32], ...]
    biases: tuple[NDArray[np.float32], ...]
    activation: str
    dueling: bool
    plans: tuple[str, ...]

    @property
    def is_logarithmic(self) -> NDArray[np.bool_]:
        """Which quantities are scaled logarithmically, bool [O]."""
        return np.array([name in self.logarithmic for name in self.names])

    def normalised(self, state: ArrayLike) -> NDArray[np.float32]:
        """The observation of physical values [N, O] in the order of `names`, float32 [N, O]; as `envs` scales them."""
        values = np.array(state, dtype=np.float64)
        where = self.is_logarithmic
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

    def decide(self, state: ArrayLike) -> Actions:
        """The action of the largest value, int64 [N]."""
        return self.values(self.normalised(state)).argmax(axis=1)

    def save(self, path: Path) -> None:
        """Write an ONNX file (see `_onnx_model`), or a safetensors file: `low`, `span`, `weight.I`, `bias.I`.

        Both say in their metadata what they are: `about` in words, and as JSON the facts that it names.

        Raises:
            ModuleNotFoundError: an ONNX file without the extra `deploy`.
        """
        facts = {name: getattr(self, name) for name in ("names", "logarithmic", "activation", "dueling", "plans")}
        facts["units"] = [UNITS.get(name, "") for name in self.names]
        metadata = {"format": FORMAT, "about": ABOUT} | {name: json.dumps(value) for name, value in facts.items()}
        if path.suffix == ".onnx":
            import onnx

            model = _onnx_model(self)
            onnx.helper.set_model_props(model, metadata)
            onnx.checker.check_model(model, full_check=True)
            with whole_file(path) as partial:
                onnx.save(model, partial)
            return
        arrays: dict[str, NDArray[Any]] = {"low": self.low, "span": self.span}
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays |= {f"weight.{index}": weight, f"bias.{index}": bias}
        with whole_file(path) as partial:  # safetensors writes the memory of an array, whatever its strides
            save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, partial, metadata)

    @classmethod
    def load(cls, path: Path) -> GreedyNetwork:
        """Read a safetensors file; nothing in it is executed.

        Raises:
            ValueError: the file is cut short, or not of this kind.
        """
        try:
            with safe_open(path, framework="numpy") as file:
                facts = dict(file.metadata() or {})
                if facts.pop("format", None) != FORMAT:
                    raise ValueError(f"it has no format {FORMAT}")
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
            layers = range((len(arrays) - 2) // 2)
            return cls(
                names=tuple(json.loads(facts["names"])),
                logarithmic=tuple(json.loads(facts["logarithmic"])),
                low=arrays["low"],
                span=arrays["span"],
                weights=tuple(arrays[f"weight.{index}"] for index in layers),
                biases=tuple(arrays[f"bias.{index}"] for index in layers),
                activation=json.loads(facts["activation"]),
                dueling=json.loads(facts["dueling"]),
                plans=tuple(json.loads(facts["plans"])),
            )
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise ValueError(f"{path} is not an exported policy ({error})") from error


def _onnx_model(network: GreedyNetwork) -> Any:
    """The network with its scaling: `state` double [N, O] in, `action` int64 [N] and `values` float [N, A] out."""
    from onnx import TensorProto, helper, numpy_helper

    constants: dict[str, Any] = {"low": network.low, "span": network.span, "logarithmic": network.is_logarithmic}
    constants |= {"tiny": np.float64(np.finfo(np.float64).tiny), "one": np.array([1]), "ends": np.array([2**31 - 1])}
    nodes = [
        helper.make_node("Max", ["state", "tiny"], ["positive"]),  # what is not logarithmic may be negative
        helper.make_node("Log", ["positive"], ["logarithm"]),
        helper.make_node("Where", ["logarithmic", "logarithm", "state"], ["linear"]),
        helper.make_node("Sub", ["linear", "low"], ["shifted"]),
        helper.make_node("Div", ["shifted", "span"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["hidden0"], to=TensorProto.FLOAT),
    ]
    last = len(network.weights) - 1
    for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        constants |= {f"weight{index}": weight, f"bias{index}": bias}
        out = f"layer{index}" if index < last or network.dueling else "values"
        nodes.append(helper.make_node("Gemm", [f"hidden{index}", f"weight{index}", f"bias{index}"], [out], transB=1))
        if index < last:
            nodes.append(helper.make_node(network.activation.capitalize(), [out], [f"hidden{index + 1}"]))
    if network.dueling:
        constants["zero"] = np.array([0])
        nodes += [
            helper.make_node("Slice", [f"layer{last}", "zero", "one", "one"], ["value"]),
            helper.make_node("Slice", [f"layer{last}", "one", "ends", "one"], ["advantage"]),  # along axis 1
            helper.make_node("ReduceMean", ["advantage"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("Add", ["value", "advantage"], ["sum"]),
            helper.make_node("Sub", ["sum", "mean"], ["values"]),
        ]
    nodes.append(helper.make_node("ArgMax", ["values"], ["action"], axis=1, keepdims=0))
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "greedy_policy",
        [helper.make_tensor_value_info("state", TensorProto.DOUBLE, ["N", len(network.names)])],
        [
            helper.make_tensor_value_info("action", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("values", TensorProto.FLOAT, ["N", len(network.plans)]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items() if name in used],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)


class OnnxNetwork(ExportedPolicy):
    """An ONNX file that onnxruntime runs, on one thread.

    Raises:
        ValueError: onnxruntime is not installed, or cannot read the file, or it is not of this kind.
    """

    def __init__(self, path: Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ValueError(f"{path} needs onnxruntime: pip install 'semaigc[deploy]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            facts = self._session.get_modelmeta().custom_metadata_map
            self.names, self.plans = (tuple(json.loads(facts[key])) for key in ("names", "plans"))
        except Exception as error:  # onnxruntime's errors have no public common base
            raise ValueError(f"{path} is not an exported policy ({error})") from error

    def decide(self, state: ArrayLike) -> Actions:
        """The file's actions, int64 [N]."""
        return self._session.run(["action"], {"state": np.asarray(state, dtype=np.float64)})[0]


def greedy_network(agent: Any, plans: Sequence[str]) -> GreedyNetwork:
    """The greedy policy of a trained agent.

    Args:
        agent: one of `EXPORTABLE`, with a multilayer perceptron: the largest Q value, or the largest logit.
        plans: names of its actions, in order.

    Raises:
        ValueError: an agent that is not of this kind, of another or a normalised observation, or plans that are not of
            its number.
    """
    from torch import nn

    policy = agent.policy
    if normalisation_of(agent, type(agent).__name__) is not None:
        raise ValueError(f"{type(agent).__name__} {NORMALISED}")
    if hasattr(policy, "q_net"):
        modules = list(policy.q_net.q_net)
    elif hasattr(policy, "action_net") and not hasattr(policy, "lstm_actor"):
        modules = [*policy.mlp_extractor.policy_net, policy.action_net]
    else:
        raise ValueError(f"{type(agent).__name__} cannot be exported; allowed: {', '.join(EXPORTABLE)}")
    linear = [module for module in modules if isinstance(module, nn.Linear)]
    between = {type(module).__name__.lower() for module in modules if not isinstance(module, nn.Linear)}
    if len(between) > 1 or not between <= set(ACTIVATIONS):
        raise ValueError(f"activations must all be one of {', '.join(ACTIVATIONS)}, got {', '.join(sorted(between))}")
    ends = np.array(list(OBSERVATION_BOUNDS.values()), dtype=np.float64)
    logarithmic = [name in LOGARITHMIC for name in OBSERVATION_BOUNDS]
    ends[logarithmic] = np.log(ends[logarithmic])
    network = GreedyNetwork(
        names=tuple(OBSERVATION_BOUNDS),
        logarithmic=LOGARITHMIC,
        low=ends[:, 0],
        span=ends[:, 1] - ends[:, 0],
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


READERS: dict[str, Callable[[Path], ExportedPolicy]] = {".onnx": OnnxNetwork, ".safetensors": GreedyNetwork.load}
"""What reads an exported policy, by the suffix of its file."""
