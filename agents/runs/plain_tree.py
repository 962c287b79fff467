"""Nested plain values and arrays in a folder: JSON for the tree, safetensors for the arrays.

Reading them executes nothing.
"""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

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
