"""docs/own_agent.md, from its first block to its last, in a folder of one's own: files, Python and shell."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from envs.command_line import dispatch

PAGE = Path(__file__).parents[1] / "docs" / "own_agent.md"
SMALLER = {"100_000": "2_000", "400_000": "2_560", "6_400": "640", "n_steps=64": "n_steps=8"}
"""What makes the page small enough for a test."""
TINY = {"evaluate": ["num_requests=80", "figures=false", "policies=[edge]"], "export": ["check_states=100"]}


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    modules = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - modules:
        if str(getattr(sys.modules[name], "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def type_in(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a line as the shell splits it, in this process."""
    python, *words = shlex.split(line)
    assert python == "python"
    if words[0] != "-m":
        runpy.run_path(words[0], run_name="__main__")
        return
    _, package, name, *arguments = words
    monkeypatch.setattr(sys, "argv", [package, name, *TINY[name], *arguments])
    dispatch(package)


def test_the_page_from_top_to_bottom(
    own_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text(encoding="utf-8")
    for number, smaller in SMALLER.items():
        assert number in text
        text = text.replace(number, smaller)
    here, compared = ModuleType("here"), set()
    for language, block in re.findall(r"```(python|bash)\n(.*?)```", text, re.DOTALL):
        if language == "bash":
            for line in block.splitlines():
                type_in(line, monkeypatch)
                compared |= set(re.findall(r"policies\.(\w+)", line))
        elif named := re.match(r"# (\w+\.py)\n", block):
            (own_folder / named[1]).write_text(block, encoding="utf-8")
        else:
            exec(compile(block, PAGE.name, "exec"), here.__dict__)
    printed = capsys.readouterr().out
    assert len(compared) == 5
    reports = [report.read_text(encoding="utf-8") for report in own_folder.glob("outputs/evaluate/*/comparison.csv")]
    assert {name for report in reports for name in re.findall(r"^paper,(\w+),", report, re.MULTILINE)} >= compared
    assert (own_folder / "outputs" / "ppo.safetensors").is_file()
    assert "the same decision as the agent's in all of 100 states" in printed


def test_the_page_lists_what_is_loaded_and_exported() -> None:
    from agents.policies.exported import EXPORTABLE
    from agents.policies.trained import LOADABLE

    text = PAGE.read_text(encoding="utf-8")
    (row,) = [line for line in text.splitlines() if line.startswith("| algorithms whose zips are loaded")]
    assert set(re.findall(r"`(\w+)`", row)) == set(LOADABLE)
    writes = re.search(r"writes agents of (.*?) with plain layers", text, re.DOTALL)
    assert writes is not None
    assert tuple(re.findall(r"`(\w+)`", writes[1])) == EXPORTABLE
