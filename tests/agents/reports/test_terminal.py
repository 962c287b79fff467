from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest

import agents
from agents.reports.terminal import print_results, terminal


def test_a_folder_is_printed_as_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    console = terminal()
    console.file = said = io.StringIO()
    folder = tmp_path / ("a [red]b :cat: " + "-long" * 30)
    print_results(console, folder, [folder / "report.html", *(folder / f"{n}.csv" for n in range(24))])
    name = folder.name
    assert said.getvalue().splitlines() == [f"25 files in {name}", f"report      {name}/report.html"]


def test_every_bar_says_what_it_counts() -> None:
    for path in Path(agents.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "tqdm":
                assert "unit" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"
