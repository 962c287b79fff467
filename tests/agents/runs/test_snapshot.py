"""A training that went on from a snapshot ends as one that never stopped."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from agents import ALGORITHMS, default_hyperparameters, make_agent
from agents.runs.callbacks import Checkpoints, StopRequest
from agents.runs.snapshot import Snapshot, put_snapshot, read_snapshot, take_snapshot, write_snapshot
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

SMALL = {
    "learning_starts": 64,
    "batch_size": 16,
    "n_steps": 8,
    "buffer_size": 400,  # wraps around
    "policy_kwargs": {"net_arch": [8]},
}
NUM_ENVS, TOTAL = 4, 600


def fresh(name: str, profile: QualityProfile) -> BaseAlgorithm:
    known = default_hyperparameters(name)
    environment = SplitVectorEnv(NUM_ENVS, profile=profile, episode_length=7)  # a session is running at any snapshot
    return make_agent(name, environment, seed=0, **{key: SMALL[key] for key in SMALL if key in known})


def learn(agent: BaseAlgorithm, *callbacks: BaseCallback) -> None:
    agent.learn(TOTAL - agent.num_timesteps, callback=list(callbacks), reset_num_timesteps=False)


def snapshot_of(agent: BaseAlgorithm) -> Snapshot:
    """Parameters, optimiser, buffer, streams and environment."""
    snapshot = take_snapshot(agent)
    for clock in ("start_time", "_num_timesteps_at_start"):
        del snapshot["attributes"][clock]
    return snapshot


def same(one: Any, other: Any) -> None:
    """Both trees hold the same types and bits."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key, value in one.items():
            same(value, other[key])
    elif isinstance(one, list | tuple):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            same(left, right)
    elif isinstance(one, torch.Tensor):
        assert one.dtype == other.dtype
        assert one.equal(other)
    else:
        assert one == other


@pytest.mark.parametrize("name", sorted(ALGORITHMS))
def test_a_run_from_a_snapshot_is_the_run_that_never_stopped(
    name: str, profile: QualityProfile, tmp_path: Path
) -> None:
    agent = fresh(name, profile)
    saved: list[int] = []

    def save() -> None:
        if len(saved) < 2:
            write_snapshot(tmp_path / "snapshot", take_snapshot(agent))
        saved.append(agent.num_timesteps)

    learn(agent, Checkpoints(150, save, StopRequest()))
    assert len(saved) > 2
    random.seed(9)
    np.random.seed(9)  # noqa: NPY002
    torch.manual_seed(9)
    other = fresh(name, profile)
    put_snapshot(other, read_snapshot(tmp_path / "snapshot"))
    assert 0 < other.num_timesteps == saved[1] < TOTAL
    learn(other)
    same(snapshot_of(other), snapshot_of(agent))


def test_the_seed_matters(profile: QualityProfile) -> None:
    agent, other = fresh("d3qn", profile), fresh("d3qn", profile)
    other.set_random_seed(1)
    for one in (agent, other):
        learn(one)
    assert not agent.policy.q_net.state_dict()["q_net.0.weight"].equal(
        other.policy.q_net.state_dict()["q_net.0.weight"]
    )


def test_only_what_is_filled_of_the_buffer_is_kept(profile: QualityProfile) -> None:
    agent = fresh("d3qn", profile)
    agent.learn(40)
    kept = take_snapshot(agent)["replay_buffer"]["observations"]
    assert kept.shape == (11, NUM_ENVS, 7)


def test_the_snapshot_is_written_when_somebody_asks_to_stop(profile: QualityProfile) -> None:
    agent, stop = fresh("a2c", profile), StopRequest()
    saved: list[int] = []

    class Ask(BaseCallback):
        def _on_step(self) -> bool:
            stop.asked = self.num_timesteps >= 70
            return True

    with pytest.raises(KeyboardInterrupt):
        learn(agent, Ask(), Checkpoints(10_000, lambda: saved.append(agent.num_timesteps), stop))
    assert saved == [96]  # the end of the round of 4 x 8 requests
