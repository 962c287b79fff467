"""Everything that a training goes on from, taken between two rounds, and nested plain values in a folder."""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.save_util import recursive_getattr

TREE_FILE, ARRAYS_FILE = "tree.json", "arrays.safetensors"
_SCALARS = (bool, int, float, str, type(None))


def is_plain(value: Any) -> bool:
    """Whether `write_tree` can hold a value: None, numbers, text, arrays, tensors, and containers of such."""
    if isinstance(value, list | tuple | deque):
        return all(is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, _SCALARS) and is_plain(item) for key, item in value.items())
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biuf"
    return isinstance(value, (*_SCALARS, torch.Tensor))


def write_tree(folder: Path, tree: Any) -> None:
    """Write a tree of plain values into an existing folder.

    Raises:
        TypeError: a value that is not plain.
    """
    arrays: dict[str, NDArray[Any]] = {}
    described = _describe(tree, arrays)
    save_file(arrays, folder / ARRAYS_FILE)
    (folder / TREE_FILE).write_text(json.dumps(described), encoding="utf-8")


def read_tree(folder: Path) -> Any:
    """What `write_tree` wrote: the same types, dtypes and bits.

    Raises:
        ValueError: a file is missing, cut short or of another kind.
    """
    try:
        described = json.loads((folder / TREE_FILE).read_text(encoding="utf-8"))
        return _rebuild(described, load_file(folder / ARRAYS_FILE))
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{folder} is cut short or not a checkpoint ({error})") from error


def _describe(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """A value as JSON; arrays go to `arrays` and leave their name."""
    if isinstance(value, torch.Tensor):
        return {"tensor": _keep(value.detach().cpu().numpy(), arrays)}
    if isinstance(value, np.generic):
        return {"scalar": _keep(np.asarray(value), arrays)}
    if isinstance(value, np.ndarray):
        return {"array": _keep(value, arrays)}
    if isinstance(value, list):
        return [_describe(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_describe(item, arrays) for item in value]}
    if isinstance(value, deque):
        return {"deque": [_describe(item, arrays) for item in value], "maxlen": value.maxlen}
    if isinstance(value, dict):  # as pairs, because keys need not be text
        return {"dict": [[key, _describe(item, arrays)] for key, item in value.items()]}
    if isinstance(value, _SCALARS):
        return value
    raise TypeError(f"{type(value).__name__} is not a plain value")


def _keep(array: NDArray[Any], arrays: dict[str, NDArray[Any]]) -> str:
    name = str(len(arrays))
    arrays[name] = np.ascontiguousarray(array).reshape(array.shape)  # the former makes [1] of []
    return name


def _rebuild(described: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(described, list):
        return [_rebuild(item, arrays) for item in described]
    if not isinstance(described, dict):
        return described
    kind = next(iter(described))
    content = described[kind]
    if kind == "tensor":
        return torch.tensor(arrays[content])  # a copy, aligned as torch's own
    if kind == "array":
        return arrays[content].copy()
    if kind == "scalar":
        return arrays[content][()]
    if kind == "tuple":
        return tuple(_rebuild(item, arrays) for item in content)
    if kind == "deque":
        return deque((_rebuild(item, arrays) for item in content), described["maxlen"])
    return {key: _rebuild(item, arrays) for key, item in content}


Snapshot = dict[str, Any]
OUR_PACKAGE = __name__.partition(".")[0]


def take_snapshot(agent: BaseAlgorithm) -> Snapshot:
    """Networks, optimisers, replay buffer, counters, random streams and environment of an agent.

    Args:
        agent: between two rounds: in `on_rollout_start` of a callback, or outside `learn`.

    Raises:
        AttributeError: its environment has no `get_state`.
    """
    _, variables = agent._get_torch_save_params()
    buffer = getattr(agent, "replay_buffer", None)
    return {
        "parameters": agent.get_parameters(),
        "variables": {name: recursive_getattr(agent, name) for name in variables},
        "attributes": {name: value for name, value in vars(agent).items() if is_plain(value)},
        "replay_buffer": None if buffer is None else _object_state(buffer, _filled(buffer)),
        "random": _random_state(agent),
        "environment": agent.env.get_state(),  # type: ignore[union-attr]
    }


def put_snapshot(agent: BaseAlgorithm, snapshot: Mapping[str, Any]) -> None:
    """Make a fresh agent of the same settings go on as the one whose snapshot it is, bit for bit.

    Raises:
        ValueError: it is of another kind or size.
    """
    try:
        agent.set_parameters(dict(snapshot["parameters"]), device=agent.device)
        for name, value in snapshot["variables"].items():
            recursive_getattr(agent, name).data = value.to(agent.device)
        vars(agent).update(snapshot["attributes"])
        if snapshot["replay_buffer"] is not None:
            _put_object_state(agent.replay_buffer, snapshot["replay_buffer"])  # type: ignore[attr-defined]
        agent.env.set_state(snapshot["environment"])  # type: ignore[union-attr]
        _put_random_state(agent, snapshot["random"])
    except (KeyError, AttributeError, TypeError, RuntimeError, ValueError) as error:
        raise ValueError(f"the checkpoint is of another agent or environment: {error}") from error


@contextmanager
def undisturbed(agent: BaseAlgorithm) -> Iterator[None]:
    """Give the random streams that an agent draws from back as they were when the block began."""
    before = _random_state(agent)
    try:
        yield
    finally:
        _put_random_state(agent, before)


def _filled(buffer: ReplayBuffer) -> int:
    """Rows of a replay buffer that hold something; one more than its transitions where it saves memory."""
    return min(buffer.size() + 1, buffer.buffer_size)


def _object_state(owner: Any, rows: int) -> dict[str, Any]:
    """Plain attributes of an object; of arrays as long as the buffer the first `rows`; generators; our own parts."""
    state: dict[str, Any] = {}
    for name, value in vars(owner).items():
        if isinstance(value, np.random.Generator):
            state[name] = {"generator": value.bit_generator.state}
        elif isinstance(value, np.ndarray) and value.ndim and len(value) == getattr(owner, "buffer_size", None):
            state[name] = {"rows": value[:rows]}
        elif is_plain(value):
            state[name] = {"value": value}
        elif type(value).__module__.partition(".")[0] == OUR_PACKAGE:
            state[name] = {"part": _object_state(value, rows)}
    return state


def _put_object_state(owner: Any, state: Mapping[str, Any]) -> None:
    for name, kept in state.items():
        ((kind, value),) = kept.items()
        if kind == "generator":
            getattr(owner, name).bit_generator.state = value
        elif kind == "rows":
            getattr(owner, name)[: len(value)] = value
        elif kind == "part":
            _put_object_state(getattr(owner, name), value)
        else:
            setattr(owner, name, value)


def _random_state(agent: BaseAlgorithm) -> dict[str, Any]:
    """The global streams that stable-baselines3 draws from, and the action space's own."""
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state(legacy=False),  # noqa: NPY002  (the stream of stable-baselines3)
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if agent.device.type == "cuda" else [],
        "action_space": agent.action_space.np_random.bit_generator.state,
    }


def _put_random_state(agent: BaseAlgorithm, state: Mapping[str, Any]) -> None:
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])
    agent.action_space.np_random.bit_generator.state = state["action_space"]
