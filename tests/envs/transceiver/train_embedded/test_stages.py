"""The whole training of the embedded model in miniature, down to a model that loads and generates."""

from __future__ import annotations

import re
import shutil
import signal
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from envs.command_line import CONFIGS, Interrupted
from envs.transceiver import load_transceiver
from envs.transceiver.train_embedded.distil import DistilLoss
from envs.transceiver.train_embedded.parts import ModelParts
from envs.transceiver.train_embedded.stages import ModelTraining

TINY_SIZES = [
    f"{name}.model={{sample_size: 8, in_channels: 4, out_channels: 4, block_out_channels: [8, 16], "
    "layers_per_block: 1, attention: [false, true], cross_attention_dim: 16, attention_head_dim: 2, "
    "norm_num_groups: 4}"
    for name in ("generator", "light")
]
"""Overrides that fit the tiny model of the tests."""
STATES = "states={batches: 2, batch_size: 4, num_inference_steps: [3, 4], chances: [0.5, 0.5]}"
NETWORKS = ("unet", "light_unet", "finetune_unet", "finetune_light_unet", "vae", "text_encoder", "classifier")


def config_of(folder: Path, *overrides: str) -> DictConfig:
    paths = [f"folder={folder}/run", f"export={folder}/model", f"pictures_folder={folder}/pictures"]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return compose("train_model", ["size=smoke", *paths, *overrides])


def tiny_parts(exported: Path, folder: Path, *overrides: str) -> ModelParts:
    """The parts of a training that starts from the tiny model."""
    return ModelParts(config_of(folder, f"init={exported}", *TINY_SIZES, STATES, *overrides))


@pytest.mark.slow
def test_every_stage_runs_and_the_export_generates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = config_of(tmp_path)
    training = ModelTraining(config)
    for stage in config.stages:
        training.run(stage)
    bars = capsys.readouterr().err
    for bar in (r"scenes train: 100%\D*48/48 .*image", r"latents of vae: 100%\D*48/48 .*image"):
        assert re.search(bar, bars)
    assert re.search(r"states: 100%\D*2/2 .*batch", bars)
    model = load_transceiver(tmp_path / "model", num_inference_steps=4)
    assert model.guidance_scale == 3.0
    for receiver in ("finetuned", "finetuned_light"):
        assert model.generate(["a red apple"], [1], 2, 0.0, receiver=receiver).images.shape == (1, 3, 64, 64)
    assert model.components.finetune_unet.config.block_out_channels == config.generator.model.block_out_channels
    assert model.components.finetune_light_unet.config.block_out_channels == config.light.model.block_out_channels
    card = (tmp_path / "model" / "README.md").read_text()
    assert "alignment of generated images" in card
    for receiver in ("finetuned", "finetuned_light"):
        assert re.search(rf"\| -6 dB \| {receiver} \|( [\d.]+ / [\d.]+ / [\d.]+ \|){{5}}", card)
        assert re.search(rf"\| {receiver} \| `finetune_\w+` \| 1 \| \d+ \| [\d.]+ \|", card)
    assert re.findall(r"\| (\d+) \| \d+ \| (rematch|finetuned) \| ", card) == [
        ("3", "rematch"), ("3", "finetuned"), ("4", "rematch"), ("4", "finetuned"),
    ]  # fmt: skip
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


@pytest.mark.parametrize(
    ("stages", "changed"),
    [
        (["light"], "light_unet"),
        (["states", "finetune"], "finetune_unet"),
        (["states", "finetune_light"], "finetune_light_unet"),
    ],
)
def test_what_was_not_trained_again_is_exported_as_it_was(
    stages: list[str], changed: str, tiny_folder: Path, tmp_path: Path
) -> None:
    training = ModelTraining(config_of(tmp_path, f"init={tiny_folder}", *TINY_SIZES, STATES))
    for stage in [*stages, "export"]:
        training.run(stage)
    before, after = (load_transceiver(folder).components for folder in (tiny_folder, tmp_path / "model"))
    for part in NETWORKS:
        old, new = (getattr(components, part).state_dict() for components in (before, after))
        assert all(torch.equal(old[key].half().float(), new[key]) for key in old) == (part != changed), part
    assert after.vae.config.scaling_factor == before.vae.config.scaling_factor
    kept = [folder / "tokenizer" / "tokenizer.json" for folder in (tiny_folder, tmp_path / "model")]
    assert kept[0].read_bytes() == kept[1].read_bytes()
    assert stages == ["light"] or not list((tmp_path / "run").glob("*.npy"))  # nothing was rendered for it


@pytest.mark.parametrize(
    ("stage", "start", "part"),
    [("finetune", "unet", "finetune_unet"), ("finetune_light", "light_unet", "finetune_light_unet")],
)
@pytest.mark.parametrize("again", [False, True])
def test_a_receiver_starts_from_the_network_that_it_is_made_of_or_goes_on(
    stage: str, start: str, part: str, again: bool, tiny_folder: Path, tmp_path: Path
) -> None:
    model = Path(shutil.copytree(tiny_folder, tmp_path / "init"))
    if not again:
        shutil.rmtree(model / part)
    still = f"{stage}.training.learning_rate=0.0"
    training = ModelTraining(config_of(tmp_path, f"init={model}", *TINY_SIZES, STATES, still))
    training.run(stage)  # records its states by itself
    exported = load_transceiver(tiny_folder).components.network(part if again else start)
    trained = training.unet(start, stage)
    assert torch.equal(trained.conv_in.weight, exported.conv_in.weight)


def test_a_stage_of_a_receiver_that_was_stopped_goes_on_exactly(
    tiny_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def training(folder: str) -> ModelTraining:
        longer = "finetune.training.steps=4"
        return ModelTraining(config_of(tmp_path / folder, f"init={tiny_folder}", *TINY_SIZES, STATES, longer))

    def weights(folder: str) -> torch.Tensor:
        training(folder).run("finetune")
        return training(folder).unet("finetune_unet", "finetune").conv_in.weight

    taken, loss = [], DistilLoss.__call__

    def stops(self: DistilLoss, index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        taken.append(index)
        if len(taken) == 2:
            signal.raise_signal(signal.SIGINT)
        return loss(self, index, generator)

    whole = weights("whole")
    with monkeypatch.context() as patched:
        patched.setattr(DistilLoss, "__call__", stops)
        with pytest.raises(Interrupted, match="after 2 steps; the same command goes on from step 2"):
            training("cut").run("finetune")
        assert torch.equal(weights("cut"), whole)
    assert len(taken) == 4


def test_a_start_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="init must be null or the folder of an exported model, got 'absent'"):
        ModelTraining(config_of(tmp_path, "init=absent"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="device=cuda needs a GPU, this machine shows none; allowed here: auto, cpu"):
        ModelTraining(config_of(tmp_path, "device=cuda"))
    assert ModelTraining(config_of(tmp_path, "device=auto")).device == torch.device("cpu")


def test_an_unknown_stage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown stages \['magic'\]: choose from vae"):
        ModelTraining(config_of(tmp_path, "stages=[magic]"))
