from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from agents.runs.settings import EvaluateSettings, check_keys, plain, policy_names

VALUES: dict[str, Any] = {"seed": 0, "num_requests": 20, "num_envs": 4, "bins": 3, "figures": True}


def test_settings_are_read_beside_the_groups() -> None:
    config = OmegaConf.create(VALUES | {"env": {"plans": ["semaigc"]}})
    assert EvaluateSettings.from_config(config, ["env"]) == EvaluateSettings(0, 20, 4, 3, True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"num_requests": 0}, "num_requests must be an integer >= 1, got 0"),
        ({"num_envs": 2.5}, "num_envs must be an integer >= 1, got 2.5"),
        ({"bins": True}, "bins must be an integer >= 1, got True"),
        ({"figures": "maybe"}, "figures must be true or false, got 'maybe'"),
        ({"figure": True}, "unknown keys in configuration: figure; allowed: seed, num_requests"),
    ],
)
def test_bad_settings(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        EvaluateSettings.from_config(OmegaConf.create(VALUES | change), [])


def test_missing_keys() -> None:
    with pytest.raises(ValueError, match="missing keys in here: b"):
        check_keys("here", ["a"], ["a", "b"])


@pytest.mark.parametrize("policies", [None, {}, {"mine": 3}])
def test_bad_policies(policies: Any) -> None:
    with pytest.raises(ValueError, match="policies"):
        policy_names(OmegaConf.create({"policies": policies}))


def test_plain_resolves() -> None:
    config = OmegaConf.create({"a": {"b": 1, "c": "${.b}"}, "d": 2})
    assert plain(config, exclude=["d"]) == {"a": {"b": 1, "c": 1}}
