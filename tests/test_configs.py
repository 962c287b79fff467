"""Every shipped configuration composes, and becomes what it configures."""

from __future__ import annotations

from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from agents import default_hyperparameters, load_policy, make_agent
from agents.policies import planner
from agents.runs.resolvers import register_resolvers
from agents.runs.settings import (
    GROUPS,
    AgentSettings,
    EvaluateSettings,
    TrainSettings,
    environment_settings,
    policy_names,
    read_settings,
)
from envs import SplitSettings, SplitVectorEnv, costs
from envs.channels import CHANNELS, make_channel
from envs.command_line import plain
from envs.rewards import QoE, Satisfaction, make_reward
from envs.transceiver.profile.profile import QualityProfile

CONFIGS = Path(__file__).parents[1] / "configs"
PRESETS = {"d2sac_paper", "d3qn_fast", "d3qn_paper"}  # other settings of an agent that has its own file
LIVE = {("env", "live")}  # needs the transceiver's weights; see the tests of the environment


def variants(group: str) -> list[str]:
    return sorted(file.stem for file in (CONFIGS / group).glob("*.yaml"))


def composed(name: str, *overrides: str) -> DictConfig:
    register_resolvers()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose(name, overrides=list(overrides))


@pytest.mark.parametrize(
    "group", ["env", "scenario", "channel", "transceiver", "devices", "costs", "agent", "policies", "launcher"]
)
def test_every_group_has_variants(group: str) -> None:
    assert variants(group)


@pytest.mark.parametrize(
    "choice", [f"{group}={name}" for group in ("env", "scenario", "devices", "costs") for name in variants(group)]
)
def test_environment_of_every_variant(choice: str, profile: QualityProfile) -> None:
    settings = environment_settings(composed("train", choice))  # of costs=measured a model has to be timed first
    if tuple(choice.split("=")) in LIVE:
        assert settings.fidelity == "live"
        settings = replace(settings, fidelity="profile")
    env = SplitVectorEnv(2, settings, profile=profile)
    env.reset(seed=0)
    env.step(env.action_space.sample())


@pytest.mark.parametrize("name", variants("channel"))
def test_channel_of_every_variant(name: str) -> None:
    if name == "coded" and find_spec("sionna") is None:
        pytest.skip("the extra phy is not installed")
    parameters = plain(composed("evaluate", f"channel={name}").channel)
    assert make_channel(parameters) == make_channel(name)
    assert set(parameters) == {"name", *(field.name for field in fields(make_channel(name)))}


def test_every_channel_has_a_variant() -> None:
    assert sorted(CHANNELS) == variants("channel")


@pytest.mark.parametrize("name", variants("agent"))
def test_agent_of_every_variant(name: str, profile: QualityProfile) -> None:
    chosen = AgentSettings.from_config(composed("train", f"agent={name}").agent)
    assert chosen.init_from is None
    if name not in PRESETS:
        assert chosen == AgentSettings(name, default_hyperparameters(name))
    agent = make_agent(chosen.name, SplitVectorEnv(16, profile=profile), seed=0, **chosen.hyperparameters)
    assert agent.predict(agent.observation_space.sample(), deterministic=True)[0] in range(21)


def test_policies_of_every_variant(profile: QualityProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "NUM_STATES", 20)
    chosen = policy_names(composed("evaluate", f"policies=[{','.join(variants('policies'))}]"))
    assert chosen == {name: name for name in variants("policies")}
    env, queue = (
        SplitVectorEnv(2, profile=profile, plans=["semaigc", "edge_aigc", "local_aigc"], scenario=scenario)
        for scenario in ("paper", {"name": "queue", "backlog_limit_s": 2.0})
    )
    for name in set(chosen) - {"root"}:  # `root` is trained for the default list of plans
        load_policy(name, queue if name.startswith("planner") else env)


def test_settings_of_both_commands() -> None:
    read_settings(TrainSettings, composed("train"), (*GROUPS, "agent"))
    read_settings(EvaluateSettings, composed("evaluate"), GROUPS)


def test_launcher_is_swapped() -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", overrides=["launcher=joblib"], return_hydra_config=True)
    assert "joblib" in config.hydra.launcher._target_


def test_defaults_of_the_library_are_those_of_the_configs() -> None:
    settings = environment_settings(composed("train"))
    assert replace(settings, channel=None, costs="paper") == SplitSettings(plans=["semaigc"])
    assert settings.channel == {"name": "awgn"}
    assert make_reward(settings.reward) == Satisfaction()
    assert make_reward(environment_settings(composed("train", "env=qoe")).reward) == QoE()
    assert settings.edge_device == costs.RTX_A6000
    assert settings.user_device == costs.GTX_1080_TI
