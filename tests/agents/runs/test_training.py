"""What `train.py` prints in the end: numbers that `evaluate.py` gives too, and commands that can be pasted."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir

from agents.evaluation.comparison import Contender, compare
from agents.runs.learn import Lesson, new_agent
from envs.command_line import CONFIGS

Command = Callable[..., int]
SMALL = ["num_envs=8", "total_requests=320", "evaluation.every_requests=160", "evaluation.num_requests=80"]
SMALL += ["evaluation.map_every_requests=320", "checkpoint_every_requests=80", "delivered_images=0"]
SMALL += ["agent.learning_starts=50", "agent.policy_kwargs.net_arch=[8]", "policies=[oracle,best_fixed]"]
SMALL += ["comparison.num_requests=160", "comparison.num_envs=4", "comparison.seed=7"]


def trained(command: Command, profile_file: Path, folder: Path) -> int:
    quoted = f"'{folder}'"
    return command("train.py", f"env.profile={profile_file}", f"hydra.run.dir={quoted}", *SMALL)


def printed(said: str, start: str) -> list[str]:
    """The arguments of a printed command as a shell takes them, without the script."""
    (line,) = [line for line in said.splitlines() if start in line]
    return shlex.split(line.partition(start)[2])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "my runs [1], (b)+c"


def satisfaction(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8") as file:
        return {row["policy"]: row["satisfaction"] for row in csv.DictReader(file)}


def test_the_comparison_is_that_of_evaluate(
    command: Command, profile_file: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained(command, profile_file, folder) == 0
    said = capsys.readouterr().out
    title = "160 test requests, the same for every policy, 4 sessions side by side"
    assert title in said
    assert printed(said, "curves      tensorboard ") == ["--logdir", str(tmp_path)]
    again = [f"env.profile={profile_file}", "num_requests=160", "num_envs=4", "seed=7", "figures=false"]
    again += ["policies=[oracle,best_fixed]", f"hydra.run.dir={tmp_path / 'report'}"]
    assert command("evaluate.py", *printed(said, "evaluation  python evaluate.py "), *again) == 0
    assert title in capsys.readouterr().out
    there, here = satisfaction(folder / "comparison.csv"), satisfaction(tmp_path / "report" / "comparison.csv")
    assert there["d3qn"] == here["mine"]
    assert there["oracle"] == here["oracle"]


def test_an_interrupted_run_goes_on_with_the_command_that_it_prints(
    command: Command,
    profile_file: Path,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("agents.runs.training.learn", stopped)
        assert trained(command, profile_file, folder) == 130
    assert command("train.py", *printed(capsys.readouterr().err, "python train.py ")) == 0
    assert (folder / "policy.zip").is_file()


@pytest.mark.parametrize("name", ["train", "evaluate"])
def test_a_smoke_run_has_a_folder_of_its_own(name: str) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        full, smoke, resized = (
            compose(name, overrides, return_hydra_config=True)
            for overrides in ([], ["size=smoke"], ["size=smoke", "num_envs=3"])
        )
    assert full.hydra.run.dir.startswith(f"outputs/{name}/")
    assert smoke.hydra.run.dir.startswith(f"outputs/smoke/{name}")
    assert smoke.num_envs < full.num_envs
    assert resized.num_envs == 3
    assert "size" not in smoke


def test_it_learns_from_training_requests_and_is_compared_on_others(
    command: Command, profile_file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: dict[str, list[str]] = {"learnt": [], "compared": []}

    def lesson(given: Lesson) -> Any:
        parts["learnt"].append(given.environment.requests)
        return new_agent(given)

    def compared(contenders: Mapping[str, Contender], **sizes: int) -> Any:
        parts["compared"] += [each.environment.model.settings.requests for each in contenders.values()]
        return compare(contenders, **sizes)

    monkeypatch.setattr("agents.runs.training.new_agent", lesson)
    monkeypatch.setattr("agents.runs.training.compare", compared)
    assert trained(command, profile_file, folder) == 0
    assert parts == {"learnt": ["train"], "compared": ["test"] * 3}
