"""A training that is killed and started again with the same command ends as one that was never killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3.common.save_util import load_from_zip_file

ROOT = Path(__file__).parents[1]
LAST = 12_800


def training(profile_file: Path, folder: Path, agent: str) -> list[str]:
    return [
        sys.executable,
        "train.py",
        f"agent={agent}",
        f"env.profile={profile_file}",
        f"hydra.run.dir={folder}",
        f"total_requests={LAST}",
        "num_envs=8",
        "checkpoint_every_requests=1600",
        "evaluation.every_requests=3200",
        "evaluation.map_every_requests=6400",
        "evaluation.num_requests=160",
        "comparison.num_requests=160",
        "agent.policy_kwargs.net_arch=[16]",
        "delivered_images=0",
        "policies=[edge]",
    ]


def checkpoints(folder: Path) -> list[int]:
    return sorted(int(file.name.partition("-")[2]) for file in folder.glob("checkpoint-*"))


def kill_after_checkpoint(command: list[str], folder: Path, number: int, delay_s: float) -> None:
    """Start the command and kill it `delay_s` after it has a checkpoint of at least `number` requests."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        while not any(have >= number for have in checkpoints(folder)):
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.001)
        time.sleep(delay_s)
        os.kill(process.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("agent", ["d3qn", "ppo"])
def test_killed_twice_and_never(profile_file: Path, tmp_path: Path, agent: str) -> None:
    killed, whole = (
        training(profile_file, tmp_path / "killed", agent),
        training(profile_file, tmp_path / "whole", agent),
    )
    rng = np.random.default_rng(0)
    for number in (1600, 4800):
        kill_after_checkpoint(killed, tmp_path / "killed", number, delay_s=rng.uniform(0, 0.05))
        assert checkpoints(tmp_path / "killed")[-1] < LAST
    for command in (killed, whole):
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    ends = [load_from_zip_file(tmp_path / name / "policy.zip", load_data=False)[1] for name in ("killed", "whole")]
    for name, value in ends[0]["policy"].items():
        assert value.equal(ends[1]["policy"][name])
    for one, two in zip(*(end["policy.optimizer"]["state"].values() for end in ends), strict=True):
        assert one["exp_avg"].equal(two["exp_avg"])
    assert (tmp_path / "killed" / "comparison.csv").read_bytes() == (tmp_path / "whole" / "comparison.csv").read_bytes()
    assert checkpoints(tmp_path / "killed") == checkpoints(tmp_path / "whole")
