"""The search of hyperparameters: resumes, prunes, says what is wrong."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from agents import evaluate, load_policy
from agents.commands import search
from agents.policies.loading import ROOT_WEIGHTS
from agents.policies.trained import TrainedPolicy
from agents.runs.learn import learn
from agents.runs.settings import GROUPS, TrainSettings, read_settings
from envs import SplitVectorEnv
from envs.command_line import CONFIGS
from envs.transceiver.profile.profile import QualityProfile

Command = Callable[..., int]
pytestmark = pytest.mark.skipif(find_spec("optuna") is None, reason="the extra search is not installed")


def run(command: Command, profile_file: Path, study: Path, *arguments: str) -> int:
    small = ["total_requests=320", "num_envs=8", "evaluation.every_requests=80", "evaluation.num_requests=80"]
    small += ["agent.learning_starts=50", "agent.policy_kwargs.net_arch=[8]", "policies=[edge]"]
    return command("agents.commands.search", f"env.profile={profile_file}", f"study={study}", *small, *arguments)


def test_a_study_goes_on(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "new" / "study.db"
    assert run(command, profile_file, study, "trials=2") == 0
    first = capsys.readouterr().out.splitlines()
    assert first[0] == "2 trials to go, up to 320 requests each"
    assert [line.split()[0] for line in first[1:]] == ["1/2", "2/2", "best"]
    assert ": python train.py agent=d3qn " in first[-1]
    values = [float(line.split()[2]) for line in first[1:3]]
    for line, best in zip(first[1:], (values[0], max(values)), strict=False):
        assert re.fullmatch(rf"\d/2 complete [\d.]+ · best {best:.4f} · 0:\d\d:\d\d gone, 0:\d\d:\d\d left · .*", line)
    assert run(command, profile_file, study, "trials=3") == 0
    second = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in second] == ["1", "3/3", "best"]
    drawn = [line.rpartition(" · ")[2] for line in (*first[1:3], second[1])]
    assert len(set(drawn)) == 3
    assert run(command, profile_file, study, "trials=3") == 0
    assert capsys.readouterr().out.splitlines() == second[-1:]


def test_the_command_of_the_best_makes_its_run_again(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    space = "space=[{key: agent.gamma, choices: [0.5]}, {key: 'agent.learning_rate[0]', low: 1e-3, high: 1e-2}]"
    given = ["agent=d3qn_fast", "agent.gamma=0.1", "+agent.max_grad_norm=1", "seed=3", "trials=1", space]
    assert run(command, profile_file, tmp_path / "study.db", *given) == 0
    best, line = capsys.readouterr().out.splitlines()[-1].removeprefix("best ").split(": python train.py ")
    arguments = shlex.split(line)
    assert arguments[:2] == ["agent=d3qn_fast", f"env.profile={profile_file}"]
    for given_key in ("study", "trials", "space"):
        assert not any(argument.startswith(given_key) for argument in arguments)
    assert {"+agent.max_grad_norm=1", "seed=3", "agent.gamma=0.5"} < set(arguments)
    assert "agent.gamma=0.1" not in arguments
    assert command("train.py", *arguments, f"hydra.run.dir={tmp_path / 'run'}", "delivered_images=0") == 0
    env = SplitVectorEnv(8, profile=QualityProfile.load(profile_file))
    served = evaluate(load_policy(tmp_path / "run", env), env, 80, seed=1_000_000)
    assert f"{served['reward'].mean():.4f}" == best


def test_the_best_command_is_of_the_trial_that_was_best(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And not of the search that prints it: another seed goes on with a study."""
    space, values = "space=[{key: agent.gamma, choices: [0.5]}]", {}
    for number, seed in enumerate((3, 4, 5), start=1):
        assert run(command, profile_file, tmp_path / "study.db", f"trials={number}", f"seed={seed}", space) == 0
        *_, trial, best = capsys.readouterr().out.splitlines()
        values[float(trial.split()[2])] = seed
        assert f" seed={values[max(values)]} " in best


def test_a_file_of_an_awkward_name_can_be_pasted(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "my [1], (b)+c"
    folder.mkdir()
    profile = shutil.copy(profile_file, folder)
    given = [f"env.profile='{profile}'", "+agent.max_grad_norm=1", "trials=1"]
    space = "space=[{key: agent.max_grad_norm, choices: [5]}]"
    assert run(command, profile_file, folder.parent / "study.db", *given, space) == 0
    arguments = shlex.split(capsys.readouterr().out.splitlines()[-1].partition(": python train.py ")[2])
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("train", arguments)
    assert (config.env.profile, config.agent.max_grad_norm) == (profile, 5)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["agent=dqn"], "agent.name is d3qn there, dqn here"),
        (["agent.train_freq=2"], "agent.train_freq is 1 there, 2 here"),
        (["scenario=iot"], "scenario.snr_db is [-6.0, 15.0] there, [-12.0, 6.0] here"),
        (["total_requests=400"], "total_requests is 320 there, 400 here"),
        (["num_envs=4"], "num_envs is 8 there, 4 here"),
        (["env.max_attempts=2"], "env.max_attempts is 3 there, 2 here"),
        (["evaluation.num_requests=160"], "evaluation.num_requests is 80 there, 160 here"),
        (["space=[{key: agent.gamma, low: 0.1, high: 0.9}]"], "space.agent.gamma.low is None there, 0.1 here"),
    ],
)
def test_a_study_is_of_one_configuration(
    command: Command,
    profile_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changed: list[str],
    said: str,
) -> None:
    study, space = tmp_path / "study.db", "space=[{key: agent.gamma, choices: [0.0, 0.5]}]"
    assert run(command, profile_file, study, "trials=1", space) == 0
    small = ["seed=1", "delivered_images=2", "policies=[oracle]", "agent.gamma=0.9"]  # of these no value depends
    assert run(command, profile_file, study, "trials=1", space, *small) == 0
    capsys.readouterr()
    assert run(command, profile_file, study, "trials=2", space, *changed) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith(f"error: {study} is a study of another configuration: ")
    assert said in error


def test_a_study_is_of_the_content_of_its_files(
    command: Command, profile: QualityProfile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there, study = tmp_path / "here.npz", tmp_path / "there.npz", tmp_path / "study.db"
    profile.save(here)
    shutil.copy(here, there)
    assert run(command, here, study, "trials=1") == 0
    assert run(command, there, study, "trials=1") == 0
    profile.limited(draws=4).save(here)
    capsys.readouterr()
    assert run(command, here, study, "trials=1") == 2
    assert "another configuration: env.profile is file " in capsys.readouterr().err


def test_a_study_that_does_not_say_what_it_is_of(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import optuna

    path = tmp_path / "study.db"
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name="study", direction="maximize")
    study.add_trial(optuna.trial.create_trial(value=0.5))
    assert run(command, profile_file, path, "trials=2") == 2
    assert "does not say what its trials were made with" in capsys.readouterr().err


def composed(profile_file: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", [f"env.profile={profile_file}", "num_envs=8", *overrides])


def trainer(config: DictConfig) -> Any:
    return search.trainer(config, read_settings(TrainSettings, config, (*GROUPS, "agent")))


def test_a_trial_that_is_worse_is_pruned(profile_file: Path) -> None:
    from optuna import TrialPruned

    config = composed(profile_file, "evaluation.every_requests=80")
    reported: list[tuple[float, int]] = []

    class Trial:
        def report(self, value: float, step: int) -> None:
            reported.append((value, step))

        def should_prune(self) -> bool:
            return len(reported) == 2

    with pytest.raises(TrialPruned):
        trainer(config)({"agent.gamma": 0.5}, Trial())
    assert [step for _, step in reported] == [80, 160]
    assert config.agent.gamma != 0.5


def test_a_search_starts_from_another_policy(profile_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first: list[dict[str, Any]] = []

    def looked_at(agent: Any, *others: Any) -> None:
        first.append({name: value.clone() for name, value in agent.policy.state_dict().items()})
        learn(agent, *others)

    monkeypatch.setattr("agents.runs.learn.learn", looked_at)
    changes = "agent.init_from=root", "env.acceptance=alignment", "evaluation.num_requests=80", "total_requests=80"
    config = composed(profile_file, *changes)
    trainer(config)({"agent.gamma": 0.5}, None)
    root = TrainedPolicy.load(ROOT_WEIGHTS["root_alignment"]).agent.policy.state_dict()
    assert first[0].keys() == root.keys()
    assert all(value.equal(root[name]) for name, value in first[0].items())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["trials=0"], "trials must be an integer >= 1, got 0"),
        (["space=[{key: agent.gama, low: 0, high: 1}]"], "space has the key 'agent.gama', the configuration has not"),
        (["space=[{key: agent.gamma, low: 1, high: 0}]"], "low must be below high, got 1 and 0 of agent.gamma"),
        (["space=[{key: agent.gamma, choices: []}]"], "space[0].choices must be a list that is not empty"),
        (["space=[{key: agent.gamma, choices: [1], low: 0, high: 1}]"], "needs either low and high, or choices"),
        (
            ["space=[{key: agent.gamma, step: 0}]"],
            "unknown keys in space[0]: step; allowed: key, low, high, log, choices",
        ),
        (["space=[agent.gamma]"], "space[0] must hold keys and values, got 'agent.gamma'"),
        (["space=[{key: agent.gamma, low: 0}]"], "agent.gamma in space needs either low and high, or choices"),
        (
            ["agent.init_from=root_alignment"],
            "agent.init_from=root_alignment has other networks: q_net.q_net.0.weight is [256, 7]",
        ),
        (["agent.init_from=nowhere"], "policy 'nowhere' is neither a name nor a file"),
        (["+agent.gama=0"], "unknown keys in hyperparameters of d3qn: gama"),
        (
            ["space=[{key: agent.gamma, low: 0.5, high: 1.5}]"],
            "gamma of d3qn must be a finite number in [0, 1], got 1.5",
        ),
        (
            ["space=[{key: agent.batch_size, choices: [64, 0]}]"],
            "batch_size of d3qn must be an integer >= 1, got 0",
        ),
    ],
)
def test_bad_input(
    command: Command,
    profile_file: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    assert run(command, profile_file, tmp_path / "study.db", *arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "study.db").exists()


def test_a_file_that_is_no_study(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study = tmp_path / "study.db"
    study.write_text("notes" * 1000)
    assert run(command, profile_file, study) == 2
    assert f"{study} is not a study" in capsys.readouterr().err
    assert study.read_text() == "notes" * 1000


def test_integers_stay_integers() -> None:
    class Trial:
        def __getattr__(self, name: str) -> Any:
            return lambda *arguments, **keywords: (name, arguments, keywords)

    assert search.Searched("a", 1, 4).suggested(Trial()) == ("suggest_int", ("a", 1, 4), {"log": False})
    assert search.Searched("a", 1, 4.0, log=True).suggested(Trial())[0] == "suggest_float"
    assert search.Searched("a", choices=[1]).suggested(Trial())[0] == "suggest_categorical"
