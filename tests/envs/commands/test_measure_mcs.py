from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from envs.channels import waterfall
from envs.channels.mcs import MODULATIONS, TABLE, Modulation, measured_schemes


def test_a_whole_table_is_left_as_it_is(
    command: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "mcs.csv"
    output.write_bytes(TABLE.read_bytes())
    assert command("envs.commands.measure_mcs", f"output={output}") == 0
    assert f"{output}: {len(MODULATIONS)} codes" in capsys.readouterr().out
    assert output.read_bytes() == TABLE.read_bytes()


def test_only_what_the_table_lacks_is_measured_each_with_its_own_generator(
    command: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[Modulation, int] = {}

    def fake(modulation: Modulation, generator: torch.Generator) -> tuple[float, float]:
        asked[modulation] = generator.initial_seed()
        return 1.5, 0.25

    monkeypatch.setattr(waterfall, "measure_waterfall", fake)
    output = tmp_path / "new" / "mcs.csv"
    output.parent.mkdir()
    rows = TABLE.read_text().splitlines(keepends=True)
    output.write_text("".join(rows[:3] + rows[5:]))  # without the third and fourth code
    assert command("envs.commands.measure_mcs", f"output={output}") == 0
    assert asked == {MODULATIONS[2]: 2, MODULATIONS[3]: 3}
    shipped, written = measured_schemes(), measured_schemes(output)
    assert [scheme.modulation for scheme in written] == list(MODULATIONS)
    assert [scheme.snr_half_db for scheme in written[2:4]] == [1.5, 1.5]
    assert written[:2] + written[4:] == shipped[:2] + shipped[4:]


@pytest.mark.parametrize(("output", "said"), [("3", "output must be text, got 3"), ("null", "output must be text")])
def test_bad_input_is_one_line(
    output: Any, said: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("envs.commands.measure_mcs", f"output={output}") == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
