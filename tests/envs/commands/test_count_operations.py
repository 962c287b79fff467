from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.costs import Operations, counted_operations
from envs.transceiver.model import published


@pytest.fixture
def _two_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is as shipped, and one that is not."""
    counters = {"unet": lambda: counted_operations()["unet"], "vae_decoder": lambda: Operations(2_000_000_000, 3)}
    monkeypatch.setattr(published, "COUNTERS", counters)


@pytest.mark.usefixtures("_two_networks")
def test_counts_are_compared_with_those_that_are_shipped(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("envs.commands.count_operations") == 0
    same, other = capsys.readouterr().out.splitlines()
    assert same.startswith("unet ")
    assert same.endswith("as shipped")
    assert "2.0 GFLOP" in other
    assert f"shipped: {counted_operations()['vae_decoder']}" in other


@pytest.mark.usefixtures("_two_networks")
def test_they_are_written_where_it_is_asked_for(command: Callable[..., int], tmp_path: Path) -> None:
    assert command("envs.commands.count_operations", f"output={tmp_path / 'operations.json'}") == 0
    written = json.loads((tmp_path / "operations.json").read_text())
    assert written == {
        "unet": vars(counted_operations()["unet"]),
        "vae_decoder": {"flops": 2_000_000_000, "parameters": 3},
    }


def test_bad_input_is_one_line(command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("envs.commands.count_operations", "output=3") == 2
    assert capsys.readouterr().err == "error: output must be text, got 3\n"
