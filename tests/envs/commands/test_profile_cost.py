from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def test_it_prints_one_line(tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert command("envs.commands.profile_cost", f"folder={tmp_path / 'parts'}", "workers=1") == 0
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "3,125,760 UNet forwards and 219,072 decodings" in out
