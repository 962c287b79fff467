"""The agents of `train.py` beside D3QN and DQN: learn a little, are saved, and are evaluated from their folder."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

NETWORK = ["agent.policy_kwargs.net_arch=[8]", "agent.batch_size=32"]
SMALL = {
    "linucb": ["agent.degree=1"],
    "maskable_ppo": [*NETWORK, "agent.n_steps=8"],
    "qrdqn": [*NETWORK, "agent.learning_starts=100"],
    "d2sac": [*NETWORK, "agent.learning_starts=100", "agent.policy_kwargs.num_denoising_steps=2"],
}


@pytest.mark.parametrize("name", SMALL)
def test_train_and_evaluate(command: Callable[..., int], profile_file: Path, tmp_path: Path, name: str) -> None:
    run, report = tmp_path / "run", tmp_path / "report"
    common = [f"env.profile={profile_file}", "num_envs=8"]
    counts = {"total_requests": 320, "evaluation.every_requests": 160, "evaluation.num_requests": 80}
    counts |= {"evaluation.map_every_requests": 320, "checkpoint_every_requests": 160, "comparison.num_requests": 80}
    settings = [*(f"{key}={value}" for key, value in counts.items()), *SMALL[name], "delivered_images=0"]
    assert command("train.py", f"agent={name}", *common, *settings, "policies=[oracle]", f"hydra.run.dir={run}") == 0
    evaluated = ["policies=[model_based_estimated]", f"+policies.mine={run}", "num_requests=80", "figures=false"]
    assert command("evaluate.py", *common, *evaluated, f"hydra.run.dir={report}") == 0
    for folder, expected in ((run, {name, "oracle"}), (report, {"model_based_estimated", "mine"})):
        with (folder / "comparison.csv").open(encoding="utf-8") as lines:
            assert {row["policy"] for row in csv.DictReader(lines)} == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["agent.gamma=2"], "error: gamma of d3qn must be a finite number in [0, 1], got 2\n"),
        (["agent=ppo", "agent.learning_rate=fast"], "error: learning_rate of ppo must be a number > 0, or "),
    ],
)
def test_hyperparameters_are_checked_before_any_work(
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.setattr("agents.runs.training.prepare", None)
    assert command("train.py", *arguments, f"hydra.run.dir={tmp_path / 'run'}") == 2
    error = capsys.readouterr().err
    assert error.startswith(said)
    assert error.count("\n") == 1
