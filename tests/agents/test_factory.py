from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray
from omegaconf import OmegaConf
from stable_baselines3 import DQN
from stable_baselines3.common.envs import IdentityEnv

from agents import Predictor, load_policy
from agents.d3qn import D3QN
from agents.factory import (
    ALGORITHMS,
    RANGES,
    _constructor_parameters,
    check_hyperparameters,
    default_hyperparameters,
    make_agent,
)
from agents.policies.model_based import sample_observations
from envs import SplitVectorEnv
from envs.command_line import CONFIGS, plain
from tests.profiles import synthetic_profile

TINY = {"policy_kwargs": {"net_arch": [8]}}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_agent_learns_a_little_and_is_saved(name: str, tmp_path: Path) -> None:
    tiny = {} if name == "linucb" else TINY if name == "a2c" else TINY | {"batch_size": 64}
    agent = make_agent(name, gym.make("CartPole-v1"), seed=0, **tiny).learn(40)
    agent.save(tmp_path / "agent.zip")
    assert type(ALGORITHMS[name].load(tmp_path / "agent.zip")) is ALGORITHMS[name]


def test_given_hyperparameters_win_and_policy_kwargs_are_merged() -> None:
    agent = make_agent("d3qn", gym.make("CartPole-v1"), batch_size=7, double=False, **TINY)
    assert isinstance(agent, D3QN)
    assert (agent.batch_size, agent.double, agent.gamma) == (7, False, 0.0)
    assert agent.policy_kwargs == {"dueling": True, "net_arch": [8], "optimizer_kwargs": {"fused": True}}


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - {"ppo", "a2c"}))
def test_agents_for_discrete_actions_refuse_others(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} needs one discrete action, the environment has Box"):
        make_agent(name, gym.make("Pendulum-v1"))


def test_observations_of_several_parts_are_refused() -> None:
    env = gym.make("CartPole-v1")
    env.observation_space = gym.spaces.Dict({"x": env.observation_space})
    with pytest.raises(ValueError, match="ppo needs observations that are one array, the environment has Dict"):
        make_agent("ppo", env)


class Masked(IdentityEnv):
    """Action 0 is never possible."""

    def action_masks(self) -> NDArray[np.bool_]:
        return np.arange(4) > 0


def test_maskable_ppo_keeps_to_the_masks_and_without_any_may_do_all() -> None:
    settings = {"n_steps": 128, "batch_size": 128, **TINY}
    masked = make_agent("maskable_ppo", Masked(dim=4), seed=0, **settings).learn(128)
    assert (masked.rollout_buffer.actions > 0).all()  # type: ignore[attr-defined]
    free = make_agent("maskable_ppo", IdentityEnv(dim=4), seed=0, **settings).learn(128)
    assert set(np.unique(free.rollout_buffer.actions)) == {0, 1, 2, 3}  # type: ignore[attr-defined]


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
    with pytest.raises(ValueError, match=r"of linucb: policy_kwargs; allowed: alpha, degree"):
        make_agent("linucb", gym.make("CartPole-v1"), **TINY)
    with pytest.raises(ValueError, match=r"of ppo: monitor_wrapper;"):
        make_agent("ppo", gym.make("CartPole-v1"), monitor_wrapper=True)


def test_every_hyperparameter_has_its_range() -> None:
    named = set().union(*map(_constructor_parameters, ALGORITHMS.values()))
    assert named == set(RANGES)
    for file in (CONFIGS / "agent").glob("*.yaml"):
        shipped = plain(OmegaConf.load(file))  # type: ignore[arg-type]
        check_hyperparameters(shipped.pop("name"), shipped)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("d3qn", {"gamma": 2}, r"gamma of d3qn must be a finite number in \[0, 1\], got 2"),
        ("ppo", {"gamma": None}, "gamma of ppo must be a finite number"),
        ("d3qn", {"learning_rate": "fast"}, "learning_rate of d3qn must be a number > 0, or .* got 'fast'"),
        ("dqn", {"learning_rate": 0}, "learning_rate of dqn must be a number > 0"),
        ("a2c", {"learning_rate": [1e-3, -1e-3]}, "first > 0 and last >= 0"),
        ("qrdqn", {"batch_size": 2.5}, "batch_size of qrdqn must be an integer >= 1, got 2.5"),
        ("qrdqn", {"policy_kwargs": {"n_quantiles": 0}}, "policy_kwargs.n_quantiles of qrdqn must be an integer >= 1"),
        ("dqn", {"exploration_fraction": 0}, r"exploration_fraction of dqn must be a finite number in \(0, 1\], got 0"),
        (
            "d2sac",
            {"policy_kwargs": {"temperature": -1}},
            "policy_kwargs.temperature of d2sac must be a finite number > 0",
        ),
        ("d2sac", {"gradient_steps": 0}, "gradient_steps of d2sac must be an integer >= 1"),
        ("linucb", {"ridge": 0}, "ridge of linucb must be a finite number > 0"),
        ("maskable_ppo", {"clip_range": -1}, "clip_range of maskable_ppo must be a finite number > 0"),
        ("ppo", {"normalize_advantage": 1}, "normalize_advantage of ppo must be true or false"),
        ("ppo", {"policy_kwargs": [8]}, "policy_kwargs of ppo must be a mapping"),
        (
            "dqn",
            {"policy_kwargs": {"net_arc": [8]}},
            "unknown keys in policy_kwargs of dqn: net_arc; allowed: .*net_arch",
        ),
        (
            "a2c",
            {"policy_kwargs": {"net_arch": {"pi": [0]}}},
            "a width in policy_kwargs.net_arch of a2c must be an integer",
        ),
        ("a2c", {"policy_kwargs": {"net_arch": {"q": [8]}}}, "unknown keys in policy_kwargs.net_arch of a2c: q"),
        ("dqn", {"policy_kwargs": {"net_arch": {"pi": [8]}}}, "policy_kwargs.net_arch of dqn must be a list of widths"),
        ("dqn", {"policy_kwargs": {"activation_fn": "tanh"}}, "must be a class, which only code can give, got 'tanh'"),
        ("dqn", {"train_freq": [1, "day"]}, "unknown unit of train_freq of dqn 'day'; allowed: step, episode"),
    ],
)
def test_values_out_of_range_are_refused_before_anything_is_made(name: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_hyperparameters(name, given)
    with pytest.raises(ValueError, match=said):
        make_agent(name, None, **given)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        (
            "ppo",
            {"batch_size": 1},
            "ppo cannot be made with these hyperparameters: `batch_size` must be greater than 1",
        ),
        ("dqn", {"policy_kwargs": {"optimizer_kwargs": {"decay": 1}}}, "dqn cannot be made .*'decay'"),
        ("dqn", {"train_freq": [1, "episode"]}, "train_freq of dqn counts episodes of one environment, got 3"),
    ],
)
def test_what_the_libraries_refuse_is_one_line(name: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_agent(name, SplitVectorEnv(3, profile=synthetic_profile()), **given)


def test_what_is_allowed_is_made() -> None:
    env = gym.make("CartPole-v1")
    assert make_agent("dqn", env, train_freq=[2, "episode"], **TINY).train_freq.frequency == 2  # type: ignore[attr-defined]
    split = {"net_arch": {"pi": [8], "vf": [4]}}
    assert make_agent("a2c", env, policy_kwargs=split).policy.value_net.in_features == 4
    ppo = make_agent("ppo", env, learning_rate=lambda left: 0.1 * left, target_kl=None, batch_size=64)
    assert ppo.lr_schedule(0.5) == 0.05


@pytest.mark.slow
def test_defaults_soon_beat_the_simple_rules() -> None:
    env = SplitVectorEnv(64, profile=synthetic_profile())
    agent = make_agent("d3qn", env, seed=0, learning_starts=2_000).learn(20_000, log_interval=None)
    observations = sample_observations(env.model, 2_000, seed=1)
    rewards = env.model.expected_rewards(observations)

    def value(policy: Predictor) -> float:
        actions, _ = policy.predict(observations, deterministic=True)
        return float(rewards[np.arange(len(rewards)), actions].mean() / rewards.max(axis=1).mean())

    assert value(agent) > 0.94 > value(load_policy("two_split", env)) + 0.03
