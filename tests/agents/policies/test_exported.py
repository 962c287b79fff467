"""Exported policies decide as the agent that they came from."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3.common.base_class import BaseAlgorithm

from agents import load_policy, make_agent
from agents.policies.exported import GreedyNetwork, greedy_network, physical_state
from envs import OBSERVATION_BOUNDS, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

FORMATS = [
    pytest.param(form, marks=pytest.mark.skipif(needs is not None and find_spec(needs) is None, reason=f"no {needs}"))
    for form, needs in (("safetensors", None), ("onnx", "onnxruntime"))
]


def small_agent(name: str, profile: QualityProfile) -> BaseAlgorithm:
    env = SplitVectorEnv(8, profile=profile)
    return make_agent(name, env, seed=0, policy_kwargs={"net_arch": [8, 8]})


def exported(network: GreedyNetwork, form: str, folder: Path) -> Path:
    path = folder / f"policy.{form}"
    network.save(path)
    return path


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", ["d3qn", "dqn", "ppo", "a2c"])
def test_decisions_are_the_agents(name: str, form: str, profile: QualityProfile, tmp_path: Path) -> None:
    agent, env = small_agent(name, profile), SplitVectorEnv(64, profile=profile)
    path = exported(greedy_network(agent, env.model.plan_names), form, tmp_path)
    policy = load_policy(path, env)
    observations, _ = env.reset(seed=0)
    for _ in range(5):
        own, _ = agent.predict(observations, deterministic=True)
        actions, _ = policy.predict(observations)
        np.testing.assert_array_equal(actions, own)
        observations = env.step(actions)[0]
    assert policy.predict(observations[0])[0] == agent.predict(observations[0], deterministic=True)[0]


def test_the_scaling_is_the_environments(profile: QualityProfile) -> None:
    network = greedy_network(small_agent("d3qn", profile), [str(index) for index in range(21)])
    low, high = np.array(list(OBSERVATION_BOUNDS.values())).T
    np.testing.assert_array_equal(network.normalised([low, high]), [[0] * 7, [1] * 7])
    expected = np.random.default_rng(0).random((100, 7), dtype=np.float32)
    np.testing.assert_array_equal(network.normalised(physical_state(expected)), expected)


def test_a_file_for_another_environment(profile: QualityProfile, tmp_path: Path) -> None:
    env = SplitVectorEnv(1, profile=profile)
    agent = small_agent("d3qn", profile)
    network = greedy_network(agent, env.model.plan_names)
    path = exported(network, "safetensors", tmp_path)
    other = SplitVectorEnv(1, profile=profile, plans=["semaigc", "edge_aigc"])
    with pytest.raises(ValueError, match=r"chooses among 21 plans .*, the environment has 22"):
        load_policy(path, other)
    with pytest.raises(ValueError, match="7 observations and 21 actions, expected were 7 and 22"):
        greedy_network(agent, other.model.plan_names)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_cut_short(form: str, profile: QualityProfile, tmp_path: Path) -> None:
    env = SplitVectorEnv(1, profile=profile)
    path = exported(greedy_network(small_agent("dqn", profile), env.model.plan_names), form, tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="is not an exported policy"):
        load_policy(path, env)
