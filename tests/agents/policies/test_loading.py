"""Classes of one's own as policies: `package.module:Class` and `FILE.py:Class`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agents import evaluate, load_policy
from agents.policies import loading
from envs import SplitVectorEnv
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)
OWN = """
import numpy as np

class Mine:
    def __init__(self, env):
        self.action = env.model.action_of("semaigc(12)")

    def predict(self, observation, state, episode_start):
        state = np.where(episode_start, 0, 0 if state is None else state + 1)
        return np.where(state == 0, 0, self.action), state

class Raises(Mine):
    def __init__(self, env):
        self.x = {}["nothing"]

class Mute:
    def __init__(self, env):
        pass

class Wants:
    def __init__(self, env):
        pass

    def predict(self, observation, goal):
        pass

class Elsewhere(Mine):
    action_space = "Box"

number = 3
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "own_policies.py").write_text(OWN, encoding="utf-8")
    (tmp_path / "own_broken.py").write_text("x = (", encoding="utf-8")
    yield tmp_path
    sys.modules.pop("own_policies", None)


def test_a_class_of_ones_own(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = SplitVectorEnv(3, profile=PROFILE, episode_length=4)
    expected = np.tile(np.repeat([0, 12, 12, 12], 3), 2)
    monkeypatch.chdir(own)
    for name in (f"{own / 'own_policies.py'}:Mine", "own_policies.py:Mine", "own_policies:Mine"):
        np.testing.assert_array_equal(evaluate(load_policy(name, env), env, 24, seed=0)["action"], expected)
        assert loading.policy_file(name, env.model.settings.acceptance_rule) == own / "own_policies.py"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("own_policies.py:Yours", "cannot be made: there is no 'Yours' in it; it holds Elsewhere, Mine, Mute, Raises"),
        ("own_policies.py:number", "cannot be made: TypeError: 'int' object is not callable"),
        ("own_policies.py:Raises", r"cannot be made: KeyError: 'nothing' \(own_policies.py, line 14\)"),
        ("own_policies.py:Mute", r"Mute has no predict\(observation"),
        ("own_policies.py:Wants", "Wants.predict needs goal"),
        ("own_policies.py:Elsewhere", r"was trained with action_space Box, the environment has Discrete\(21\)"),
        ("own_policies.py", "must be written package.module:Name, or FILE.py:Name"),
        ("own_broken.py:Mine", r"cannot be made: SyntaxError: .* \(own_broken.py, line 1\)"),
        ("nowhere.py:Mine", "cannot be made: there is no file"),
        ("no.such.package:Mine", "cannot be made: there is no module 'no.such.package'"),
    ],
)
def test_what_is_no_class_of_ones_own(own: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str) -> None:
    monkeypatch.chdir(own)
    with pytest.raises(ValueError, match=said) as caught:
        load_policy(name, SplitVectorEnv(3, profile=PROFILE))
    assert "\n" not in str(caught.value)
