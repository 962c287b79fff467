from __future__ import annotations

from typing import Any

import pytest
from omegaconf import OmegaConf

from agents.runs.settings import AgentSettings, EvaluateSettings, policy_names, read_settings

NONE = {"seeds": None, "scenarios": None, "runs": None}
VALUES: dict[str, Any] = {"seed": 0, "num_requests": 20, "num_envs": 4, "bins": 3, "figures": True, **NONE}


def test_settings_are_read_beside_the_groups() -> None:
    config = OmegaConf.create(VALUES | {"env": {"plans": ["semaigc"]}})
    assert read_settings(EvaluateSettings, config, ["env"]) == EvaluateSettings(0, 20, 4, 3, True)


def test_seeds_stand_in_place_of_the_seed() -> None:
    assert read_settings(EvaluateSettings, OmegaConf.create(VALUES), []).all_seeds == [0]
    assert read_settings(EvaluateSettings, OmegaConf.create(VALUES | {"seeds": [3, 4]}), []).all_seeds == [3, 4]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"num_requests": 0}, "num_requests must be an integer >= 1, got 0"),
        ({"num_envs": 2.5}, "num_envs must be an integer >= 1, got 2.5"),
        ({"bins": True}, "bins must be an integer >= 1, got True"),
        ({"figures": "maybe"}, "figures must be true or false, got 'maybe'"),
        ({"runs": 3}, "runs must be text, got 3"),
        ({"seeds": [0, True]}, r"seeds\[1\] must be an integer >= 0, got True"),
        ({"scenarios": "paper"}, "scenarios must be a list that is not empty, got 'paper'"),
        ({"figure": True}, "unknown keys in configuration: figure; allowed: seed, num_requests"),
    ],
)
def test_bad_settings(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_settings(EvaluateSettings, OmegaConf.create(VALUES | change), [])


def test_missing_keys() -> None:
    values = {key: value for key, value in VALUES.items() if key != "bins"}
    with pytest.raises(ValueError, match="missing keys in configuration: bins"):
        read_settings(EvaluateSettings, OmegaConf.create(values), [])


@pytest.mark.parametrize("policies", [None, {}, {"mine": 3}])
def test_bad_policies(policies: Any) -> None:
    with pytest.raises(ValueError, match="policies"):
        policy_names(OmegaConf.create({"policies": policies}))


def test_where_the_networks_come_from_is_no_hyperparameter() -> None:
    config = OmegaConf.create({"name": "d3qn", "init_from": "root", "gamma": 0.5, "policy_kwargs": {"net_arch": [8]}})
    chosen = AgentSettings.from_config(config)
    assert chosen == AgentSettings("d3qn", {"gamma": 0.5, "policy_kwargs": {"net_arch": [8]}}, "root")
    assert AgentSettings.from_config({"name": "ppo"}) == AgentSettings("ppo")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"gamma": 0.5}, "agent.name must be text, got None"),
        ({"name": "d3qn", "init_from": 3}, "agent.init_from must be text, got 3"),
    ],
)
def test_bad_agents(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        AgentSettings.from_config(config)
