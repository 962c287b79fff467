from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents.runs.snapshot import is_plain, read_tree, write_tree

TREE: dict[Any, Any] = {
    "none": None,
    "count": 2**127,
    "text": "ä",
    "nan": float("nan"),
    3: (1, [2.5, True], {"deep": {}}),
    "ring": deque([{"r": 0.5}], maxlen=7),
    "scalar": np.float32(0.1),
    "arrays": [np.arange(6).astype(dtype).reshape(2, 3)[:, ::-1] for dtype in ("u1", "u4", "i8", "f4", "f8", "?")],
    "empty": np.zeros((0, 2)),
    "point": np.array(1.5),
    "tensors": {"weight": torch.full((2, 2), 0.1), "step": torch.tensor(3.0), "bytes": torch.get_rng_state()},
}


def same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key, value in one.items():
            same(value, other[key])
    elif isinstance(one, list | tuple | deque):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            same(left, right)
    elif isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert one.equal(other)
    else:
        np.testing.assert_array_equal(one, other, strict=isinstance(one, np.ndarray))


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    write_tree(tmp_path, TREE)
    read = read_tree(tmp_path)
    same(TREE, read)
    assert read["ring"].maxlen == 7
    read["arrays"][0][:] = 0  # may be written to


def test_what_is_not_plain_is_refused(tmp_path: Path) -> None:
    assert is_plain(TREE)
    for value in (object(), {"inside": [int]}, {(1, 2): 3}, np.array([object()])):
        assert not is_plain(value)
    with pytest.raises(TypeError, match="type is not a plain value"):
        write_tree(tmp_path, {"inside": [int]})


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "tree.json").unlink(),
        lambda folder: (folder / "tree.json").write_text('{"array": "99"}'),
        lambda folder: (folder / "tree.json").write_text('{"array": '),
        lambda folder: (folder / "arrays.safetensors").write_bytes(b""),
        lambda folder: (folder / "arrays.safetensors").write_bytes((folder / "arrays.safetensors").read_bytes()[:-1]),
    ],
)
def test_damage_is_named(tmp_path: Path, damage: Any) -> None:
    write_tree(tmp_path, TREE)
    damage(tmp_path)
    with pytest.raises(ValueError, match="is cut short or not a checkpoint"):
        read_tree(tmp_path)
