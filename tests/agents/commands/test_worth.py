"""What splitting adds in one setting, as a table."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.profiles import honest_profile

Command = Callable[..., int]
SMALL = [
    "num_states=16",
    "planner={num_sessions:4,bound_sessions:4,num_states:20,backlog_step_s:4,battery_step_j:2000}",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("worth") / "honest.npz"
    honest_profile(num_requests=4).save(path)
    return path


@pytest.mark.parametrize("scenario", ["paper", "battery"])
def test_the_table_is_printed_and_written(
    scenario: str, command: Command, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "worth.csv"
    settings = [f"env.profile={file}", f"scenario={scenario}", "env.link=digital", "costs=flops", f"csv={out}"]
    assert command("agents.commands.worth", *SMALL, *settings) == 0
    with out.open(encoding="utf-8") as opened:
        rows = {row["list"]: row for row in csv.DictReader(opened)}
    assert list(rows) == ["papers", "named", "opponents", "splits", "all", "opponents_no_cloud", "all_no_cloud"]
    adds = float(rows["all"]["satisfaction"]) - float(rows["opponents"]["satisfaction"])
    printed = " ".join(capsys.readouterr().out.split())
    assert f"splitting adds {adds:+.4f} (95 %" in printed
    assert "to the opponents without the cloud" in printed
    assert "link digital" in printed


def test_what_is_missing_is_named(command: Command, profile_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("agents.commands.worth", *SMALL, f"env.profile={profile_file}") == 0
    assert "note: left out: edge_aigc_webp with T = 20 was not measured" in " ".join(capsys.readouterr().out.split())


def test_bad_settings_are_one_line_before_any_work(
    command: Command, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for setting, message in {
        "codec=u4": "codec u4 is not for images",
        "codec=gif": "unknown codec 'gif'",
        "num_states=0": "num_states must be an integer >= 1, got 0",
        "planner.battery_step_j=0": "planner.battery_step_j must be",
        "env.reward=vector": "needs a reward that is one number",
    }.items():
        assert command("agents.commands.worth", f"env.profile={file}", setting) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.startswith("error: ")
        assert not captured.out
