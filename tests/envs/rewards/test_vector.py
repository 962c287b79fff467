from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from envs import SplitEnv, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

WEIGHTS = np.array([0.0, 0.5, 0.25, 0.25])


def test_a_vector_has_its_space_and_its_named_entries(profile: QualityProfile) -> None:
    env = SplitVectorEnv(8, profile=profile, reward="vector")
    env.reset(seed=0)
    for action in (0, 10, 20):
        _, reward, _, _, info = env.step(np.full(8, action))
        assert reward.shape == (8, 4)
        assert all(entry in env.reward_space for entry in reward)
        for column, name in enumerate(("satisfaction", "quality", "latency", "energy")):
            np.testing.assert_array_equal(reward[:, column], info["rewards"][name])


def test_weighted_sums_are_the_other_rewards(profile: QualityProfile) -> None:
    envs = {name: SplitVectorEnv(16, profile=profile, reward=name) for name in ("vector", "qoe", "satisfaction")}
    for env in envs.values():
        env.reset(seed=3)
    actions = np.arange(16)
    for _ in range(5):
        rewards = {name: env.step(actions)[1] for name, env in envs.items()}
        np.testing.assert_allclose(rewards["vector"] @ WEIGHTS, rewards["qoe"], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(rewards["vector"][:, 0], rewards["satisfaction"])
    obs = np.stack([env.core.model.observe(env.core.state) for env in envs.values()])
    expected = {name: env.model.expected_rewards(obs[0]) for name, env in envs.items()}
    np.testing.assert_allclose(expected["vector"] @ WEIGHTS, expected["qoe"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(expected["vector"][..., 0], expected["satisfaction"], rtol=0, atol=1e-12)


def test_a_scalar_reward_has_a_space_too(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile, reward="qoe")
    env.reset(seed=0)
    _, reward, _, _, info = env.step(5)
    assert type(reward) is float
    assert reward == pytest.approx(sum(info["rewards"].values()))
    assert env.model.reward.low <= reward <= env.model.reward.high


def test_one_environment_is_the_batch_of_one(profile: QualityProfile) -> None:
    scalar, vector = SplitEnv(profile=profile, reward="vector"), SplitVectorEnv(1, profile=profile, reward="vector")
    scalar.reset(seed=1)
    vector.reset(seed=1)
    reward, batch = scalar.step(9)[1], vector.step([9])[1]
    assert isinstance(reward, np.ndarray)
    np.testing.assert_array_equal(reward, batch[0])
    assert reward in scalar.reward_space


def test_mo_gymnasium_takes_it(profile: QualityProfile) -> None:
    wrappers = pytest.importorskip("mo_gymnasium.wrappers", reason="the extra morl is not installed")
    env = gym.make("envs:SemAIGC/Split-v0", profile=profile, reward="vector", disable_env_checker=True)
    scalar = SplitEnv(profile=profile, reward="qoe")
    weighed = wrappers.LinearReward(env, weight=WEIGHTS)
    recorded = wrappers.MORecordEpisodeStatistics(env)
    scalar.reset(seed=2)
    weighed.reset(seed=2)
    for action in range(20):
        reward, expected = weighed.step(action)[1], scalar.step(action)[1]
        assert reward == pytest.approx(expected, abs=1e-12)
    recorded.reset(seed=2)
    returns = np.zeros(4)
    for action in range(20):
        _, vector, _, _, info = recorded.step(action)
        returns += vector
    np.testing.assert_allclose(info["episode"]["r"], returns, rtol=1e-5)
