"""Agents of stable-baselines3 and sb3-contrib: memory, masks and normalised observations, in code and from files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from sb3_contrib import TRPO, MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecFrameStack, VecNormalize

from agents import SB3VecEnv, evaluate, load_policy, save_policy
from agents.policies.trained import Normalisation, TrainedPolicy
from agents.runs.learn import copy_policy
from envs import SplitVectorEnv
from envs.transceiver import ACCEPTANCE_RULES
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)
SHORT = {"n_steps": 10, "batch_size": 20}


def vector_env(num_envs: int = 4, **settings: Any) -> SplitVectorEnv:
    return SplitVectorEnv(num_envs, profile=PROFILE, episode_length=5, **settings)


def tiny() -> dict[str, Any]:
    return {"seed": 0, "device": "cpu", "policy_kwargs": {"net_arch": [8]}}


def actions_of(policy: Any, env: SplitVectorEnv) -> list[int]:
    return evaluate(policy, env, 60, seed=3)["action"].tolist()


def normalised(norm_obs: bool = True) -> PPO:
    env = VecNormalize(SB3VecEnv(vector_env()), norm_obs=norm_obs, clip_obs=1.5)
    return PPO("MlpPolicy", env, **SHORT, **tiny()).learn(200)


class Raw:
    """An agent without what its class says about it."""

    def __init__(self, agent: Any) -> None:
        self.agent = agent

    def predict(self, observation: Any) -> Any:
        return self.agent.predict(observation, deterministic=True)


def test_recurrent_agents_remember_within_a_session_and_forget_after_it(tmp_path: Path) -> None:
    env = vector_env()
    agent = RecurrentPPO("MlpLstmPolicy", SB3VecEnv(vector_env()), **SHORT, seed=0, device="cpu").learn(40)
    observations, state, starts, expected = env.reset(seed=3)[0], None, np.ones(4, np.bool_), []
    for _ in range(15):
        actions, state = agent.predict(observations, state, starts, deterministic=True)
        expected += actions.tolist()
        observations, _, terminated, _, _ = env.step(actions)
        starts = terminated
    assert actions_of(agent, env) == expected
    assert actions_of(Raw(agent), env) != expected
    save_policy(agent, tmp_path)
    loaded = load_policy(tmp_path, env)
    assert isinstance(loaded.agent, RecurrentPPO)  # type: ignore[attr-defined]
    assert actions_of(loaded, env) == expected


def test_masks_reach_an_agent_of_sb3_contrib() -> None:
    env = vector_env(scenario={"name": "battery", "battery_j": [100.0, 3000.0]}, plans=["semaigc", "edge_aigc"])
    agent: Any = MaskablePPO("MlpPolicy", SB3VecEnv(env), **SHORT, **tiny())
    served, free = evaluate(agent, env, 200, seed=0), evaluate(Raw(agent), env, 200, seed=0)  # type: ignore[arg-type]
    assert (free["attempts"] == 0).sum() > (served["attempts"] == 0).sum()


def test_statistics_of_vec_normalize_are_used_and_kept(tmp_path: Path) -> None:
    agent, env = normalised(), vector_env()
    statistics = agent.get_vec_normalize_env()
    assert statistics is not None
    before = statistics.obs_rms.mean.copy()  # type: ignore[union-attr]
    actions = actions_of(agent, env)
    assert actions != actions_of(Raw(agent), env)
    assert actions_of(TrainedPolicy(agent), env) == actions
    np.testing.assert_array_equal(statistics.obs_rms.mean, before)  # type: ignore[union-attr]
    path = save_policy(agent, tmp_path / "new" / "folder")
    loaded = load_policy(path.parent, env)
    assert actions_of(loaded, env) == actions
    kept = Normalisation.from_zip(path)
    observations = np.random.default_rng(0).random((50, 7), dtype=np.float32)
    assert kept is not None
    np.testing.assert_array_equal(kept(observations), statistics.normalize_obs(observations))
    assert loaded.agent.plan_names == list(env.model.plan_names)  # type: ignore[attr-defined]
    assert PPO.load(path, device="cpu").num_timesteps == 200  # it is still stable-baselines3's file


@pytest.mark.parametrize("algorithm", [PPO, DQN])
def test_lost_statistics_are_noticed(algorithm: Any, tmp_path: Path) -> None:
    short = SHORT if algorithm is PPO else {"learning_starts": 10}
    agent = algorithm("MlpPolicy", VecNormalize(SB3VecEnv(vector_env())), **short, **tiny()).learn(200)
    agent.save(tmp_path / "lost.zip")
    with pytest.raises(
        ValueError, match=r"lost.zip' was trained on observations outside Box.*VecNormalize.*save_policy"
    ):
        load_policy(tmp_path / "lost.zip", vector_env())
    loaded = algorithm.load(tmp_path / "lost.zip", device="cpu")
    with pytest.raises(ValueError, match="statistics are not with it"):
        evaluate(loaded, vector_env(), 8, seed=0)
    with pytest.raises(ValueError, match="statistics are not with it"):
        save_policy(loaded, tmp_path)
    assert not (tmp_path / "policy.zip").exists()


def test_rewards_alone_may_be_normalised(tmp_path: Path) -> None:
    agent, env = normalised(norm_obs=False), vector_env()
    agent.save(tmp_path / "policy.zip")
    assert actions_of(load_policy(tmp_path, env), env) == actions_of(agent, env) == actions_of(Raw(agent), env)


def test_networks_of_normalised_observations_do_not_start_another_agent(tmp_path: Path) -> None:
    save_policy(normalised(), tmp_path)
    with pytest.raises(ValueError, match="VecNormalize"):
        copy_policy(
            PPO("MlpPolicy", SB3VecEnv(vector_env()), **SHORT, **tiny()), str(tmp_path), ACCEPTANCE_RULES["alignment"]
        )


def test_other_algorithms_are_told_apart(tmp_path: Path) -> None:
    env = vector_env()
    trpo = TRPO("MlpPolicy", SB3VecEnv(env), n_steps=10, batch_size=20, **tiny())
    trpo.save(tmp_path / "trpo.zip")
    assert isinstance(load_policy(tmp_path / "trpo.zip", env).agent, TRPO)  # type: ignore[attr-defined]
    sac = SAC("MlpPolicy", gym.make("Pendulum-v1"), buffer_size=10, **tiny())
    sac.save(tmp_path / "sac.zip")
    with pytest.raises(ValueError, match=r"sac.zip holds an agent that is not supported .*sac.policies.*allowed: d3qn"):
        load_policy(tmp_path / "sac.zip", env)
    with pytest.raises(ValueError, match="SAC cannot be saved as a policy; allowed: d3qn"):
        save_policy(sac, tmp_path)
    with pytest.raises(
        ValueError, match=r"'SAC' was trained with action_space Box.*the environment has Discrete\(21\)"
    ):
        evaluate(sac, env, 8, seed=0)


def test_agents_of_other_observations_are_refused() -> None:
    env = vector_env()
    stacked: BaseAlgorithm = PPO("MlpPolicy", VecFrameStack(SB3VecEnv(vector_env()), 2), **SHORT, **tiny())
    with pytest.raises(ValueError, match=r"observation_space Box\(0.0, 1.0, \(14,\).*\(7,\)"):
        evaluate(stacked, env, 8, seed=0)
