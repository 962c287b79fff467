"""One guided forward equals the UNet on a doubled batch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from envs.transceiver import load_transceiver
from envs.transceiver.model.guided_unet import GuidedUNet
from envs.transceiver.transceiver import Transceiver


def doubled(unet: torch.nn.Module, z: torch.Tensor, t: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
    return unet(torch.cat([z, z]), torch.cat([t, t]), text).sample


def guided(unet: torch.nn.Module, z: torch.Tensor, t: torch.Tensor, text: torch.Tensor) -> torch.Tensor:
    network = GuidedUNet(unet)
    return network(z, t, network.conditions(text))


def inputs(channels: int, size: int, width: int, count: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    z = torch.randn(count, channels, size, size, generator=generator)
    text = torch.randn(2 * count, 7, width, generator=generator)
    return z, torch.tensor([500.5, 20.0, 981.0])[:count], text


@torch.no_grad()
def test_it_equals_the_doubled_batch(tiny: Transceiver) -> None:
    unet = tiny.components.unet
    arguments = inputs(4, 8, unet.config.cross_attention_dim)
    assert len(GuidedUNet(unet).conditions(arguments[2])) > 1  # its layers are known
    torch.testing.assert_close(guided(unet, *arguments), doubled(unet, *arguments), rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("size", [8, 7])
def test_stable_diffusion_and_sizes_that_its_levels_do_not_divide(stable_diffusion_folder: Path, size: int) -> None:
    unet = load_transceiver(stable_diffusion_folder / "model").components.unet
    arguments = inputs(4, size, unet.config.cross_attention_dim)
    assert len(GuidedUNet(unet).conditions(arguments[2])) > 1  # its layers are known
    torch.testing.assert_close(guided(unet, *arguments), doubled(unet, *arguments), rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_shared_layers_run_on_half_of_the_batch(tiny: Transceiver) -> None:
    unet = tiny.components.unet
    seen: list[int] = []
    hook = unet.conv_in.register_forward_pre_hook(lambda _, arguments: seen.append(len(arguments[0])))
    try:
        guided(unet, *inputs(4, 8, unet.config.cross_attention_dim))
    finally:
        hook.remove()
    assert seen == [3]


@torch.no_grad()
def test_other_blocks_get_the_doubled_batch(tiny: Transceiver, monkeypatch: pytest.MonkeyPatch) -> None:
    unet = tiny.components.unet
    monkeypatch.setattr("envs.transceiver.model.guided_unet.BLOCKS", ("DownBlock2D",))
    arguments = inputs(4, 8, unet.config.cross_attention_dim)
    assert torch.equal(guided(unet, *arguments), doubled(unet, *arguments))
