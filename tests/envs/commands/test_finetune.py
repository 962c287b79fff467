from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from envs.command_line import CONFIGS
from envs.transceiver.finetune_images.run import Finetuning


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


def test_the_command_trains(
    image_folder: Path,
    tiny_folder: Path,
    tmp_path: Path,
    command: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And the command that it prints, pasted, measures a profile of what it wrote."""
    given = [f"data={image_folder}", f"model={tiny_folder}", f"output={tmp_path / 'run'}"]
    short = ["steps=1", "batch_size=1", "gradient_accumulation=1", "num_workers=0"]
    shown = ["validation.prompts=[a red apple]", "validation.num_inference_steps=2", "validation.split=1"]
    assert command("envs.commands.finetune", *given, *short, *shown) == 0
    assert (tmp_path / "run" / "finetune_unet" / "config.json").is_file()
    *_, generate, measure = (shlex.split(line) for line in capsys.readouterr().out.splitlines())
    assert generate[:4] == ["python", "-m", "envs", "generate"]
    assert measure[:4] == ["python", "-m", "envs", "make_profile"]
    small = ["measure.num_inference_steps=1", "measure.requests={train: 1, test: 1}", f"folder={tmp_path / 'parts'}"]
    path = f"transceiver.path={tiny_folder}"  # its folder does not say its guidance, as Stable Diffusion's do not
    assert generate[4:7] == [
        "transceiver=stable_diffusion",
        path,
        f"transceiver.finetune_unet={tmp_path}/run/finetune_unet",
    ]
    assert command("envs.commands.make_profile", *measure[4:], "size=smoke", *small) == 0
    assert (tmp_path / "run" / "profile.npz").is_file()


@pytest.mark.parametrize("part", ["finetune_unet", "unet"])
def test_what_it_prints_of_the_embedded_model_are_keys_of_its_group(
    part: str,
    image_folder: Path,
    tmp_path: Path,
    command: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(Finetuning, "__init__", lambda *_: None)
    monkeypatch.setattr(Finetuning, "run", lambda _: tmp_path / "my run" / part)
    target = {"unet": "noise", "finetune_unet": "guided"}[part]
    given = [f"data={image_folder}", f"part={part}", f"target={target}", f"output={tmp_path / 'run'}"]
    assert command("envs.commands.finetune", *given) == 0
    for line in capsys.readouterr().out.splitlines()[1:]:
        _, _, _, name, *overrides = shlex.split(line)
        with initialize_config_dir(str(CONFIGS), version_base="1.3"):
            assert compose(name, overrides).transceiver[part] == str(tmp_path / "my run" / part)
