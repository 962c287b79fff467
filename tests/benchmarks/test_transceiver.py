"""The benchmark runs, prints every figure that it promises, and compares the same images. Speed is not asserted."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "transceiver.py"


@pytest.fixture(scope="module")
def benchmark() -> dict[str, Any]:
    return runpy.run_path(str(BENCHMARK))


def test_every_part_on_a_tiny_model(
    benchmark: dict[str, Any], tiny_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ["--steps", "4", "--split", "2", "--rounds", "1", "--batch", "1", "--device", "cpu"]
    benchmark["main"](["--model", str(tiny_folder), "--no-compile", *small])
    said = capsys.readouterr().out
    differences = [float(value) for value in re.findall(r"largest difference .*: (\S+) \(bar", said)]
    assert len(differences) == 1
    assert max(differences) < 1e-4
    for promised in ("images/s", "cost of splitting", "seconds a cell", "batch 2", "8 steps", "128 x 128", "MiB"):
        assert promised in said


def test_contestants_take_turns_from_either_end(benchmark: dict[str, Any]) -> None:
    order: list[str] = []
    runs = {name: lambda name=name: order.append(name) for name in "abc"}
    taken = benchmark["take_turns"](runs, 2, torch.device("cpu"), "turns")
    assert "".join(order) == "abc" + "abc" + "cba"
    assert {name: values.shape for name, values in taken.items()} == dict.fromkeys("abc", (2,))


def test_peak_memory_sees_what_a_run_holds(benchmark: dict[str, Any]) -> None:
    peak = benchmark["peak_bytes"](lambda: np.ones(2**24).sum(), torch.device("cpu"))
    assert np.isnan(peak) or 0.9 * 2**27 < peak < 1.5 * 2**27


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--split", "21"], r"split must be in 0..20, got 21"),
        (["--rounds", "0"], "batch and rounds must be 1 or more"),
        (["--model", "missing"], "no weights folder at missing"),
    ],
)
def test_bad_input_is_one_line(
    benchmark: dict[str, Any], arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        benchmark["main"](arguments)
    assert stop.value.code == 2
    assert re.fullmatch(rf"error: .*{said}.*\n", capsys.readouterr().err)
