from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf
from stable_baselines3.common.base_class import BaseAlgorithm

from agents import make_agent
from agents.runs import folders
from agents.runs.folders import RunFolder
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

SMALL = {"learning_starts": 8, "batch_size": 4, "policy_kwargs": {"net_arch": [8]}}


def small_agent(profile: QualityProfile, name: str = "d3qn", envs: int = 4, **changes: Any) -> BaseAlgorithm:
    hyperparameters = SMALL if name in ("d3qn", "dqn") else {"n_steps": 4}
    return make_agent(name, SplitVectorEnv(envs, profile=profile), seed=0, **(hyperparameters | changes))


def same_parameters(one: BaseAlgorithm, other: BaseAlgorithm) -> bool:
    return all(a.equal(b) for a, b in zip(one.policy.parameters(), other.policy.parameters(), strict=True))


@pytest.mark.parametrize("name", ["d3qn", "a2c"])
def test_the_last_checkpoint_is_kept_and_restored(tmp_path: Path, profile: QualityProfile, name: str) -> None:
    run = RunFolder(tmp_path / "run")
    agent = small_agent(profile, name)
    for requests in (32, 64):
        agent.learn(32, reset_num_timesteps=False)
        assert agent.num_timesteps == requests
        run.save_checkpoint(agent)
    assert [folder.name for folder in run.path.iterdir()] == ["checkpoint-64"]
    restored = small_agent(profile, name)
    assert run.restore(restored) == []
    assert restored.num_timesteps == 64
    assert same_parameters(restored, agent)


def test_without_checkpoint_the_agent_stays(tmp_path: Path, profile: QualityProfile) -> None:
    agent, other = small_agent(profile), small_agent(profile)
    assert RunFolder(tmp_path).restore(agent) == []
    assert same_parameters(agent, other)


def test_a_checkpoint_cut_short(tmp_path: Path, profile: QualityProfile) -> None:
    run, agent = RunFolder(tmp_path), small_agent(profile)
    agent.learn(32)
    run.save_checkpoint(agent)
    cut = tmp_path / "checkpoint-64"
    cut.write_bytes((tmp_path / "checkpoint-32").read_bytes()[:-9])
    other = small_agent(profile)
    (said,) = run.restore(other)
    assert "checkpoint-64 is cut short" in said
    assert other.num_timesteps == 32
    (tmp_path / "checkpoint-32").unlink()
    with pytest.raises(ValueError, match="checkpoint-64 is cut short .* remove it"):
        run.restore(other)
    assert cut.is_file()


def test_a_half_written_checkpoint_does_not_count(
    tmp_path: Path, profile: QualityProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, agent = RunFolder(tmp_path), small_agent(profile)
    agent.learn(32)
    run.save_checkpoint(agent)
    agent.learn(32, reset_num_timesteps=False)

    def killed(path: Path, snapshot: Any) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(folders, "write_snapshot", killed)
        with pytest.raises(KeyboardInterrupt):
            run.save_checkpoint(agent)
    other = small_agent(profile)
    assert run.restore(other) == []
    assert other.num_timesteps == 32
    run.save_checkpoint(agent)
    assert [folder.name for folder in tmp_path.iterdir()] == ["checkpoint-64"]


@pytest.mark.parametrize("change", [{"name": "a2c"}, {"envs": 2}, {"policy_kwargs": {"net_arch": [9]}}])
def test_the_checkpoint_of_another_agent(tmp_path: Path, profile: QualityProfile, change: dict[str, Any]) -> None:
    run, agent = RunFolder(tmp_path), small_agent(profile)
    agent.learn(32)
    run.save_checkpoint(agent)
    with pytest.raises(ValueError, match="the checkpoint is of another agent or environment"):
        run.restore(small_agent(profile, **change))


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        RunFolder(tmp_path).locked(),
        pytest.raises(ValueError, match="another process trains in"),
        RunFolder(tmp_path).locked(),
    ):
        pass
    with RunFolder(tmp_path).locked():
        pass


def test_configuration(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "new")
    with pytest.raises(ValueError, match="not the folder of a training run"):
        run.load_config()
    run.save_config(OmegaConf.create({"seed": 3, "resume": "elsewhere"}))
    assert run.load_config() == {"seed": 3, "resume": "auto"}
    run.check_config(OmegaConf.create({"seed": 3, "resume": "never"}))
    with pytest.raises(ValueError, match="holds another run, it differs in agent.name, seed;"):
        run.check_config(OmegaConf.create({"seed": 4, "agent": {"name": "dqn"}}))
