from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeAwareObservation

from envs import SplitEnv, SplitVectorEnv
from envs.fidelity import LiveSource
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import METRICS
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
            metric: interpolate(self.profile, "finetuned", metric, request, action, snr_db, draw) for metric in METRICS
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
    for metric in METRICS:
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


def test_the_step_that_starts_anew_earns_nothing_of_any_kind(profile: QualityProfile) -> None:
    env = SplitVectorEnv(3, profile=profile, episode_length=2, reward="vector", autoreset_mode="NextStep")
    env.reset(seed=0)
    rewards = [env.step(np.zeros(3, int))[1] for _ in range(4)]
    assert [each.shape for each in rewards] == [(3, 4)] * 4
    assert [bool(each.any()) for each in rewards] == [True, True, False, True]


def test_sessions_may_start_anew_in_the_next_step_as_gymnasiums_batches_do(profile: QualityProfile) -> None:
    """One session against Gymnasium's loop, which resets so: bit for bit, over four sessions."""
    native = gym.make_vec(ID, profile=profile, scenario="cache", episode_length=3, autoreset_mode="NextStep")
    loop = gym.make_vec(ID, profile=profile, scenario="cache", episode_length=3, vectorization_mode="sync")
    assert native.metadata["autoreset_mode"] is loop.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    np.testing.assert_array_equal(native.reset(seed=2)[0], loop.reset(seed=2)[0])
    ends = []
    for request in range(15):
        action = np.array([request % 21])
        ours, theirs = native.step(action), loop.step(action)
        for left, right in zip(ours[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(left, right)
        for key in ("action_mask", "latency_s"):
            assert (key in ours[4]) == (key in theirs[4])
        assert "final_obs" not in ours[4]
        ends.append(bool(ours[2][0]))
    assert ends == [False, False, True, False] * 3 + [False, False, True]


def test_the_requests_do_not_depend_on_when_sessions_start_anew(profile: QualityProfile) -> None:
    same, later = (
        SplitVectorEnv(5, profile=profile, episode_length=4, autoreset_mode=mode)
        for mode in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)
    )
    assert SplitVectorEnv.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    np.testing.assert_array_equal(same.reset(seed=0)[0], later.reset(seed=0)[0])
    for _ in range(8):
        one, two = same.step(np.arange(5)), later.step(np.arange(5))
        np.testing.assert_array_equal(one[1], two[1])
        np.testing.assert_array_equal(one[2], two[2])
        if one[2].all():
            np.testing.assert_array_equal(one[4]["final_obs"], two[0])
            kept = later.get_state()
            started = later.step(np.full(5, 99))  # which actions does not matter
            later.set_state(kept)
            np.testing.assert_array_equal(later.step(np.arange(5))[0], started[0])
            np.testing.assert_array_equal(one[0], started[0])
            assert not started[1].any()
            assert set(started[4]) == {"state"}
        else:
            np.testing.assert_array_equal(one[0], two[0])


WRAPPERS: dict[str, Any] = {
    "NormalizeObservation": {},
    "FlattenObservation": {},
    "RescaleObservation": {"min_obs": np.float32(-1.0), "max_obs": np.float32(1.0)},
    "TransformObservation": {"func": lambda obs: obs**2},
    "NormalizeReward": {},
    "ClipReward": {"min_reward": 0.0, "max_reward": 0.5},
    "RecordEpisodeStatistics": {},
    "DictInfoToList": {},
}


@pytest.mark.parametrize("mode", ["SameStep", "NextStep"])
@pytest.mark.parametrize("name", WRAPPERS)
def test_gymnasiums_wrappers_of_batches(profile: QualityProfile, name: str, mode: str) -> None:
    def wrapped(mode: str) -> gym.vector.VectorEnv:
        env = gym.make_vec(ID, num_envs=3, profile=profile, scenario="cache", episode_length=3, autoreset_mode=mode)
        made: gym.vector.VectorEnv = getattr(gym.wrappers.vector, name)(env, **WRAPPERS[name])
        return made

    if mode == "SameStep" and name.endswith("Observation"):  # Gymnasium's own choice, and its own message
        with pytest.raises(ValueError, match="Expected autoreset_mode to be NEXT_STEP"):
            wrapped(mode)
        return
    env = wrapped(mode)
    env.reset(seed=0)
    lengths = []
    for _ in range(9):
        obs, reward, _, _, info = env.step(np.zeros(3, dtype=int))
        assert obs in env.observation_space
        assert reward.shape == (3,)
        lengths += list(info["episode"]["l"]) if "episode" in info else []
    if name == "RecordEpisodeStatistics":
        assert set(lengths) == {3}
    if name == "DictInfoToList":
        assert len(info) == 3
        assert "snr_db" in info[2]["state"]


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_loops_over_single_environments_take_seeds_and_wrappers(profile: QualityProfile, mode: str) -> None:
    envs = gym.make_vec(
        ID,
        num_envs=2,
        profile=profile,
        vectorization_mode=mode,
        wrappers=[TimeAwareObservation],
        vector_kwargs={"autoreset_mode": "SameStep"},
        episode_length=2,
    )
    try:
        obs, _ = envs.reset(seed=[4, 5])
        for seed, row in zip((4, 5), obs, strict=True):
            np.testing.assert_array_equal(row[:7], SplitEnv(profile=profile).reset(seed=seed)[0])
        ended = [envs.step(np.array([3, 12]))[2].all() for _ in range(4)]
        assert ended == [False, True, False, True]
    finally:
        envs.close()


def test_what_a_native_batch_does_not_take_is_said_in_one_line(profile: QualityProfile) -> None:
    envs = gym.make_vec(ID, num_envs=2, profile=profile, vectorization_mode="vector_entry_point")
    assert isinstance(envs.unwrapped, SplitVectorEnv)
    for seeds in ([1, 2], (1, 2), np.array([1, 2])):
        with pytest.raises(ValueError, match="seed must be one integer, from which all 2 sessions are drawn, got"):
            envs.reset(seed=seeds)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="reset takes no options, got reset_mask"):
        envs.reset(options={"reset_mask": np.array([True, False])})
    for wrong in ("Disabled", AutoresetMode.DISABLED, "never", 3):
        with pytest.raises(ValueError, match="unknown autoreset_mode .*; allowed: SameStep, NextStep"):
            gym.make_vec(ID, profile=profile, autoreset_mode=wrong)
