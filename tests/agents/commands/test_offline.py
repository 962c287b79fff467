from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agents import load_policy
from agents.commands.offline import export, roll_out
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile


def test_sessions_are_those_of_the_environment(profile: QualityProfile) -> None:
    env = SplitVectorEnv(4, profile=profile, episode_length=3)
    sessions = roll_out(load_policy("best_fixed", env), env, seed=5)
    assert sessions.observations.shape == (4, 4, 7)
    obs, _ = env.reset(seed=5)
    for step in range(3):
        np.testing.assert_array_equal(sessions.observations[step], obs)
        obs, reward, _, _, info = env.step(sessions.actions[step])
        np.testing.assert_array_equal(sessions.rewards[step], reward)
    np.testing.assert_array_equal(sessions.observations[3], info["final_obs"])


@pytest.mark.parametrize("reward", ["satisfaction", "vector"])
def test_minari_reads_back_what_was_written(
    profile: QualityProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reward: str
) -> None:
    minari = pytest.importorskip("minari", reason="the extra minari is not installed")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    env = SplitVectorEnv(5, profile=profile, episode_length=4, reward=reward)
    sessions = roll_out(load_policy("random", env), env, seed=1)
    export(sessions, env, "test/split-v0", "random", "made up")
    data = minari.load_dataset("test/split-v0")
    assert (data.total_episodes, data.total_steps) == (5, 20)
    assert data.observation_space == env.single_observation_space
    for index, episode in enumerate(data.iterate_episodes()):
        np.testing.assert_array_equal(episode.observations, sessions.observations[:, index])
        np.testing.assert_array_equal(episode.actions, sessions.actions[:, index])
        np.testing.assert_array_equal(episode.rewards, sessions.rewards[:, index])
        assert episode.terminations.tolist() == [False, False, False, True]
        assert not episode.truncations.any()
    with pytest.raises(ValueError, match="already"):
        export(sessions, env, "test/split-v0", "random", "made up")


def test_a_missing_minari_is_said(profile: QualityProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.commands.offline.find_spec", lambda _: None)
    env = SplitVectorEnv(1, profile=profile, episode_length=1)
    sessions = roll_out(load_policy("random", env), env, seed=1)
    with pytest.raises(ValueError, match=r"pip install '\.\[minari\]'"):
        export(sessions, env, "test/split-v0", "random", "made up")
