"""`train.py` and `evaluate.py`, end to end in a small form, and what they say to bad input."""

from __future__ import annotations

import csv
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from stable_baselines3 import DQN

from agents import D3QN, load_policy
from agents.experiments import EXPERIMENTS
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

ROOT = Path(__file__).parents[1]
Command = Callable[..., int]
COMMANDS = [
    f"{package}.commands.{file.stem}"
    for package in ("envs", "agents")
    for file in sorted((ROOT / package / "commands").glob("[!_]*.py"))
]


def tiny_training(profile_file: Path, folder: Path, **changes: object) -> list[str]:
    settings = {
        "env.profile": profile_file,
        "hydra.run.dir": folder,
        "total_requests": 640,
        "num_envs": 8,
        "checkpoint_every_requests": 320,
        "evaluation.every_requests": 320,
        "evaluation.map_every_requests": 640,
        "evaluation.num_requests": 160,
        "comparison.num_requests": 160,
        "agent.learning_starts": 100,
        "agent.policy_kwargs.net_arch": "[8]",
        "delivered_images": 0,
        "policies": "[oracle,two_split,best_fixed,edge]",
    } | changes
    return [f"{key}={value}" for key, value in settings.items()]


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_train_evaluate_and_load(
    command: Command, profile_file: Path, tmp_path: Path, profile: QualityProfile, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    assert command("train.py", *tiny_training(profile_file, run)) == 0
    assert "weights synthetic" in capsys.readouterr().out
    assert {row["policy"] for row in rows_of(run / "comparison.csv")} == {
        "d3qn",
        "oracle",
        "two_split",
        "best_fixed",
        "edge",
    }
    assert list(run.glob("events.out.tfevents.*"))
    assert [folder.name for folder in run.glob("checkpoint-*")] == ["checkpoint-640"]

    load_policy(run, SplitVectorEnv(2, profile=profile)).predict(np.zeros((2, 7), dtype=np.float32))

    report = tmp_path / "report"
    arguments = [f"env.profile={profile_file}", f"hydra.run.dir={report}", "num_requests=320", "num_envs=8", "bins=3"]
    assert command("evaluate.py", *arguments, "policies=[oracle,local]", f"+policies.mine={run}") == 0
    rows = rows_of(report / "comparison.csv")
    assert {row["policy"] for row in rows} == {"oracle", "local", "mine"}
    assert all(0 <= float(row["satisfaction"]) <= 1 for row in rows)
    over_states = ("satisfaction", "latency", "split", "decision_map", "cells")
    names = (*over_states, "interquartile_mean", "improvement", "performance_profile")
    assert {file.name for file in (report / "figures").iterdir()} == {f"{n}.{s}" for n in names for s in ("png", "pdf")}
    assert f"env.profile={profile_file}" in (report / "report.html").read_text(encoding="utf-8")


def test_resume_goes_on_from_the_last_checkpoint(command: Command, profile_file: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert command("train.py", *tiny_training(profile_file, run, agent="dqn")) == 0
    (run / "policy.zip").unlink()
    assert command("train.py", f"resume={run}", "total_requests=960") == 0
    assert DQN.load(run / "policy.zip").num_timesteps == 960
    assert [folder.name for folder in run.glob("checkpoint-*")] == ["checkpoint-960"]


def test_the_same_command_goes_on(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = tiny_training(profile_file, tmp_path / "run")
    assert command("train.py", *arguments) == 0
    (tmp_path / "run" / "policy.zip").unlink()
    assert "going on" not in capsys.readouterr().out
    assert command("train.py", *arguments) == 0
    assert "already trained on 640 requests" in capsys.readouterr().out
    assert (tmp_path / "run" / "policy.zip").is_file()
    assert command("train.py", *arguments, "seed=1") == 2
    assert "holds another run, it differs in seed;" in capsys.readouterr().err


def test_start_from_another_policy(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("train.py", *tiny_training(profile_file, tmp_path / "far", total_requests=160)) == 0
    here = {"agent.init_from": tmp_path / "far", "agent.learning_starts": 1000}
    assert command("train.py", *tiny_training(profile_file, tmp_path / "near", **here)) == 0
    parameters = [D3QN.load(tmp_path / name / "policy.zip").q_net.state_dict() for name in ("far", "near")]
    for name, value in parameters[0].items():
        assert value.equal(parameters[1][name])
    capsys.readouterr()
    assert command("train.py", *tiny_training(profile_file, tmp_path / "other", agent="dqn", **here)) == 2
    assert "has other networks: q_net.q_net.2.weight is [22, 8], expected [21, 8]" in capsys.readouterr().err


def test_interruption_says_how_to_go_on(
    command: Command,
    profile_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from agents.runs.callbacks import LearningCurve

    def stop(self: LearningCurve) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LearningCurve, "__call__", stop)
        assert command("train.py", *tiny_training(profile_file, tmp_path / "run")) == 130
    assert capsys.readouterr().err == (
        f"interrupted after 320 requests; go on with: python train.py resume={tmp_path / 'run'}\n"
    )
    assert command("train.py", f"resume={tmp_path / 'run'}") == 0
    assert (tmp_path / "run" / "policy.zip").is_file()


def test_sweep_gives_each_run_its_folder(command: Command, profile_file: Path, tmp_path: Path) -> None:
    settings = [s for s in tiny_training(profile_file, tmp_path, total_requests=160) if not s.startswith("hydra")]
    assert command("train.py", "-m", "seed=range(2)", f"hydra.sweep.dir={tmp_path}", *settings) == 0
    assert sorted(f.parent.name for f in tmp_path.glob("*/policy.zip")) == ["0_d3qn_seed0", "1_d3qn_seed1"]


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("train.py", ["totl_requests=5"], "'totl_requests'"),
        ("train.py", ["+totl_requests=5"], "allowed: seed, total_requests"),
        ("train.py", ["+env.fidelty=live"], "fidelty"),
        ("train.py", ["+scenario.snr=0"], "allowed: snr_db"),
        ("train.py", ["+agent.lr=0"], "learning_rate"),
        ("train.py", ["agent=sarsa"], "a2c"),
        ("train.py", ["total_requests=0"], "total_requests must be an integer >= 1, got 0"),
        ("train.py", ["scenario.bandwidth_hz=[0,1e6]"], "bandwidth_hz"),
        ("train.py", ["scenario.snr_db=[0,.nan]"], "snr_db"),
        ("train.py", ["transceiver.path=missing"], "transceiver.path must be a folder"),
        ("train.py", ["env=live", "delivered_images=0"], "weights"),
        ("train.py", ["channel.name=telepathy"], "unknown channel 'telepathy'; allowed: awgn"),
        ("train.py", ["costs=guessed"], "flops measured paper"),
        ("train.py", ["costs.name=guessed"], "unknown costs 'guessed'; allowed: paper, flops, measured"),
        ("train.py", ["+costs.light_model=bk_sdm_tiny"], "unknown keys in costs: light_model"),
        ("evaluate.py", ["costs=flops", "costs.light_model=huge"], "unknown light_model 'huge'; allowed: bk_sdm_base"),
        ("evaluate.py", ["costs=flops", "devices.user.compute_flops_per_s=null"], "compute_flops_per_s of GTX 1080 Ti"),
        ("train.py", ["env.quality_metric=ssim"], "quality_metric was replaced: give acceptance=similarity"),
        ("evaluate.py", ["+env.quality_min=0.5"], "quality_min was replaced: give acceptance=similarity"),
        ("evaluate.py", ["env.rate=coded"], "rate was replaced: give link=paper (Shannon's rate), or link=digital"),
        ("evaluate.py", ["env.acceptance=beauty"], "unknown acceptance 'beauty'; allowed: similarity, alignment"),
        ("train.py", ["env.acceptance={metric:mse,least:1}"], "unknown metric of acceptance 'mse'; allowed: alignment"),
        ("train.py", ["env.link=polar"], "unknown link 'polar'; allowed: paper, analog, digital"),
        ("train.py", ["env.link=analog", "channel=bit_flip"], "link analog sends symbols, channel bit_flip bits"),
        ("train.py", ["seed=1", "resume=nowhere"], "resume"),
        ("train.py", ["agent.init_from=nowhere"], "policy 'nowhere' is neither a name nor a file"),
        ("train.py", ["env.profile=missing.npz"], "missing.npz"),
        ("evaluate.py", ["policies=[oracle,psychic]"], "allowed: best_fixed"),
        ("evaluate.py", ["policies=[oracle]", "+policies.mine=psychic"], "'psychic'"),
        ("evaluate.py", ["env.plans=['semaigc(21)']"], "0..20"),
        ("evaluate.py", ["~policies"], "policies"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    command: Command,
    profile_file: Path,
    tmp_path: Path,
    script: str,
    arguments: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile = [] if any(a.startswith("env.profile") for a in arguments) else [f"env.profile={profile_file}"]
    folder = [] if any(a.startswith("resume") for a in arguments) else [f"hydra.run.dir={tmp_path / 'run'}"]
    assert command(script, *profile, *folder, *arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("error: ")
    assert said in error
    assert not (tmp_path / "run").exists()


def test_foreign_profile(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, anything=np.zeros(3))
    assert command("evaluate.py", f"env.profile={foreign}", f"hydra.run.dir={tmp_path / 'run'}") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "not a readable quality profile" in error


@pytest.mark.parametrize("module", COMMANDS)
def test_help_starts_no_work(
    module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [module, "--help"])
    monkeypatch.setattr("hydra.main", lambda **_: pytest.fail("work was started"))
    found = import_module(module)
    found.main()
    said, wrong = capsys.readouterr()
    assert said.startswith(found.__doc__)
    assert "Settings, KEY=VALUE" in said
    assert not wrong
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["envs", "agents"])
def test_a_package_lists_its_commands_and_knows_no_others(
    package: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [package])
    runpy.run_module(package, run_name="__main__")
    listed = re.findall(r"^  (\w+)", capsys.readouterr().out, re.MULTILINE)
    own = [module.rpartition(".")[2] for module in COMMANDS if module.startswith(package)]
    assert listed == [*own, *(sorted(EXPERIMENTS) if package == "agents" else [])]
    monkeypatch.setattr(sys, "argv", [package, "fly"])
    with pytest.raises(SystemExit) as stop:
        runpy.run_module(package, run_name="__main__")
    assert stop.value.code == 2
    assert capsys.readouterr().err == f"error: unknown command 'fly'; allowed: {', '.join(own)}\n"


@pytest.mark.parametrize(("script", "word"), [("train.py", "resume"), ("evaluate.py", "policies")])
def test_help_and_errors_as_a_process(script: str, word: str) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {name: value for name, value in os.environ.items() if name != "HYDRA_FULL_ERROR"}
        return subprocess.run(
            [sys.executable, script, *arguments], cwd=ROOT, env=clean, capture_output=True, text=True, check=False
        )

    shown = run("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert word in shown.stdout
    failed = run("nonsense=1")
    assert failed.returncode == 2
    assert failed.stderr == "error: Could not override 'nonsense': there is no such key, --help lists them\n"
