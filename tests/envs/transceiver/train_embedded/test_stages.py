"""The whole training of the embedded model in miniature, down to a model that loads and generates."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from envs.command_line import CONFIGS
from envs.transceiver import load_transceiver
from envs.transceiver.train_embedded.stages import ModelTraining

SMALL = [
    "pictures=48",
    "validation_pictures=16",
    "threads=1",
    "sampling.num_inference_steps=4",
    "vae.model={in_channels: 3, out_channels: 3, block_out_channels: [8, 8, 8, 8], layers_per_block: 1, "
    "latent_channels: 4, norm_num_groups: 4, sample_size: 64, mid_block_add_attention: false}",
    "classifier.model.channels=[8, 8, 8, 8]",
    "text_encoder.model={hidden_size: 16, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2, "
    "projection_dim: 16}",
    *(
        f"{name}.model={{sample_size: 8, in_channels: 4, out_channels: 4, block_out_channels: [{wide}, 16], "
        "layers_per_block: 1, attention: [false, true], cross_attention_dim: 16, attention_head_dim: 2, "
        "norm_num_groups: 4}"
        for name, wide in (("generator", 16), ("light", 8))
    ),
    *(
        f"{name}.training={{steps: 2, batch_size: 4, learning_rate: 1e-3, autocast: false}}"
        for name in ("vae", "refine", "decoder", "classifier", "generator", "adapt", "light", "finetune")
    ),
    "trajectories={count: 8, batch_size: 4}",
    "card={requests: 4, receiver_requests: 2}",
]

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
        return compose("train_model", [*SMALL, *paths, *overrides])


@pytest.mark.slow
def test_every_stage_runs_and_the_export_generates(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    training = ModelTraining(config)
    for stage in config.stages:
        training.run(stage)
    model = load_transceiver(tmp_path / "model", num_inference_steps=4)
    assert model.guidance_scale == 3.0
    assert model.generate(["a red apple"], [1], 2, 0.0, receiver="finetuned").images.shape == (1, 3, 64, 64)
    card = (tmp_path / "model" / "README.md").read_text()
    assert "alignment of generated images" in card
    assert "| -6 dB | finetuned |" in card
    assert (tmp_path / "pictures" / "receivers.png").stat().st_size > 10_000
    assert not list((tmp_path / "model").rglob("*.bin"))


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
