"""The search of hyperparameters: resumes, prunes, says what is wrong."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from agents.commands import search

pytestmark = pytest.mark.skipif(find_spec("optuna") is None, reason="the extra search is not installed")


def run(monkeypatch: pytest.MonkeyPatch, profile_file: Path, study: Path, *arguments: str) -> int:
    small = ["total_requests=320", "num_envs=8", "evaluation.every_requests=80", "evaluation.num_requests=80"]
    small += ["agent.learning_starts=50", "agent.policy_kwargs.net_arch=[8]", "policies=[edge]"]
    given = ["search", f"env.profile={profile_file}", f"study={study}", *small, *arguments]
    monkeypatch.setattr(sys, "argv", given)
    try:
        search.main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_a_study_goes_on(
    monkeypatch: pytest.MonkeyPatch, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "new" / "study.db"
    assert run(monkeypatch, profile_file, study, "trials=2") == 0
    first = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in first] == ["1/2", "2/2", "best"]
    assert "python train.py agent=d3qn agent.learning_rate=[" in first[-1]
    assert run(monkeypatch, profile_file, study, "trials=3") == 0
    second = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in second] == ["3/3", "best"]
    assert second[0].split()[3:] not in [line.split()[3:] for line in first]
    assert run(monkeypatch, profile_file, study, "trials=3") == 0
    assert capsys.readouterr().out.splitlines() == second[-1:]


def test_a_trial_that_is_worse_is_pruned(profile_file: Path) -> None:
    from agents.runs.trial import Trainer
    from hydra import compose, initialize_config_dir
    from optuna import TrialPruned

    from agents.runs.settings import GROUPS, TrainSettings
    from envs.command_line import CONFIGS

    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", [f"env.profile={profile_file}", "num_envs=8", "evaluation.every_requests=80"])
    trainer = Trainer(config, TrainSettings.from_config(config, (*GROUPS, "agent")))
    reported: list[tuple[float, int]] = []

    class Trial:
        def report(self, value: float, step: int) -> None:
            reported.append((value, step))

        def should_prune(self) -> bool:
            return len(reported) == 2

    with pytest.raises(TrialPruned):
        trainer.train({"agent.gamma": 0.5}, Trial())
    assert [step for _, step in reported] == [80, 160]
    assert config.agent.gamma != 0.5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trials=0"], "trials must be an integer >= 1, got 0"),
        (["space=[{key: agent.gama, low: 0, high: 1}]"], "space has the key 'agent.gama', the configuration has not"),
        (["space=[{key: agent.gamma, low: 1, high: 0}]"], "low must be below high, got 1 and 0 of agent.gamma"),
        (["space=[{key: agent.gamma, choices: []}]"], "choices of agent.gamma must be a list that is not empty"),
        (["space=[{key: agent.gamma, low: 0}]"], "missing keys in space: high"),
    ],
)
def test_bad_input(
    monkeypatch: pytest.MonkeyPatch,
    profile_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    assert run(monkeypatch, profile_file, tmp_path / "study.db", *arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "study.db").exists()


def test_a_file_that_is_no_study(
    monkeypatch: pytest.MonkeyPatch, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study.db"
    study.write_text("notes" * 1000)
    assert run(monkeypatch, profile_file, study) == 2
    assert f"{study} is not a study" in capsys.readouterr().err
    assert study.read_text() == "notes" * 1000


def test_integers_stay_integers() -> None:
    class Trial:
        def __getattr__(self, name: str) -> Any:
            return lambda *arguments, **keywords: (name, arguments, keywords)

    assert search.suggested(Trial(), {"key": "a", "low": 1, "high": 4}) == ("suggest_int", ("a", 1, 4), {"log": False})
    assert search.suggested(Trial(), {"key": "a", "low": 1, "high": 4.0, "log": True})[0] == "suggest_float"
    assert search.suggested(Trial(), {"key": "a", "choices": [1]})[0] == "suggest_categorical"
