"""Training where the networks are: on a second device, whose tensors do not mix with the CPU's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import DDIMScheduler

from envs.transceiver.train_embedded import architecture, losses
from envs.transceiver.train_embedded.distil import DistilLoss
from envs.transceiver.train_embedded.loop import LossFunction, TrainingStage, train_stage
from envs.transceiver.train_embedded.parts import ModelParts

from ..conftest import SCHEDULER, TINY_TEXT, TINY_UNET, TINY_VAE
from .second_device import DEVICE, second_device
from .test_stages import tiny_parts

CAPTIONS = losses.CaptionTable(architecture.new_tokenizer(12))
DRAW = torch.Generator().manual_seed(0)
PICTURES = torch.randint(256, (6, 3, 64, 64), generator=DRAW, dtype=torch.uint8)
LABELS, LATENTS = torch.randint(3, (6, 3), generator=DRAW), torch.randn(6, 4, 8, 8, generator=DRAW)
Made = tuple[dict[str, torch.nn.Module], LossFunction]


def autoencoder(_: ModelParts) -> Made:
    vae = architecture.new_vae(0, **TINY_VAE)
    return {"vae": vae}, lambda *step: losses.autoencoder_loss(vae, PICTURES, *step)


def decoder(_: ModelParts) -> Made:
    vae = architecture.new_vae(0, **TINY_VAE)
    return {"vae": vae}, lambda *step: losses.decoder_loss(vae, PICTURES, LATENTS, *step)


def classifier(_: ModelParts) -> Made:
    network = architecture.new_classifier(0, (8, 8, 8, 8))
    return {"classifier": network}, lambda *step: losses.classifier_loss(network, PICTURES, LABELS, *step)


def denoiser(_: ModelParts) -> Made:
    unet = architecture.new_unet(0, **TINY_UNET)
    text = architecture.new_text_encoder(architecture.new_tokenizer(12), 1, **TINY_TEXT)
    data = CAPTIONS, DDIMScheduler(**SCHEDULER).alphas_cumprod, LATENTS, LABELS
    return {"unet": unet, "text": text}, lambda *step: losses.denoiser_loss(unet, text, *data, *step)


def distillation(parts: ModelParts) -> Made:
    """Its contexts are made with the first loss, where the networks are by then."""
    unet, made = architecture.new_unet(0, **TINY_UNET), []

    def loss(index: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        made.extend([] if made else [DistilLoss(parts, unet)])
        return made[0](index, generator)

    return {"unet": unet, "text": parts.trained_text_encoder()}, loss


def trained(made: Made, folder: Path) -> torch.Tensor:
    modules, loss = made
    found = loss(torch.tensor([0, 3, 5]), torch.Generator().manual_seed(0))
    assert found.device == next(next(iter(modules.values())).parameters()).device
    train_stage(TrainingStage("one", modules, loss, 6, batch_size=3, steps=2, learning_rate=1e-2), folder, seed=0)
    return torch.cat([weight.detach().flatten().cpu() for weight in next(iter(modules.values())).parameters()])


@pytest.mark.parametrize("make", [autoencoder, decoder, classifier, denoiser, distillation])
def test_a_stage_trains_where_its_networks_are(
    make: Callable[[ModelParts], Made], tiny_folder: Path, tmp_path: Path
) -> None:
    here = trained(make(tiny_parts(tiny_folder, tmp_path / "here")), tmp_path / "a")
    made = make(tiny_parts(tiny_folder, tmp_path / "here"))
    with second_device(*made[0].values()):
        assert next(next(iter(made[0].values())).parameters()).device == DEVICE
        there = trained(made, tmp_path / "b")
    assert torch.equal(here, there)
