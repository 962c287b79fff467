"""A dictionary that is filled when it is looked at behaves as any other."""

from __future__ import annotations

import copy
import json
import operator
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from envs.quality import Readings

PLAIN = {"psnr_db": np.array([1.0, 2.0]), "ssim": np.array([3.0, 4.0])}


def readings(read: list[int]) -> Readings:
    def rows() -> np.ndarray:
        read.append(1)
        return np.stack(list(PLAIN.values()))

    return Readings(tuple(PLAIN), rows)


@pytest.mark.parametrize(
    "look",
    [
        lambda made: {name: made[name] for name in PLAIN},
        lambda made: dict(made),
        lambda made: {**made},
        lambda made: dict(made.items()),
        lambda made: dict(zip(made.keys(), made.values(), strict=True)),
        lambda made: {name: made.get(name) for name in made},
        lambda made: {} | made,
        lambda made: copy.deepcopy(made),
        lambda made: copy.copy(made),
        lambda made: pickle.loads(pickle.dumps(made)),
        lambda made: eval(repr(made), {"array": np.array}),
        lambda made: json.loads(json.dumps(made, default=np.ndarray.tolist)),
        lambda made: made.copy(),
        lambda made: made | {},
        lambda made: dict(reversed([*reversed(made.items())])),
        lambda made: {name: made.pop(name) for name in PLAIN},
        lambda made: {name: made.setdefault(name, None) for name in PLAIN},
        lambda made: (lambda **entries: entries)(**made),
    ],
)
def test_every_look_sees_all_of_it(look: Callable[[Readings], dict[str, Any]]) -> None:
    read: list[int] = []
    made = readings(read)
    seen = look(made)
    assert list(seen) == list(PLAIN)
    for name, values in PLAIN.items():
        np.testing.assert_array_equal(seen[name], values)
    dict(made)
    assert read == [1]


def test_nothing_is_read_before() -> None:
    read: list[int] = []
    made = readings(read)
    assert isinstance(made, dict)
    assert "ssim" in made
    assert "lpips" not in made
    assert len(made) == 2
    assert not read
    with pytest.raises(KeyError):
        made["lpips"]
    assert read == [1]


def test_what_is_written_first_is_kept() -> None:
    made = readings([])
    made["ssim"] = "mine"
    made |= {"lpips": 5.0}
    assert list(made) == ["psnr_db", "ssim", "lpips"]
    assert made["ssim"] == "mine"
    made.clear()
    assert not made


def test_equality() -> None:
    def made() -> Readings:
        return Readings(("a", "b"), lambda: [1, 2])

    assert made() == made() == {"a": 1, "b": 2}
    assert made() != {"a": 1}
    assert not operator.ne(made(), {"a": 1, "b": 2})
