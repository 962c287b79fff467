from __future__ import annotations

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import TimeAwareObservation

from envs import OBSERVATION_NAMES, SplitEnv
from envs.scenario import SCENARIOS, resolve_scenario
from envs.transceiver.profile.profile import QualityProfile
from envs.wrappers import DiscretisedObservation, PhysicalObservation


@pytest.mark.parametrize("wrapper", [PhysicalObservation, DiscretisedObservation])
def test_gymnasium_accepts_the_wrapped_environment(profile: QualityProfile, wrapper: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*different from the unwrapped version")
        check_env(wrapper(SplitEnv(profile=profile)), skip_render_check=True)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_physical_units_are_those_of_info(profile: QualityProfile, scenario: str) -> None:
    env = PhysicalObservation(SplitEnv(profile=profile, scenario=scenario))
    features = tuple(resolve_scenario(scenario).FEATURES)
    assert set(env.observation_space) == {*OBSERVATION_NAMES, *features}
    obs, _ = env.reset(seed=0)
    for action in range(20):
        before = obs
        obs, _, _, _, info = env.step(action)
        assert obs in env.observation_space
        for name in ("snr_db", "bandwidth_hz", "latency_low_s", *features):
            assert before[name] == pytest.approx(info["state"][name], rel=1e-5, abs=2e-5)


def test_classes_are_equally_likely_and_grow_with_the_value(profile: QualityProfile) -> None:
    inner = SplitEnv(profile=profile)
    env = DiscretisedObservation(inner, bins=[1, 2, 3, 4, 5, 2, 2])
    assert env.observation_space == gym.spaces.MultiDiscrete([1, 2, 3, 4, 5, 2, 2])
    scenario = inner.model.new_scenario()
    scenario.reset(6000, np.random.default_rng(1))
    raw = inner.model.observe(scenario.state)
    classes = np.array([env.observation(row) for row in raw])
    for column, count in enumerate(env.observation_space.nvec):
        shares = np.bincount(classes[:, column], minlength=count) / len(classes)
        # 5 standard errors of a share over 6,000 states, and as much for the edges from 4,096.
        np.testing.assert_allclose(shares, 1 / count, atol=0.07)
        order = np.argsort(raw[:, column], kind="stable")
        assert np.all(np.diff(classes[order, column]) >= 0)


@pytest.mark.parametrize("bins", [0, [4, 4], [1, 1, 1, 1, 1, 1, 0], 2.5, "four"])
def test_bad_bins_are_refused(profile: QualityProfile, bins: Any) -> None:
    with pytest.raises(ValueError, match="bins must be an integer >= 1, or 7 of them"):
        DiscretisedObservation(SplitEnv(profile=profile), bins=bins)


def test_a_table_can_be_learned_from(profile: QualityProfile) -> None:
    """One hundred sessions of a table of mean rewards over PACR beat a random choice by far."""
    env = DiscretisedObservation(SplitEnv(profile=profile, plans=["semaigc(0)", "semaigc(20)"]), [1, 1, 1, 4, 1, 1, 1])
    rng = np.random.default_rng(0)
    sums, counts = np.zeros((*env.observation_space.nvec, 2)), np.zeros((*env.observation_space.nvec, 2))
    random, greedy = [], []
    obs, _ = env.reset(seed=0)
    for step in range(4000):
        learning = step < 2000
        values = sums[tuple(obs)] / np.maximum(counts[tuple(obs)], 1)
        action = int(rng.integers(2)) if learning else int(values.argmax())
        before = tuple(obs)
        obs, reward, terminated, _, _ = env.step(action)
        sums[(*before, action)] += reward
        counts[(*before, action)] += 1
        (random if learning else greedy).append(reward)
        if terminated:
            obs, _ = env.reset()
    assert np.mean(greedy) > np.mean(random) + 0.03


def test_the_time_of_a_session_is_observed_and_nothing_is_truncated(profile: QualityProfile) -> None:
    for length in (4, 30):
        plain = gym.make("envs:SemAIGC/Split-v0", profile=profile, episode_length=length)
        aware = TimeAwareObservation(gym.make("envs:SemAIGC/Split-v0", profile=profile, episode_length=length))
        assert plain.spec is not None
        assert aware.max_timesteps == plain.spec.max_episode_steps == length
        assert not isinstance(plain, gym.wrappers.TimeLimit)
        first, seen = plain.reset(seed=3)[0], aware.reset(seed=3)[0]
        np.testing.assert_array_equal(seen, [*first, 0])
        for request in range(1, length + 1):
            obs, *outcome = plain.step(request % 21)
            seen, *same = aware.step(request % 21)
            assert seen in aware.observation_space
            np.testing.assert_array_equal(seen, [*obs, request])
            assert outcome[:3] == same[:3]
            assert outcome[1:3] == [request == length, False]


def test_the_specification_makes_the_same_again(profile: QualityProfile) -> None:
    made = gym.make("envs:SemAIGC/Cache-v0", profile=profile, episode_length=3)
    assert made.spec is not None
    again, batch = gym.make(made.spec), gym.make_vec(made.spec, num_envs=2)
    np.testing.assert_array_equal(made.reset(seed=1)[0], again.reset(seed=1)[0])
    assert batch.unwrapped.model.settings.episode_length == 3  # type: ignore[attr-defined]
    for _ in range(3):
        ended, same = made.step(0)[2], again.step(0)[2]
        assert ended == same
    with pytest.raises(ValueError, match="max_episode_steps must be None or episode_length, 20, got 3"):
        gym.make_vec("envs:SemAIGC/Split-v0", profile=profile, max_episode_steps=3)


def test_gymnasium_looks_for_no_plugins() -> None:
    """If it does one day, an entry point in pyproject.toml makes the ids known without the module before them."""
    assert not hasattr(gym.envs.registration, "load_plugin_envs")
