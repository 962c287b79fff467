"""Gymnasium's recorders around the environment, single and batched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.wrappers import RecordEpisodeStatistics, RecordVideo
from gymnasium.wrappers.vector import RecordEpisodeStatistics as RecordEpisodeStatisticsOfAll

from envs.transceiver.profile.profile import QualityProfile

ID = "envs:SemAIGC/Split-v0"


class GreyTransceiver:
    """Delivers a grey image."""

    def with_steps(self, _: int) -> Any:
        return self

    def execute(self, *_: Any, **__: Any) -> Any:
        return type("Delivery", (), {"images": np.full((1, 3, 64, 64), 0.5, np.float32)})


def test_statistics_of_an_episode(profile: QualityProfile) -> None:
    env = RecordEpisodeStatistics(gym.make(ID, profile=profile))
    env.reset(seed=0)
    rewards = [env.step(action) for action in range(20)]
    assert rewards[-1][4]["episode"]["r"] == pytest.approx(sum(float(step[1]) for step in rewards), rel=1e-6)
    assert rewards[-1][4]["episode"]["l"] == 20


def test_statistics_of_a_batch(profile: QualityProfile) -> None:
    env = RecordEpisodeStatisticsOfAll(gym.make_vec(ID, num_envs=3, profile=profile, episode_length=4))
    env.reset(seed=0)
    returns = np.zeros(3)
    for _ in range(4):
        _, reward, _, _, info = env.step(np.array([0, 10, 20]))
        returns += reward
    np.testing.assert_allclose(info["episode"]["r"], returns, rtol=1e-6)
    assert info["episode"]["l"].tolist() == [4, 4, 4]
    assert "episode" not in env.step(np.array([0, 10, 20]))[4]


def test_video_of_a_session(profile: QualityProfile, tmp_path: Path) -> None:
    made = gym.make(ID, profile=profile, episode_length=3, render_mode="rgb_array", transceiver=GreyTransceiver())
    env = RecordVideo(made, str(tmp_path / "videos"), episode_trigger=lambda _: True)
    env.reset(seed=0)
    for action in (0, 10, 20):
        env.step(action)
    env.close()
    assert [path.suffix for path in (tmp_path / "videos").iterdir()] == [".mp4"]
