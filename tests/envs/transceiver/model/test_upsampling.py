"""The transposed convolution equals repeating pixels and convolving."""

from __future__ import annotations

import pytest
import torch
from diffusers.models.upsampling import Upsample2D
from torch import nn

from envs.transceiver.model.upsampling import TransposedUpsample, with_transposed_upsampling


@pytest.fixture
def layer() -> Upsample2D:
    torch.manual_seed(0)
    return Upsample2D(6, use_conv=True, out_channels=5).eval()


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(4, 4), (1, 3), (7, 2)])
def test_it_equals_diffusers(layer: Upsample2D, height: int, width: int) -> None:
    x = torch.randn(2, 6, height, width, generator=torch.Generator().manual_seed(1))
    ours = with_transposed_upsampling(nn.Sequential(layer))
    torch.testing.assert_close(ours(x), layer(x), rtol=0, atol=1e-5)
    assert isinstance(ours[0], TransposedUpsample)


@torch.no_grad()
def test_another_size_is_made_as_diffusers_makes_it(layer: Upsample2D) -> None:
    x = torch.randn(1, 6, 4, 4, generator=torch.Generator().manual_seed(1))
    ours = with_transposed_upsampling(nn.Sequential(layer))[0]
    assert torch.equal(ours(x, (7, 9)), layer(x, (7, 9)))


def test_names_of_weights_and_gradients_stay(layer: Upsample2D) -> None:
    before = set(nn.Sequential(layer).state_dict())
    ours = with_transposed_upsampling(nn.Sequential(layer))
    assert set(ours.state_dict()) == before
    ours(torch.ones(1, 6, 2, 2)).sum().backward()
    assert layer.conv.weight.grad is not None


def test_other_layers_are_left_as_they_are() -> None:
    kept = nn.Sequential(
        Upsample2D(4), Upsample2D(4, use_conv_transpose=True), Upsample2D(4, True, kernel_size=1, padding=0)
    )
    kinds = [type(child) for child in kept]
    assert [type(child) for child in with_transposed_upsampling(kept)] == kinds
