"""Exported policies decide as the agent that they came from."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from sb3_contrib import RecurrentPPO
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from agents import ALGORITHMS, SB3VecEnv, load_policy, make_agent
from agents.commands.export import random_states
from agents.policies.exported import EXPORTABLE, UNITS, GreedyNetwork, greedy_network, physical_state
from agents.policies.loading import ROOT_WEIGHTS
from agents.policies.trained import TrainedPolicy
from envs import OBSERVATION_BOUNDS, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "long_runs.md"
FORMATS = [
    pytest.param(form, marks=pytest.mark.skipif(needs is not None and find_spec(needs) is None, reason=f"no {needs}"))
    for form, needs in (("safetensors", None), ("onnx", "onnxruntime"))
]


def small_agent(name: str, profile: QualityProfile) -> BaseAlgorithm:
    env = SplitVectorEnv(8, profile=profile)
    batch = {"batch_size": 64} if "ppo" in name else {}
    return make_agent(name, env, seed=0, policy_kwargs={"net_arch": [8, 8]}, **batch)


def exported(network: GreedyNetwork, form: str, folder: Path) -> Path:
    path = folder / f"policy.{form}"
    network.save(path)
    return path


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", [name for name in EXPORTABLE if name in ALGORITHMS])
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


def test_the_file_says_what_it_is(profile: QualityProfile, tmp_path: Path) -> None:
    agent, plans = small_agent("d3qn", profile), SplitVectorEnv(1, profile=profile).model.plan_names
    path = exported(greedy_network(agent, plans), "safetensors", tmp_path)
    with safe_open(path, framework="numpy") as file:
        said = file.metadata()
    facts = {name: json.loads(said[name]) for name in said.keys() - {"format", "about"}}
    assert facts["logarithmic"] == ["bandwidth_hz"]
    assert dict(zip(facts["names"], facts["units"], strict=True)) == UNITS
    for word in (*(set(facts) - {"names"}), "names", "low", "span", "weight.I", "bias.I", "natural logarithm"):
        assert word in said["about"]
    other = replace(greedy_network(agent, plans), logarithmic=("snr_db", "bandwidth_hz"))
    other.save(path)
    assert GreedyNetwork.load(path).is_logarithmic.tolist() == [False, False, True, False, False, True, False]


def test_numpy_and_safetensors_are_enough(tmp_path: Path) -> None:
    """The lines of docs/long_runs.md, in a process that has nothing else."""
    network = greedy_network(
        TrainedPolicy.load(ROOT_WEIGHTS["root_alignment"]).agent, SplitVectorEnv(1).model.plan_names
    )
    network.save(tmp_path / "root.safetensors")
    states = random_states(500)
    np.save(tmp_path / "states.npy", states)
    (lines,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines += """
import sys
np.save("actions.npy", decide(np.load("states.npy")))
print(sorted(set(sys.modules) & {"torch", "agents", "envs", "gymnasium", "stable_baselines3"}))
"""
    done = subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
    np.testing.assert_array_equal(np.load(tmp_path / "actions.npy"), network.decide(states))


def test_reading_needs_no_torch() -> None:
    code = "import sys, agents.policies.exported; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_agents_that_a_file_cannot_hold(profile: QualityProfile) -> None:
    def adapted() -> SB3VecEnv:
        return SB3VecEnv(SplitVectorEnv(4, profile=profile))

    plans = SplitVectorEnv(1, profile=profile).model.plan_names
    recurrent = RecurrentPPO("MlpLstmPolicy", adapted(), n_steps=4, batch_size=16, device="cpu")
    with pytest.raises(ValueError, match="RecurrentPPO cannot be exported; allowed: d3qn, dqn, ppo"):
        greedy_network(recurrent, plans)
    normalised = DQN("MlpPolicy", VecNormalize(adapted()), device="cpu")
    with pytest.raises(ValueError, match="DQN decides on observations that VecNormalize scaled"):
        greedy_network(normalised, plans)
