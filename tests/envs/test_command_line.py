from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envs import command_line


def test_a_message_of_many_lines_becomes_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"), command_line.one_line_errors():
        raise ValueError("split must lie in 0..20,\n\tgot 21")
    assert capsys.readouterr().err == "error: split must lie in 0..20, got 21\n"


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(KeyError), command_line.one_line_errors():
        raise KeyError("bug")


def test_full_errors_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_line, "_WANTS_TRACEBACK", True)
    with pytest.raises(ValueError, match="bad"), command_line.one_line_errors():
        raise ValueError("bad")


def test_interruption(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="130"), command_line.one_line_errors():
        raise command_line.Interrupted("go on with this")
    assert capsys.readouterr().err == "go on with this\n"


def test_the_environment_variable_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with command_line.one_line_errors():
        assert os.environ["HYDRA_FULL_ERROR"] == "1"
    assert "HYDRA_FULL_ERROR" not in os.environ


@pytest.mark.parametrize("filled", [False, True])
def test_an_empty_folder_is_removed(tmp_path: Path, filled: bool) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    if filled:
        (folder / "config.yaml").touch()
    with pytest.raises(SystemExit), command_line.one_line_errors(clean=folder):
        raise ValueError("bad")
    assert folder.exists() is filled


def test_import_is_light() -> None:
    code = "import sys, envs.command_line; print([m for m in ('torch', 'diffusers', 'matplotlib') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
