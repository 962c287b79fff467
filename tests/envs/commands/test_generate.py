"""Images on demand."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from envs.transceiver import load_transceiver

PAGE = Path(__file__).parents[3] / "docs" / "own_weights.md"


def documented() -> list[str]:
    """The arguments of the command as the page has it, as a shell splits them."""
    (line,) = re.findall(
        r"^    (python -m envs generate (?:.*\\\n)*.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    words = shlex.split(line.replace("\\\n", " "))
    assert words[:4] == ["python", "-m", "envs", "generate"]
    return words[4:]


def test_the_documented_command_writes_every_image_and_a_sheet(
    tiny_folder: Path, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "images"
    assert command("envs.commands.generate", *documented(), f"transceiver.path={tiny_folder}", f"output={folder}") == 0
    assert f"wrote 9 images to {folder}, listed in images.csv" in capsys.readouterr().out
    with (folder / "images.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {file.name for file in folder.glob("*.png")} == {row["file"] for row in rows} | {"sheet.png"}
    one = next(row for row in rows if (row["receiver"], row["snr_db"]) == ("rematch", "-6"))
    assert (one["prompt"], one["seed"], one["plan"]) == ("a red apple on a table", "3", "semaigc(12)")
    made = load_transceiver(tiny_folder).generate([one["prompt"]], [3], 12, -6.0, "rematch")
    written = np.asarray(Image.open(folder / one["file"])).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(written, made.images[0].numpy(), rtol=0, atol=0.51 / 255)
    assert made.alignment is not None
    assert float(one["alignment"]) == pytest.approx(made.alignment.item(), abs=1e-4)
    with Image.open(folder / "sheet.png") as sheet:
        assert min(sheet.size) > 3 * 64


def test_stable_diffusion_over_another_link_without_a_judge(
    stable_diffusion_folder: Path, tmp_path: Path, command: Callable[..., int]
) -> None:
    weights = ["transceiver=stable_diffusion", f"transceiver.path={stable_diffusion_folder / 'model'}"]
    small = ["receivers=[rematch]", "snr_db=[0,null]", "num_inference_steps=2", "plan='semaigc(1)'", "batch_size=4"]
    many = ["prompts=[a dog, 'a $x_ cat$, asleep', 'ñ']", "seeds=[0,1,2]"]
    arguments = [*weights, *small, *many, "channel=rayleigh", f"output={tmp_path}"]
    assert command("envs.commands.generate", *arguments) == 0
    assert {file.name for file in tmp_path.glob("sheet*.png")} == {"sheet_1.png", "sheet_2.png"}
    assert len(list(tmp_path.glob("0*.png"))) == 18
    assert (tmp_path / "009__seed2_rematch_perfect.png").is_file()


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("plan=semaigc", "execute one plan at a time"),
        ("plan='semaigc(99)'", "0..20"),
        ("receivers=[magic]", "unknown receiver 'magic'"),
        ("snr_db=[.nan]", "snr_db[0] must be a finite number"),
        ("prompts=[]", "prompts must be a list that is not empty"),
        ("seeds=[-1]", "seeds[0] must be an integer >= 0, got -1"),
        ("transceiver.path=missing", "no weights folder at missing"),
        ("channel.name=pigeon", "unknown channel 'pigeon'"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_loaded(
    argument: str,
    said: str,
    tmp_path: Path,
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("envs.transceiver.load_transceiver", lambda **_: pytest.fail("networks were loaded"))
    assert command("envs.commands.generate", argument, f"output={tmp_path / 'images'}") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "images").exists()
