"""The command that measures and draws every scenario."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agents.reports.scenario_page import scenarios_page

pytestmark = pytest.mark.usefixtures("small_search")
COMMAND = "agents.commands.scenarios"


@pytest.mark.slow
def test_the_command_writes_the_page_and_looks_right(
    profile_file: Path, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    page, pictures = tmp_path / "scenarios.md", tmp_path / "pictures"
    small = ["num_requests=160", "search_requests=20", "num_envs=8", f"profile={profile_file}"]
    ids = "ids=[SemAIGC/Queue-v0,SemAIGC/IoT-v0]"
    assert (
        command(COMMAND, ids, *small, f"document={page}", f"pictures={pictures}", f"results={tmp_path / 'found.json'}")
        == 0
    )
    assert scenarios_page(json.loads((tmp_path / "found.json").read_text())) == page.read_text()
    text = page.read_text()
    for part in ("## queue", "## iot", "![Sample paths](pictures/queue.png)", "Lindley", "\n160 test requests"):
        assert part in text
    assert "Attributes:" not in text
    for name in ("queue", "iot"):
        assert np.asarray(Image.open(pictures / f"{name}.png")).std() > 5
    capsys.readouterr()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("ids=[SemAIGC/Moon-v0]", "unknown id 'SemAIGC/Moon-v0'; allowed: SemAIGC/Split-v0"),
        ("num_envs=0", "num_envs must be an integer >= 1, got 0"),
        ("pictures=/elsewhere", "pictures must lie below the page's folder"),
    ],
)
def test_bad_input_ends_in_one_line(
    argument: str, message: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(COMMAND, argument) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
