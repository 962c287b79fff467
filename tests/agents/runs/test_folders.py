from __future__ import annotations

from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from agents import make_agent
from agents.runs.folders import RunFolder
from envs import SplitVectorEnv
from envs.transceiver.profile import QualityProfile

SMALL = {"learning_starts": 8, "batch_size": 4, "policy_kwargs": {"net_arch": [8]}}


@pytest.mark.parametrize("name", ["d3qn", "a2c"])
def test_checkpoint_restores_agent_and_count(tmp_path: Path, profile: QualityProfile, name: str) -> None:
    hyperparameters = SMALL if name == "d3qn" else {"n_steps": 4}
    run = RunFolder(tmp_path / "run")
    agent = make_agent(name, SplitVectorEnv(4, profile=profile), seed=0, **hyperparameters)
    for requests in (32, 64):
        agent.learn(32, reset_num_timesteps=False)
        assert agent.num_timesteps == requests
        run.save_checkpoint(agent)
    assert [folder.name for folder in run.path.iterdir()] == ["checkpoint-64"]

    fresh = make_agent(name, SplitVectorEnv(4, profile=profile), seed=0, **hyperparameters)
    restored = run.restore(fresh)
    assert restored.num_timesteps == 64
    for old, new in zip(agent.policy.parameters(), restored.policy.parameters(), strict=True):
        torch.testing.assert_close(old, new, rtol=0, atol=0)
    if name == "d3qn":
        assert restored.replay_buffer.size() == agent.replay_buffer.size()  # type: ignore[attr-defined]


def test_without_checkpoint_the_agent_stays(tmp_path: Path, profile: QualityProfile) -> None:
    agent = make_agent("a2c", SplitVectorEnv(2, profile=profile), seed=0)
    assert RunFolder(tmp_path).restore(agent) is agent


def test_configuration(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "new")
    with pytest.raises(ValueError, match="not the folder of a training run"):
        run.load_config()
    run.save_config(OmegaConf.create({"seed": 3, "resume": "elsewhere"}))
    assert run.load_config() == {"seed": 3, "resume": None}
