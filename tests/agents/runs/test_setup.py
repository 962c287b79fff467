"""Costs of a run: which ones its environment is priced with, and that the report says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from agents.reports.provenance import describe
from agents.runs import setup
from envs.costs import Payloads, ReceiverStep, Timed
from envs.transceiver.profile.profile import QualityProfile

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.fixture
def profile_file(tmp_path: Path, profile: QualityProfile) -> Path:
    profile.save(tmp_path / "synthetic.npz")
    return tmp_path / "synthetic.npz"


def composed(profile_file: Path, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("evaluate", [f"env.profile={profile_file}", "policies=[edge]", *overrides])


def description(config: DictConfig) -> str:
    return describe(config, setup.prepare(config, 2).environment)


def test_paper_is_the_default_and_keeps_its_numbers(profile_file: Path) -> None:
    said = description(composed(profile_file))
    assert "costs paper (RTX A6000, 0.2 s a step with its guidance, to GTX 1080 Ti, 0.368 s a receiver step)" in said


@pytest.mark.parametrize(("receiver", "step_s"), [("finetuned", 803.3 / 4370), ("ignore", 1606.5 / 4370)])
def test_flops_follow_the_receiver(profile_file: Path, receiver: str, step_s: float) -> None:
    said = description(composed(profile_file, "costs=flops", f"env.receiver={receiver}"))
    assert f"costs flops (RTX A6000, 0.2 s a step with its guidance, to GTX 1080 Ti, {step_s:.3g} s" in said


def test_measured_costs_are_timed_once_on_the_configured_transceiver(
    profile_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def timed(*arguments: Any, **settings: Any) -> Timed:
        asked.append((arguments, settings))
        return Timed("laptop", 0.1, 0.4, 0.05, 0.2, ReceiverStep(), Payloads(2048, 98_304), user_slowdown=2.0)

    monkeypatch.setattr(setup, "matching_transceiver", lambda config, profile, channel: "loaded")
    monkeypatch.setattr(setup, "timed_costs", timed)
    said = description(composed(profile_file, "costs=measured", "costs.user_slowdown=2"))
    assert "costs measured (laptop, 0.4 s a step with its guidance, to laptop, 2 times slower, 0.1 s" in said
    assert asked == [
        (
            ("loaded", "finetuned"),
            {"repeats": 7, "threads": 1, "edge_slowdown": 1.0, "user_slowdown": 2, "cloud_slowdown": 1.0},
        )
    ]
