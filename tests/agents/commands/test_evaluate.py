"""What `evaluate.py` leads to: the right key of an experiment, and where the results are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., int]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["num_states=3"], "there is no num_states; did you mean experiment.num_states?"),
        (["+num_states=3"], "there is no num_states; did you mean experiment.num_states?"),
        (["experiment.num_state=3"], "there is no experiment.num_state; did you mean experiment.num_states?"),
        (["+experiment.num_state=3"], "there is no experiment.num_state; did you mean experiment.num_states?"),
        (["num_requests=3"], "num_requests sizes the plain comparison; did you mean experiment.num_requests?"),
        (["total_requests=3"], "there is no total_requests; did you mean experiment.root.total_requests?"),
        (["experiment.root.total_request=3"], "did you mean experiment.root.total_requests?"),
        (["bins=3"], "bins sizes the plain comparison; the experiment takes experiment."),
        (["bogus=3"], "there is no bogus; the experiment takes experiment."),
    ],
)
def test_a_mistaken_key_of_an_experiment_leads_to_the_right_one(
    command: Command, capsys: pytest.CaptureFixture[str], tmp_path: Path, arguments: list[str], said: str
) -> None:
    assert command("evaluate.py", "experiment=regret", *arguments, f"hydra.run.dir={tmp_path / 'run'}") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert "experiment.num_states" in error
    assert not (tmp_path / "run").exists()


def test_a_key_of_no_experiment(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("evaluate.py", "experiment.num_states=3") == 2
    assert "experiment.num_states needs an experiment: experiment=NAME" in capsys.readouterr().err


def test_the_table_is_followed_by_two_lines(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "report"
    small = ["num_requests=160", "num_envs=8", "bins=2", "policies=[oracle,edge]", f"env.profile={profile_file}"]
    assert command("evaluate.py", *small, f"hydra.run.dir={folder}") == 0
    said = capsys.readouterr().out
    written = sum(path.is_file() for path in folder.rglob("*"))
    assert said.splitlines()[-2:] == [f"{written} files in {folder}", f"report      {folder / 'report.html'}"]
    assert said.count(str(folder)) == 2
