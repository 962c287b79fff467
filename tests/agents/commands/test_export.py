"""The command that writes a policy's file, and what it says about the file's decisions."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from stable_baselines3 import A2C
from stable_baselines3.common.vec_env import VecNormalize

from agents import SB3VecEnv, save_policy
from agents.commands.export import compare_decisions, random_states
from agents.policies.exported import READERS, GreedyNetwork, greedy_network
from agents.policies.loading import ROOT_WEIGHTS
from agents.policies.trained import TrainedPolicy
from envs import SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

Command = Callable[..., int]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["safetensors", "onnx"])
def test_root_on_a_million_states(form: str, tmp_path: Path) -> None:
    if form == "onnx" and find_spec("onnxruntime") is None:
        pytest.skip("no onnxruntime")
    agent, path = TrainedPolicy.load(ROOT_WEIGHTS["root_alignment"]).agent, tmp_path / f"policy.{form}"
    network = greedy_network(agent, SplitVectorEnv(1).model.plan_names)
    network.save(path)
    agreement = compare_decisions(agent, READERS[path.suffix](path), network, random_states(1_000_000))
    assert agreement.different <= 10  # states where two values are equal but for rounding, which no two libraries share
    assert agreement.largest_gap <= agreement.rounding


def test_the_command(command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "root.safetensors"
    assert (
        command(
            "agents.commands.export",
            "policy=root_alignment",
            "format=safetensors",
            f"output={path}",
            "check_states=500",
        )
        == 0
    )
    assert "the same decision as the agent's in all of 500 states" in capsys.readouterr().out
    assert GreedyNetwork.load(path).plans[0] == "semaigc(0)"


def test_an_agent_of_normalised_observations(
    command: Command, profile: QualityProfile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    env = VecNormalize(SB3VecEnv(SplitVectorEnv(4, profile=profile)))
    save_policy(A2C("MlpPolicy", env, device="cpu").learn(20), tmp_path)
    output = tmp_path / "a.safetensors"
    assert command("agents.commands.export", f"policy={tmp_path}", "format=safetensors", f"output={output}") == 2
    assert "decides on observations that VecNormalize scaled" in capsys.readouterr().err
    assert not output.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["format=onyx", "output=a.onnx"], "unknown format 'onyx'; allowed: onnx, safetensors"),
        (["output=root.pt"], "must end in .onnx, got root.pt"),
        (["output=no/root.onnx"], "there is no folder no to write root.onnx to"),
        (["output=root.onnx", "policy=nowhere"], "policy 'nowhere' is neither a name nor a file"),
        (["output=root.onnx", "policy=root_alignment", "plans=[edge_aigc]"], "chooses among 21 plans"),
    ],
)
def test_bad_input(command: Command, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    assert command("agents.commands.export", *arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
