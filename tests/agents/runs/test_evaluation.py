"""`evaluate.py` over scenarios, seeds and training runs, end to end in a small form."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from agents.evaluation.comparison import Contender
from agents.factory import make_agent
from agents.runs.folders import RunFolder
from envs import SplitVectorEnv
from envs.command_line import CONFIGS, plain
from envs.transceiver.profile.profile import QualityProfile

Command = Callable[..., int]
SMALL = ("num_requests=160", "num_envs=8", "bins=2", "figures=false")


@pytest.fixture
def with_harsh(tmp_path: Path) -> str:
    """An argument that adds a scenario `harsh` to the shipped ones."""
    values = yaml.safe_load((CONFIGS / "scenario" / "paper.yaml").read_text())
    (tmp_path / "more" / "scenario").mkdir(parents=True)
    (tmp_path / "more" / "scenario" / "harsh.yaml").write_text(yaml.safe_dump(values | {"snr_db": [-6.0, -5.0]}))
    return f"--config-dir={tmp_path / 'more'}"


@pytest.fixture
def sweep(tmp_path: Path, profile_file: Path, profile: QualityProfile) -> Path:
    """Three runs of two groups that train.py might have left, untrained, and one that was interrupted."""
    folder = tmp_path / "sweep"
    for number, (gamma, seed) in enumerate([(0.5, 0), (0.5, 1), (0.9, 0), (0.9, 1)]):
        run = RunFolder(folder / f"{number}_d3qn_seed{seed}")
        config = training(profile_file, f"agent.gamma={gamma}", f"seed={seed}", "agent.buffer_size=100")
        run.save_config(config)
        if number < 3:
            settings = plain(config.agent, exclude=["init_from"])
            agent = make_agent(env=SplitVectorEnv(2, profile=profile), seed=seed, **settings)
            run.save_policy(agent)
    return folder


def training(profile_file: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train", [f"env.profile={profile_file}", *overrides])


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_scenarios_and_seeds(
    command: Command, profile_file: Path, tmp_path: Path, with_harsh: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = [tmp_path / name for name in "ab"]
    for place in places:
        options = ["scenarios=[paper,harsh]", "seeds=[4,9]", "policies=[oracle,best_fixed,edge]"]
        assert (
            command(
                "evaluate.py", with_harsh, f"env.profile={profile_file}", f"hydra.run.dir={place}", *SMALL, *options
            )
            == 0
        )
    said = capsys.readouterr().out
    assert "harsh: 320 test requests" in said
    sessions = rows_of(places[0] / "sessions.csv")
    assert {(row["scenario"], row["seed"]) for row in sessions} == {(n, s) for n in ("paper", "harsh") for s in "49"}
    assert len(sessions) == 2 * 3 * 2 * 8
    together = [row for row in rows_of(places[0] / "interquartile_means.csv") if row["scenario"] == "all"]
    assert [(row["policy"], row["scores"]) for row in together] == [(n, "32") for n in ("oracle", "best_fixed", "edge")]
    # The same command, the same numbers, byte for byte.
    names = sorted(path.name for path in places[0].iterdir())
    assert names == [
        "cells.csv",
        "comparison.csv",
        "improvement.csv",
        "interquartile_means.csv",
        "profiles.csv",
        "sessions.csv",
    ]
    assert all((places[0] / name).read_bytes() == (places[1] / name).read_bytes() for name in names)
    # Other requests, other numbers.
    other = ("scenarios=[paper,harsh]", "seeds=[4,10]", "policies=[oracle,best_fixed,edge]")
    assert (
        command("evaluate.py", with_harsh, f"env.profile={profile_file}", f"hydra.run.dir={places[1]}", *SMALL, *other)
        == 0
    )
    assert (places[0] / "comparison.csv").read_bytes() != (places[1] / "comparison.csv").read_bytes()


def test_the_shipped_agent_is_left_out_where_it_does_not_fit_unless_it_is_asked_for(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = [f"env.profile={profile_file}", f"hydra.run.dir={tmp_path / 'run'}", "env.acceptance=alignment", *SMALL]
    assert command("evaluate.py", "env.plans=[semaigc,edge_aigc]", *place) == 0
    said = capsys.readouterr().out
    assert "note: left out in paper: policy 'root' was trained with action_space Discrete(21)" in said
    policies = {row["policy"] for row in rows_of(tmp_path / "run" / "comparison.csv")}
    assert "root" not in policies
    assert {"oracle", "edge", "random"} < policies
    for asked in ("policies=[oracle,root]", "+policies.root=root", "policies.root=root"):
        assert command("evaluate.py", "env.plans=[semaigc,edge_aigc]", asked, *place) == 2, asked
    assert "was trained with action_space" in capsys.readouterr().err


def test_a_sweep_is_one_report(
    command: Command, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "report"
    assert command("evaluate.py", f"runs={sweep}", f"hydra.run.dir={place}", *SMALL, "policies=[oracle,two_split]") == 0
    said = capsys.readouterr().out
    assert "note: run 3_d3qn_seed1 is left out: it holds no policy.zip" in said
    groups = {row["policy"]: row for row in rows_of(place / "interquartile_means.csv")}
    assert {name: row["scores"] for name, row in groups.items()} == {
        "agent=d3qn, gamma=0.5": "2",
        "agent=d3qn, gamma=0.9": "1",
        "oracle": "1",
        "two_split": "1",
    }
    assert groups["oracle"]["iqm_low"] == "nan"
    runs = rows_of(place / "runs.csv")
    assert [(row["run"], row["training_seed"], row["scenario"]) for row in runs] == [
        ("0_d3qn_seed0", "0", "paper"),
        ("1_d3qn_seed1", "1", "paper"),
        ("2_d3qn_seed0", "0", "paper"),
    ]
    # Untrained networks of one seed are the same, whatever gamma is: the same requests give the same numbers.
    assert runs[0]["satisfaction"] == runs[2]["satisfaction"] != runs[1]["satisfaction"]


def test_runs_can_be_sent_to_other_scenarios(command: Command, sweep: Path, tmp_path: Path, with_harsh: str) -> None:
    place = tmp_path / "report"
    options = ["policies=[oracle]", "scenarios=[harsh,paper]"]
    assert command("evaluate.py", with_harsh, f"runs={sweep}", f"hydra.run.dir={place}", *SMALL, *options) == 0
    assert [row["scenario"] for row in rows_of(place / "runs.csv")] == ["harsh"] * 3 + ["paper"] * 3


def test_a_policy_that_cannot_be_read_is_left_out(
    command: Command, sweep: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sweep / "2_d3qn_seed0" / "policy.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    place = tmp_path / "report"
    assert command("evaluate.py", f"runs={sweep}", f"hydra.run.dir={place}", *SMALL, "policies=[oracle]") == 0
    assert "note: run 2_d3qn_seed0 is left out of paper: " in capsys.readouterr().out
    assert len(rows_of(place / "runs.csv")) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["runs=nowhere"], "there is no folder 'nowhere'"),
        (["runs={empty}"], "holds no finished training run"),
        (["runs={empty}", "env.deadline_s=30"], "got env.deadline_s too"),
        (["runs={empty}", "scenario=paper"], "got scenario too"),
        (["scenarios=[paper,psychic]"], "allowed:"),
        (["scenarios=[paper]", "scenario.snr_db=0"], "got scenario.snr_db too"),
        (["scenarios=[]"], "scenarios must be a list"),
        (["seeds=[1,1]"], "seeds must name each once"),
        (["seeds=[1,-1]"], "seeds[1] must be an integer >= 0, got -1"),
        (["seeds=[1,2]", "seed=3"], "exclude each other"),
        (["env.reward=vector"], "needs a reward that is one number"),
        (["runs={empty}", "shard=2/2"], "index of a shard i/n must be an integer in 0..1, got 2"),
        (["runs={empty}", "shard=half"], "shard must be i/n"),
        (["shard=0/2"], "shard and cells are for the evaluation of training runs"),
        (["requests=unseen"], "unknown requests 'unseen'; allowed: train, test, all"),
        (["scenario=paper", "env.requests=test"], "env.requests are those that agents learn from"),
        (["env.deadline_s=30", "env.requests=test"], "env.requests are those that agents learn from"),
        (["experiment=regret", "runs=outputs"], "runs sizes the plain comparison"),
    ],
)
def test_bad_input_is_one_line(
    command: Command,
    profile_file: Path,
    tmp_path: Path,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    given = [argument.format(empty=tmp_path / "empty") for argument in arguments] + [f"env.profile={profile_file}"] * (
        not any(argument.startswith("runs=") for argument in arguments)
    )
    assert command("evaluate.py", *given, f"hydra.run.dir={tmp_path / 'run'}") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "run").exists()


def test_policies_are_judged_on_the_requests_that_are_asked_for(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unseen ones, where nobody asks; there the oracle of the training requests is below the bound."""
    found = {}
    for asked in ("", "requests=test", "requests=train", "requests=all"):
        place = tmp_path / asked.replace("=", "_")
        arguments = [f"env.profile={profile_file}", f"hydra.run.dir={place}", *SMALL, "policies=[oracle_bound,oracle]"]
        assert command("evaluate.py", *arguments, *[asked] * bool(asked)) == 0
        found[asked] = rows_of(place / "comparison.csv")
        part = asked.removeprefix("requests=") or "test"
        said = " ".join(capsys.readouterr().out.split())
        assert f"({'16' if part == 'all' else f'8 {part}'} requests, 6 draws, T = 20)" in said
        assert f"160 {'' if part == 'all' else f'{part} '}requests, the same for every policy" in said
    assert found[""] == found["requests=test"]
    means = {
        asked: {row["policy"]: float(row["satisfaction"]) for row in rows} for asked, rows in found.items() if asked
    }
    assert means["requests=train"]["oracle"] == means["requests=train"]["oracle_bound"]
    for asked in ("requests=test", "requests=all"):
        assert means[asked]["oracle"] != means[asked]["oracle_bound"]


def test_runs_are_judged_on_requests_that_they_did_not_learn_from(
    command: Command, sweep: Path, profile_file: Path, tmp_path: Path
) -> None:
    """Those too whose configuration is from before there were any."""
    older = sweep / "1_d3qn_seed1" / "config.yaml"
    lines = older.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.strip().split(":")[0] not in ("requests", "num_inference_steps")]
    assert len(lines) - len(kept) == 3
    older.write_text("\n".join(kept) + "\n", encoding="utf-8")
    scores = {}
    for asked in ("test", "train"):
        place = tmp_path / asked
        options = [f"runs={sweep}", f"requests={asked}", f"hydra.run.dir={place}", *SMALL, "policies=[oracle_bound]"]
        assert command("evaluate.py", *options) == 0
        scores[asked] = {row["run"]: row["satisfaction"] for row in rows_of(place / "runs.csv")}
    assert len(scores["test"]) == 3
    assert all(scores["test"][run] != scores["train"][run] for run in scores["test"])


def test_parts_of_an_evaluation_come_to_the_whole(
    command: Command,
    sweep: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Bit for bit, in any order, and what is there is not made again."""
    cells = tmp_path / "cells"
    arguments = [f"runs={sweep}", *SMALL, "policies=[oracle_bound,random]", "seeds=[4,9]"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert command("evaluate.py", *arguments, f"hydra.run.dir={whole}") == 0
    made = sorted((sweep / "evaluations").iterdir())
    assert len(made) == 5 * 2  # three runs and two policies, two seeds
    arguments += [f"cells={cells}", f"hydra.run.dir={parts}"]
    capsys.readouterr()
    assert command("evaluate.py", *arguments, "shard=1/3") == 0
    told = capsys.readouterr().out
    assert f"of 10 evaluations are this part's, and are in {cells}" in told
    first = {path.name: path.stat().st_mtime_ns for path in cells.iterdir()}
    assert not parts.exists()
    assert command("evaluate.py", *arguments, "shard=gather") == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {10 - len(first)} of 10 evaluations are not in {cells}: ")
    assert ", seed " in error
    for part in (0, 2):
        assert command("evaluate.py", *arguments, f"shard={part}/3") == 0
    assert [path.name for path in sorted(cells.iterdir())] == [path.name for path in made]
    assert command("evaluate.py", *arguments, "shard=1/3") == 0
    assert {name: (cells / name).stat().st_mtime_ns for name in first} == first
    with monkeypatch.context() as patch:
        patch.setattr(Contender, "serve", lambda *_: pytest.fail("it was served again"))
        assert command("evaluate.py", *arguments, "shard=gather") == 0
    names = sorted(path.name for path in whole.iterdir())
    assert names == sorted(path.name for path in parts.iterdir())
    assert all((whole / name).read_bytes() == (parts / name).read_bytes() for name in names)


@pytest.mark.parametrize("change", ["requests=train", "num_requests=80", "num_envs=4", "seeds=[4,10]"])
def test_evaluations_of_other_settings_are_others(command: Command, sweep: Path, tmp_path: Path, change: str) -> None:
    arguments = [f"runs={sweep}", *SMALL, "policies=[oracle_bound]", "seeds=[4,9]", f"hydra.run.dir={tmp_path / 'run'}"]
    assert command("evaluate.py", *arguments) == 0
    before = set((sweep / "evaluations").iterdir())
    assert command("evaluate.py", *arguments, change) == 0
    assert len(set((sweep / "evaluations").iterdir()) - before) == (4 if "seeds" in change else 8)
