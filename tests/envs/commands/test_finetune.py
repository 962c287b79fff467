from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["data={empty}", "model={model}"], "has no captions"),
        (["data={images}", "model=owner/name"], "hub:owner/name"),
        (
            ["data={images}", "model={model}", "validation.prompts=[]"],
            "validation.prompts must be a list that is not empty",
        ),
        (["dat=x"], "'dat'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: list[str],
    said: str,
    image_folder: Path,
    tiny_folder: Path,
    tmp_path: Path,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"empty": tmp_path / "empty", "images": image_folder, "model": tiny_folder}
    given = [argument.format(**places) for argument in arguments]
    assert command("envs.commands.finetune", *given, f"output={tmp_path / 'run'}") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert said in error


def test_the_command_trains(image_folder: Path, tiny_folder: Path, tmp_path: Path, command: Callable[..., int]) -> None:
    given = [f"data={image_folder}", f"model={tiny_folder}", f"output={tmp_path / 'run'}"]
    short = ["steps=1", "batch_size=1", "gradient_accumulation=1", "num_workers=0"]
    shown = ["validation.prompts=[a red apple]", "validation.num_inference_steps=2", "validation.split=1"]
    assert command("envs.commands.finetune", *given, *short, *shown) == 0
    assert (tmp_path / "run" / "finetune_unet" / "config.json").is_file()
