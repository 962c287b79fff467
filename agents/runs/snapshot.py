"""Everything that a training goes on from, taken between two rounds, and its file."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.save_util import recursive_getattr

Snapshot = dict[str, Any]
"""Nested dictionaries, lists and tuples of numbers, text, None and tensors."""
OUR_PACKAGE = __name__.partition(".")[0]
_SCALARS = (bool, int, float, str, type(None))


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Write a snapshot in torch's format."""
    torch.save(snapshot, path)


def read_snapshot(path: Path) -> Snapshot:
    """What `write_snapshot` wrote: the same types, dtypes and bits. Nothing in the file is executed.

    Raises:
        ValueError: the file is missing, cut short or of another kind.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # what torch raises for a broken file has no common base
        reason = str(error).partition("\n")[0]
        raise ValueError(f"{path} is cut short or not a checkpoint ({reason})") from error


def take_snapshot(agent: BaseAlgorithm) -> Snapshot:
    """Networks, optimisers, replay buffer, counters, random streams and environment of an agent.

    Args:
        agent: between two rounds: in `on_rollout_start` of a callback, or outside `learn`.

    Raises:
        AttributeError: its environment has no `get_state`.
    """
    _, variables = agent._get_torch_save_params()
    buffer = getattr(agent, "replay_buffer", None)
    snapshot = {
        "parameters": agent.get_parameters(),
        "variables": {name: recursive_getattr(agent, name) for name in variables},
        "attributes": {name: value for name, value in vars(agent).items() if _is_plain(value)},
        "windows": {name: list(value) for name, value in vars(agent).items() if isinstance(value, deque)},
        # One row more than it has transitions where it saves memory.
        "replay_buffer": None if buffer is None else _object_state(buffer, min(buffer.size() + 1, buffer.buffer_size)),
        "random": _random_state(agent),
        "environment": agent.env.get_state(),  # type: ignore[union-attr]
    }
    return _changed(snapshot, (np.ndarray, np.generic), lambda value: torch.from_numpy(np.array(value)))


def put_snapshot(agent: BaseAlgorithm, snapshot: Mapping[str, Any]) -> None:
    """Make a fresh agent of the same settings go on as the one whose snapshot it is, bit for bit.

    Raises:
        ValueError: it is of another kind or size.
    """
    try:
        agent.set_parameters(dict(snapshot["parameters"]), device=agent.device)
        for name, value in snapshot["variables"].items():
            recursive_getattr(agent, name).data = value.to(agent.device)
        vars(agent).update(_arrays(snapshot["attributes"]))
        for name, values in snapshot["windows"].items():
            setattr(agent, name, deque(values, agent._stats_window_size))
        if snapshot["replay_buffer"] is not None:
            _put_object_state(agent.replay_buffer, _arrays(snapshot["replay_buffer"]))  # type: ignore[attr-defined]
        agent.env.set_state(_arrays(snapshot["environment"]))  # type: ignore[union-attr]
        _put_random_state(agent, snapshot["random"] | {"numpy": _arrays(snapshot["random"]["numpy"])})
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


def _is_plain(value: Any) -> bool:
    """Whether a snapshot can hold a value: None, numbers, text, arrays, tensors, and containers of such."""
    if type(value) in (list, tuple):
        return all(_is_plain(item) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, _SCALARS) and _is_plain(item) for key, item in value.items())
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "biuf"
    return isinstance(value, (*_SCALARS, torch.Tensor))


def _changed(tree: Any, kinds: tuple[type, ...], change: Callable[[Any], Any]) -> Any:
    """Nested plain values in which all of some types are changed."""
    if isinstance(tree, kinds):
        return change(tree)
    if isinstance(tree, dict):
        return {key: _changed(value, kinds, change) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return type(tree)(_changed(value, kinds, change) for value in tree)
    return tree


def _arrays(tree: Any) -> Any:
    """Nested plain values with arrays, and scalars of numpy, for the tensors that stand for them in the file."""
    return _changed(tree, (torch.Tensor,), lambda tensor: tensor.numpy()[()])


def _object_state(owner: Any, rows: int) -> dict[str, Any]:
    """Plain attributes of an object, and of our own parts in it; of arrays as long as the buffer the first `rows`."""
    state: dict[str, Any] = {}
    for name, value in vars(owner).items():
        if _is_our_part(value):
            state[name] = _object_state(value, rows)
        elif _is_plain(value):
            state[name] = value[:rows] if _is_as_long_as(owner, value) else value
    return state


def _put_object_state(owner: Any, state: Mapping[str, Any]) -> None:
    for name, kept in state.items():
        value = getattr(owner, name)
        if _is_our_part(value):
            _put_object_state(value, kept)
        elif _is_as_long_as(owner, value):
            value[: len(kept)] = kept
        else:
            setattr(owner, name, kept)


def _is_our_part(value: Any) -> bool:
    return type(value).__module__.partition(".")[0] == OUR_PACKAGE


def _is_as_long_as(buffer: Any, value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.shape[:1] == (getattr(buffer, "buffer_size", None),)


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
