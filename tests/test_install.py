"""An installation that is not editable works from any folder: configs, weights and profile are package data."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKE = "import envs, gymnasium as gym; print(gym.make('envs:SemAIGC/Queue-v0').reset(seed=0)[0].shape, envs.__file__)"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel beside the prepared packages; nothing is downloaded."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    subprocess.run(
        [*pip, "install", "--no-deps", "--target", str(folder / "site"), str(wheel)], check=True, timeout=300
    )
    return folder / "site"


def run(installed: Path, elsewhere: Path, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_environments_are_made_from_another_folder(installed: Path, tmp_path: Path) -> None:
    printed = run(installed, tmp_path, "-c", MAKE)
    assert printed.startswith("(8,)")
    assert str(installed) in printed


@pytest.mark.parametrize("package", ["envs", "agents"])
def test_commands_are_listed(package: str, installed: Path, tmp_path: Path) -> None:
    names = {file.stem for file in (ROOT / package / "commands").glob("[!_]*.py")}
    printed = run(installed, tmp_path, "-m", package)
    assert names <= set(printed.split())


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("envs", "profile_cost"), "GPU hours"),
        (("agents", "price_list", "plans=[local_aigc]"), "local_aigc"),
        (("agents", "evaluate", "policies=[local,edge]", "num_requests=64", "figures=false"), "Edge AIGC"),
        (("agents", "evaluate", "experiment=meg_fig6"), "files in outputs/experiments/meg_fig6"),
        (("agents", "train", "--help"), "total_requests: 800000"),
    ],
)
def test_commands_run_from_another_folder(
    command: tuple[str, ...], expected: str, installed: Path, tmp_path: Path
) -> None:
    assert expected in run(installed, tmp_path, "-m", *command)
