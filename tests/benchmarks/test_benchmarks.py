"""Every benchmark runs and prints what it promises; those of a model have tests of their own beside it."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
TESTED_ELSEWHERE = {"transceiver", "profile_search"}  # in files of their own beside this, with a tiny model
SHARED = "harness"
SMALLEST = {
    "agents": ["--contestants", "d3qn_fast", "d3qn_paper", "dqn", "ppo", "--seeds", "1", "--limit", "0.1"],
    "decisions": ["--batches", "1", "3", "--rounds", "1", "--seconds", "0.01"],
    "env": ["--sizes", "1", "4", "--sync-sizes", "1", "--rounds", "1"],
}
PROMISED = {
    "agents": ("two-split rule", "| D3QN, fast preset |", "98 % within 30 s", "| PPO |", "95 % by 350 episodes"),
    "decisions": ("stable-baselines3 predict", "numpy, safetensors", "batch 3"),
    "env": ("native vector form", "SyncVectorEnv", "stable-baselines3 adapter", "bar: 10,000 steps/s", "MiB"),
}


def main_of(name: str) -> Callable[[list[str]], None]:
    loaded: dict[str, Any] = runpy.run_path(str(BENCHMARKS / f"{name}.py"))
    return loaded["main"]


def test_none_is_left_out() -> None:
    assert {file.stem for file in BENCHMARKS.glob("*.py")} == {*SMALLEST, *TESTED_ELSEWHERE, SHARED}


@pytest.mark.parametrize("name", SMALLEST)
def test_the_smallest_run(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main_of(name)(SMALLEST[name])
    said = capsys.readouterr().out
    for promised in PROMISED[name]:
        assert promised in said


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("agents", ["--seeds", "0"], "seeds must be >= 1 and limit > 0, got 0 and 120.0"),
        ("decisions", ["--seconds", "0"], "seconds > 0"),
        ("env", ["--rounds", "0"], "sizes and rounds must be 1 or more"),
    ],
)
def test_bad_input_is_one_line(name: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main_of(name)(arguments)
    assert stop.value.code == 2
    assert re.fullmatch(rf"error: .*{said}.*\n", capsys.readouterr().err)
