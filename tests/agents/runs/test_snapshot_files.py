"""The file of a snapshot: what an agent holds comes back as it was, and damage is named."""

from __future__ import annotations

import pickle
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from agents import make_agent
from agents.runs.snapshot import put_snapshot, read_snapshot, take_snapshot, write_snapshot
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

ATTRIBUTES: dict[str, Any] = {
    "none": None,
    "count": 2**127,
    "text": "ä",
    "nested": {3: (1, [2.5, True], {"deep": {}})},
    "window": deque([{"r": 0.5}], maxlen=100),
    "scalar": np.float32(0.1),
    "arrays": [np.arange(6).astype(dtype).reshape(2, 3)[:, ::-1] for dtype in ("u1", "u4", "i8", "f4", "f8", "?")],
    "empty": np.zeros((0, 2)),
}


def small(profile: QualityProfile) -> Any:
    return make_agent("a2c", SplitVectorEnv(2, profile=profile), seed=0, policy_kwargs={"net_arch": [4]})


def test_attributes_come_back_as_they_were(profile: QualityProfile, tmp_path: Path) -> None:
    agent, other = small(profile), small(profile)
    for one in (agent, other):
        one.learn(10)
    vars(agent).update(ATTRIBUTES)
    agent.stranger = object()
    write_snapshot(tmp_path / "snapshot", take_snapshot(agent))
    put_snapshot(other, read_snapshot(tmp_path / "snapshot"))
    for name, value in ATTRIBUTES.items():
        kept = getattr(other, name)
        assert type(kept) is type(value)
        if name == "arrays":
            for array, expected in zip(kept, value, strict=True):
                np.testing.assert_array_equal(array, expected, strict=True)
                array[:] = 0  # may be written to
        else:
            np.testing.assert_equal(kept, value)
    assert other.window.maxlen == 100
    assert not hasattr(other, "stranger")


@pytest.mark.parametrize("content", [b"", b"half", pickle.dumps({"parameters": print}, protocol=2)])
def test_damage_is_named_and_nothing_is_executed(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "snapshot").write_bytes(content)
    with pytest.raises(ValueError, match="is cut short or not a checkpoint"):
        read_snapshot(tmp_path / "snapshot")


def test_what_is_missing_cut_short_or_no_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "snapshot"
    with pytest.raises(ValueError, match="is cut short or not a checkpoint"):
        read_snapshot(path)
    write_snapshot(path, {"tensor": torch.arange(1000)})
    whole = path.read_bytes()
    for length in (len(whole) - 1, len(whole) // 2):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="is cut short or not a checkpoint"):
            read_snapshot(path)
    torch.save({"function": print}, path)
    with pytest.raises(ValueError, match="is cut short or not a checkpoint"):
        read_snapshot(path)
    with pytest.raises(ValueError, match="is cut short or not a checkpoint"):
        read_snapshot(tmp_path)
