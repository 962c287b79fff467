"""Upsampling as one transposed convolution: four ninths of the operations."""

from __future__ import annotations

import torch
from diffusers.models.upsampling import Upsample2D
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, interpolate

# Row a of the 4-wide kernel sums those rows of the 3-wide one that meet the same pixel before it is repeated.
_GATHER = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


class TransposedUpsample(nn.Module):
    """Each pixel repeated 2 x 2, then a 3 x 3 convolution with padding 1, as a transposed convolution of 4 x 4.

    The repeated pixels meet sums of the kernel's weights, so 16 products a pixel do what 36 did. Equal up to
    rounding. Own derivation (sub-pixel convolution; Shi et al. 2016 have the inverse view).

    Args:
        conv: the 3 x 3 convolution, which stays the module's only parameter.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.conv = conv

    def forward(self, x: Tensor, output_size: tuple[int, int] | None = None) -> Tensor:
        """Images [B, C', 2 h, 2 w] of [B, C, h, w], or of another size, which is made as diffusers makes it."""
        if output_size is not None:
            return self.conv(interpolate(x, size=output_size, mode="nearest"))
        weight = self.conv.weight
        gather = weight.new_tensor(_GATHER)
        kernel = torch.einsum("ai,bj,ocij->coab", gather, gather, weight)
        return conv_transpose2d(x, kernel, self.conv.bias, stride=2, padding=1)


def with_transposed_upsampling(module: nn.Module) -> nn.Module:
    """Replace, in place, every layer of diffusers that repeats pixels and convolves; names of weights stay.

    Layers with an adapter, a norm or another kernel are left as they are.
    """
    for parent in module.modules():
        for name, child in parent.named_children():
            if isinstance(child, Upsample2D) and (conv := _plain_convolution(child)) is not None:
                setattr(parent, name, TransposedUpsample(conv))
    return module


def _plain_convolution(layer: Upsample2D) -> nn.Conv2d | None:
    conv = getattr(layer, "conv", None)
    if layer.norm is not None or layer.use_conv_transpose or not layer.interpolate or type(conv) is not nn.Conv2d:
        return None
    return conv if conv.kernel_size == (3, 3) and conv.padding == (1, 1) and conv.groups == 1 else None
