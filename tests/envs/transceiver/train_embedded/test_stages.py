"""The whole training of the embedded model in miniature, down to a model that loads and generates."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from envs.command_line import CONFIGS
from envs.transceiver import load_transceiver
from envs.transceiver.train_embedded.stages import ModelTraining

TINY_SIZES = [
    f"{name}.model={{sample_size: 8, in_channels: 4, out_channels: 4, block_out_channels: [8, 16], "
    "layers_per_block: 1, attention: [false, true], cross_attention_dim: 16, attention_head_dim: 2, "
    "norm_num_groups: 4}"
    for name in ("generator", "light")
]
"""Overrides that fit the tiny model of the tests."""


def config_of(folder: Path, *overrides: str) -> DictConfig:
    paths = [f"folder={folder}/run", f"export={folder}/model", f"pictures_folder={folder}/pictures"]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train_model", ["size=smoke", *paths, *overrides])


@pytest.mark.slow
def test_every_stage_runs_and_the_export_generates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of(tmp_path)
    training = ModelTraining(config)
    for stage in config.stages:
        training.run(stage)
    bars = capsys.readouterr().err
    for bar in (r"scenes train: 100%\D*48/48 .*image", r"latents of vae: 100%\D*48/48 .*image"):
        assert re.search(bar, bars)
    assert re.search(r"trajectories: 100%\D*8/8 .*request", bars)
    model = load_transceiver(tmp_path / "model", num_inference_steps=4)
    assert model.guidance_scale == 3.0
    assert model.generate(["a red apple"], [1], 2, 0.0, receiver="finetuned").images.shape == (1, 3, 64, 64)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "alignment of generated images" in card
    assert "| -6 dB | finetuned |" in card
    assert (tmp_path / "pictures" / "receivers.png").stat().st_size > 10_000
    assert not list((tmp_path / "model").rglob("*.bin"))
    modes = {file.stat().st_mode & 0o777 for file in tmp_path.rglob("*") if file.is_file()}
    assert modes == {(tmp_path / "model" / "model_index.json").stat().st_mode & 0o777}


@pytest.mark.slow
def test_training_can_start_from_an_exported_model(tiny_folder: Path, tmp_path: Path) -> None:
    training = ModelTraining(config_of(tmp_path, f"init={tiny_folder}", *TINY_SIZES))
    exported = load_transceiver(tiny_folder).components
    assert torch.equal(training.unet("unet").conv_in.weight, exported.unet.conv_in.weight)
    assert torch.equal(training.vae("vae").decoder.conv_in.weight, exported.vae.decoder.conv_in.weight)


@pytest.mark.slow
def test_what_was_not_trained_again_is_exported_as_it_was(tiny_folder: Path, tmp_path: Path) -> None:
    training = ModelTraining(config_of(tmp_path, f"init={tiny_folder}", *TINY_SIZES))
    training.run("light")
    training.run("export")
    before, after = (load_transceiver(folder).components for folder in (tiny_folder, tmp_path / "model"))
    for part in ("unet", "finetune_unet", "classifier"):
        old, new = (getattr(components, part).state_dict() for components in (before, after))
        assert all(torch.equal(old[key].half().float(), new[key]) for key in old), part
    assert before.light_unet is not None
    assert after.light_unet is not None
    assert not torch.equal(before.light_unet.conv_in.weight.half().float(), after.light_unet.conv_in.weight)


def test_a_start_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="init must be null or the folder of an exported model, got 'absent'"):
        ModelTraining(config_of(tmp_path, "init=absent"))


def test_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown stages \['magic'\]: choose from vae"):
        ModelTraining(config_of(tmp_path, "stages=[magic]"))
