from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import DQN

from agents import Predictor, load_policy
from agents.d3qn import D3QN
from agents.factory import ALGORITHMS, default_hyperparameters, make_agent
from agents.policies.model_based import sample_observations
from envs import SplitVectorEnv
from envs.transceiver.profile import QualityProfile

TINY = {"policy_kwargs": {"net_arch": [8]}}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_agent_learns_a_little_and_is_saved(name: str, tmp_path: Path) -> None:
    batch = {} if name == "a2c" else {"batch_size": 64}
    agent = make_agent(name, gym.make("CartPole-v1"), seed=0, **TINY, **batch).learn(40)
    agent.save(tmp_path / "agent.zip")
    assert type(ALGORITHMS[name].load(tmp_path / "agent.zip")) is ALGORITHMS[name]


def test_given_hyperparameters_win_and_policy_kwargs_are_merged() -> None:
    agent = make_agent("d3qn", gym.make("CartPole-v1"), batch_size=7, double=False, **TINY)
    assert isinstance(agent, D3QN)
    assert (agent.batch_size, agent.double, agent.gamma) == (7, False, 0.0)
    assert agent.policy_kwargs == {"net_arch": [8], "optimizer_kwargs": {"fused": True}}


def test_dqn_is_stable_baselines3s() -> None:
    assert type(make_agent("dqn", gym.make("CartPole-v1"), **TINY)) is DQN


def test_defaults_are_new_at_every_call() -> None:
    default_hyperparameters("d3qn")["policy_kwargs"]["net_arch"].append(1)
    assert default_hyperparameters("d3qn")["policy_kwargs"]["net_arch"] == [256, 256]


def test_learning_rate_may_fall() -> None:
    agent = make_agent("d3qn", gym.make("CartPole-v1"), learning_rate=[1e-3, 2e-4], **TINY)
    assert [agent.lr_schedule(remaining) for remaining in (1.0, 0.5, 0.0)] == pytest.approx([1e-3, 6e-4, 2e-4])
    assert make_agent("d3qn", gym.make("CartPole-v1"), learning_rate=1e-3, **TINY).lr_schedule(0.0) == 1e-3
    with pytest.raises(ValueError, match="learning_rate"):
        make_agent("d3qn", gym.make("CartPole-v1"), learning_rate=[1e-3], **TINY)


def test_unknown_names_are_refused_with_the_allowed_ones() -> None:
    with pytest.raises(ValueError, match=r"'sarsa'.*d3qn, dqn, ppo, a2c"):
        make_agent("sarsa", gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match=r"of d3qn: lr; allowed: .*double.*learning_rate"):
        make_agent("d3qn", gym.make("CartPole-v1"), lr=1e-3)
    with pytest.raises(ValueError, match=r"of dqn: double;"):
        make_agent("dqn", gym.make("CartPole-v1"), double=True)
    with pytest.raises(ValueError, match=r"of ppo: monitor_wrapper;"):
        make_agent("ppo", gym.make("CartPole-v1"), monitor_wrapper=True)


@pytest.mark.slow
def test_defaults_soon_beat_the_simple_rules() -> None:
    env = SplitVectorEnv(64, profile=QualityProfile.synthetic())
    agent = make_agent("d3qn", env, seed=0, learning_starts=2_000).learn(20_000, log_interval=None)
    observations = sample_observations(env.model, 2_000, seed=1)
    rewards = env.model.expected_rewards(observations)

    def value(policy: Predictor) -> float:
        actions, _ = policy.predict(observations, deterministic=True)
        return float(rewards[np.arange(len(rewards)), actions].mean() / rewards.max(axis=1).mean())

    assert value(agent) > 0.94 > value(load_policy("two_split", env)) + 0.03
