"""A sweep as jobs, and the same command again."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "needs"),
    [("joblib", "hydra_plugins.hydra_joblib_launcher"), ("submitit_local", "hydra_plugins.hydra_submitit_launcher")],
)
def test_every_job_has_its_folder_and_goes_on(launcher: str, needs: str, profile_file: Path, tmp_path: Path) -> None:
    if find_spec(needs) is None:
        pytest.skip("the extra sweep is not installed")
    settings = [
        f"env.profile={profile_file}",
        "total_requests=320",
        "num_envs=8",
        "evaluation.num_requests=80",
        "comparison.num_requests=80",
        "agent.policy_kwargs.net_arch=[8]",
        "delivered_images=0",
        "policies=[edge]",
    ]
    command = [sys.executable, str(ROOT / "train.py"), "-m", f"launcher={launcher}", "seed=1,2", *settings]

    def folders() -> list[Path]:
        subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}, check=True)
        return sorted(file.parent for file in tmp_path.glob("outputs/sweeps/*/*/policy.zip"))

    first = folders()
    assert [folder.name for folder in first] == ["0_d3qn_seed1", "1_d3qn_seed2"]
    assert first[0].parent == first[1].parent
    for folder in first:
        assert [checkpoint.name for checkpoint in folder.glob("checkpoint-*")] == ["checkpoint-320"]
    assert folders() == first
