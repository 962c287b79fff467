from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from envs import SplitEnv, SplitVectorEnv
from envs.fidelity import LiveSource
from envs.transceiver.profile.profile import QualityProfile
from tests.profiles import interpolate

ID = "envs:SemAIGC/Split-v0"


def same(scalar: Any, batched: Any) -> None:
    """A scalar info equals that of a batch of one, bit for bit."""
    if isinstance(scalar, dict):
        for key, value in scalar.items():
            same(value, batched[key])
    else:
        assert scalar == batched[0]


def test_make_vec_gives_the_native_environment(profile: QualityProfile) -> None:
    envs = gym.make_vec(ID, num_envs=6, profile=profile)
    assert isinstance(envs.unwrapped, SplitVectorEnv)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    obs, info = envs.reset(seed=0)
    assert obs in envs.observation_space
    assert (obs.dtype, obs.shape) == (np.float32, (6, 7))
    assert info["state"]["snr_db"].shape == (6,)
    obs, reward, terminated, truncated, info = envs.step(envs.action_space.sample())
    assert obs in envs.observation_space
    assert reward.shape == terminated.shape == truncated.shape == info["latency_s"].shape == (6,)


@pytest.mark.parametrize("episode_length", [1, 4])
def test_a_batch_of_one_is_the_scalar_environment_bit_for_bit(profile: QualityProfile, episode_length: int) -> None:
    scalar = SplitEnv(profile=profile, episode_length=episode_length)
    vector = SplitVectorEnv(1, profile=profile, episode_length=episode_length)
    (obs, info), (obs_v, info_v) = scalar.reset(seed=5), vector.reset(seed=5)
    rng = np.random.default_rng(0)
    for _ in range(12):
        np.testing.assert_array_equal(obs, obs_v[0])
        same(info, info_v)
        action = rng.integers(21)
        obs, reward, terminated, _, info = scalar.step(action)
        obs_v, reward_v, terminated_v, _, info_v = vector.step(np.array([action]))
        assert (reward, terminated) == (reward_v[0], terminated_v[0])
        same(info, info_v)
        if terminated:
            np.testing.assert_array_equal(obs, info_v["final_obs"][0])
            same(info, info_v["final_info"])
            obs, _ = scalar.reset()
            info, info_v = {}, {}


def test_sessions_start_anew_in_the_step_that_ends_them(profile: QualityProfile) -> None:
    env = SplitVectorEnv(3, profile=profile, episode_length=2)
    env.reset(seed=0)
    actions = np.array([0, 10, 20])
    _, _, terminated, _, info = env.step(actions)
    assert not terminated.any()
    assert "final_obs" not in info
    obs, _, terminated, truncated, info = env.step(actions)
    assert terminated.all()
    assert not truncated.any()
    assert info["_final_obs"].all()
    assert info["_final_info"].all()
    assert not np.array_equal(info["final_obs"], obs)
    np.testing.assert_array_equal(info["final_info"]["latency_s"], info["latency_s"])
    assert not env.step(actions)[2].any()


def test_seeds_fix_everything(profile: QualityProfile) -> None:
    def run(seed: int) -> list[np.ndarray]:
        env = SplitVectorEnv(5, profile=profile)
        seen: list[np.ndarray] = [env.reset(seed=seed)[0]]
        for _ in range(25):
            obs, reward, *_ = env.step(np.arange(5) * 4)
            seen += [obs, reward]
        return seen

    first, again, other = run(1), run(1), run(2)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_what_was_returned_is_not_written_to_again(profile: QualityProfile) -> None:
    env = SplitVectorEnv(4, profile=profile)
    obs, info = env.reset(seed=0)
    kept = obs.copy(), info["state"]["snr_db"].copy()
    step = env.step(np.zeros(4, dtype=int))
    latency_s = step[4]["latency_s"].copy()
    info["state"]["snr_db"][:] = 0.0
    env.step(np.zeros(4, dtype=int))
    np.testing.assert_array_equal(obs, kept[0])
    np.testing.assert_array_equal(step[4]["state"]["snr_db"], kept[1])
    np.testing.assert_array_equal(step[4]["latency_s"], latency_s)


@pytest.mark.parametrize(
    "actions", [np.zeros(3, int), np.zeros((2, 1), int), np.zeros(2), np.array([0, 21]), np.array([-1, 0])]
)
def test_bad_actions_are_refused(profile: QualityProfile, actions: np.ndarray) -> None:
    env = SplitVectorEnv(2, profile=profile)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions must"):
        env.step(actions)


def test_num_envs_must_be_positive(profile: QualityProfile) -> None:
    with pytest.raises(ValueError, match="num_envs"):
        SplitVectorEnv(0, profile=profile)


class MeasureFromProfile:
    """Stands for the generating source: reads the profile, and counts the images that it made."""

    def __init__(self, profile: QualityProfile) -> None:
        self.profile, self.made = profile, 0

    def measure(self, action: Any, request: Any, snr_db: Any, draw: Any) -> tuple[dict[str, Any], Any]:
        self.made += len(action)
        quality = {
            metric: interpolate(self.profile, "finetuned", metric, request, action, snr_db, draw)
            for metric in self.profile.metrics
        }
        return quality, np.zeros((len(action), 3, 2, 2), np.float32)


def test_live_attempts_are_those_of_the_profile_and_no_more_are_generated(profile: QualityProfile) -> None:
    env = SplitVectorEnv(32, profile=profile)
    env.reset(seed=0)
    measure, actions = MeasureFromProfile(profile), np.arange(32) % 21
    live = LiveSource(measure, env.model).serve(actions, env.core.state)
    table = env.model.quality.serve(actions, env.core.state)
    np.testing.assert_array_equal(live.attempts, table.attempts)
    np.testing.assert_array_equal(live.accepted, table.accepted)
    for metric in profile.metrics:
        np.testing.assert_allclose(live.quality[metric], table.quality[metric], rtol=1e-12)
    assert measure.made == table.attempts.sum()
    assert live.images.shape == (32, 3, 2, 2)


def test_what_follows_a_state_follows_it_again_bit_for_bit(profile: QualityProfile) -> None:
    env = SplitVectorEnv(3, profile=profile, episode_length=4)
    env.reset(seed=1)
    for _ in range(6):
        env.step(np.zeros(3, dtype=np.int64))
    state = env.get_state()

    def follow(env: SplitVectorEnv) -> list[tuple[Any, ...]]:
        rng = np.random.default_rng(2)
        return [env.step(rng.integers(21, size=3))[:4] for _ in range(9)]

    expected = follow(env)
    other = SplitVectorEnv(3, profile=profile, episode_length=4)
    for again in (env, other):
        again.set_state(state)
        for one, two in zip(expected, follow(again), strict=True):
            for left, right in zip(one, two, strict=True):
                np.testing.assert_array_equal(left, right)


def test_a_state_of_another_size_and_of_no_session(profile: QualityProfile) -> None:
    env = SplitVectorEnv(3, profile=profile)
    with pytest.raises(ResetNeeded):
        env.get_state()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="the state is of 3 sessions, the environment has 2"):
        SplitVectorEnv(2, profile=profile).set_state(env.get_state())
