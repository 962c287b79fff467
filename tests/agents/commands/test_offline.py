from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from hydra import compose, initialize_config_dir

from agents import load_policy
from agents.commands.offline import environment_spec, export, roll_out
from envs import SplitVectorEnv
from envs.command_line import CONFIGS
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
    export(sessions, env, "test/split-v0", "random", "made up", None)
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
        export(sessions, env, "test/split-v0", "random", "made up", None)


def test_a_missing_minari_is_said(profile: QualityProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.commands.offline.find_spec", lambda _: None)
    env = SplitVectorEnv(1, profile=profile, episode_length=1)
    sessions = roll_out(load_policy("random", env), env, seed=1)
    with pytest.raises(ValueError, match=r"pip install '\.\[minari\]'"):
        export(sessions, env, "test/split-v0", "random", "made up", None)


def test_the_environment_is_recovered(
    command: Callable[..., int], profile_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    minari = pytest.importorskip("minari", reason="the extra minari is not installed")
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    name = "test/recovered-v0"
    given = ["scenario=queue", "devices=euci", "env=qoe", "env.episode_length=3", "env.plans=[semaigc,edge_aigc]"]
    sizes = ["num_sessions=1", "seed=7", f"dataset={name}", f"env.profile={profile_file}"]
    assert command("agents.commands.offline", *given, *sizes) == 0
    data = minari.load_dataset(name)
    env = data.recover_environment()
    (episode,) = data.iterate_episodes()
    assert env.observation_space == data.observation_space
    seen, paid = [env.reset(seed=7)[0]], []  # one session is that of the batch, bit for bit
    for action in episode.actions:
        observation, reward, *_ = env.step(action)
        seen.append(observation), paid.append(reward)
    np.testing.assert_array_equal(seen, episode.observations)
    np.testing.assert_array_equal(paid, episode.rewards)


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ([], "paper"),
        (["costs=flops"], "flops"),
        (["costs=flops", "costs.light_model=bk_sdm_base"], None),
        (["costs=measured"], None),
        (["env=live"], "paper"),
        (["env=live", "transceiver.path=weights"], None),
    ],
)
def test_what_plain_values_cannot_make_again_has_no_recipe(arguments: list[str], kept: str | None) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        spec = environment_spec(compose("offline", arguments))
    assert (spec and spec.kwargs["costs"]) == kept
    assert spec is None or EnvSpec.from_json(spec.to_json()).kwargs == spec.kwargs


def test_a_memory_starts_with_the_sessions(profile: QualityProfile) -> None:
    class Remembers:
        def predict(self, observation, state=None, episode_start=None, deterministic=False):  # type: ignore[no-untyped-def]
            served = np.zeros(len(observation), np.int64) if state is None else state + 1
            assert episode_start.all() == (state is None)
            return served, served

    sessions = roll_out(Remembers(), SplitVectorEnv(2, profile=profile, episode_length=3), seed=0)
    assert sessions.actions.tolist() == [[0, 0], [1, 1], [2, 2]]
