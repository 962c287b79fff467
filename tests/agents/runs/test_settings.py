from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from agents.runs.settings import EvaluateSettings, plain, policy_names

NONE = {"seeds": None, "scenarios": None, "runs": None}
VALUES: dict[str, Any] = {"seed": 0, "num_requests": 20, "num_envs": 4, "bins": 3, "figures": True, **NONE}


def test_settings_are_read_beside_the_groups() -> None:
    config = OmegaConf.create(VALUES | {"env": {"plans": ["semaigc"]}})
    assert EvaluateSettings.from_config(config, ["env"]) == EvaluateSettings(0, 20, 4, 3, True)


def test_seeds_stand_in_place_of_the_seed() -> None:
    assert EvaluateSettings.from_config(OmegaConf.create(VALUES), []).all_seeds == [0]
    assert EvaluateSettings.from_config(OmegaConf.create(VALUES | {"seeds": [3, 4]}), []).all_seeds == [3, 4]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"num_requests": 0}, "num_requests must be an integer >= 1, got 0"),
        ({"num_envs": 2.5}, "num_envs must be an integer >= 1, got 2.5"),
        ({"bins": True}, "bins must be an integer >= 1, got True"),
        ({"figures": "maybe"}, "figures must be true or false, got 'maybe'"),
        ({"runs": 3}, "runs must be a folder or null, got 3"),
        ({"seeds": [0, True]}, "seeds must be a list of integers >= 0 or null"),
        ({"scenarios": "paper"}, "scenarios must be a list of names"),
        ({"figure": True}, "unknown keys in configuration: figure; allowed: seed, num_requests"),
    ],
)
def test_bad_settings(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EvaluateSettings.from_config(OmegaConf.create(VALUES | change), [])


def test_missing_keys() -> None:
    with pytest.raises(ValueError, match="missing keys in here: b"):
        checks.keys("here", ["a"], ["a", "b"])


@pytest.mark.parametrize("policies", [None, {}, {"mine": 3}])
def test_bad_policies(policies: Any) -> None:
    with pytest.raises(ValueError, match="policies"):
        policy_names(OmegaConf.create({"policies": policies}))


def test_plain_resolves() -> None:
    config = OmegaConf.create({"a": {"b": 1, "c": "${.b}"}, "d": 2})
    assert plain(config, exclude=["d"]) == {"a": {"b": 1, "c": 1}}
